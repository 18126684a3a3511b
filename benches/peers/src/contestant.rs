//! Who is compared.

use crate::answers::HELLO;
use crate::error::StartError;
use crate::launch::Launch;
use crate::programs;
use crate::server::Server;
use crate::site::Site;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::str::FromStr;

/// A server that can be started, with its settings. Its name, by [`Display`](fmt::Display) and back
/// by [`FromStr`], is that of its kind, with the limit behind it: `axum-bounded-queue-64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contestant {
    /// Seda: the example `web_server` as it is, with its demo site. Nothing was promised, so that
    /// nothing but the length of its queues bounds what waits.
    Seda,
    /// The same with the SLO of the comparison, and no other setting: `--slo 200ms`.
    SedaSlo,
    /// The example `web_server` serving a directory from the disk, as nginx does.
    SedaRoot,
    /// Seda with a hand-tuned bound for the queue of `work`: what the mechanism does where somebody
    /// has chosen the number.
    SedaQueue(usize),
    /// axum; the handler burns on the worker of the async runtime.
    AxumInline,
    /// axum; the handler burns in `spawn_blocking`.
    AxumSpawnBlocking,
    /// As `AxumSpawnBlocking`, with few threads, behind tower's concurrency limit and load shedding.
    AxumLimit(usize),
    /// axum; one thread for each core burns what a bounded queue holds; a full one refuses.
    AxumBoundedQueue(usize),
    /// actix-web; the handler burns on the worker of the async runtime.
    ActixInline,
    /// actix-web; the handler burns in `web::block`.
    ActixBlock,
    /// hyper on a runtime with one thread; the handler burns on it.
    HyperInline,
    /// A loop that refuses everything, beside a thread that burns: no server, but what a refusal
    /// costs at the least.
    RefusingLoop,
    /// nginx: `/` and `/file8k` only.
    Nginx,
}

/// A name that no contestant has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no contestant is called {name:?}; say seda, seda-slo, seda-root, seda-queue-N, axum-inline, axum-spawn-blocking, \
     axum-limit-N, axum-bounded-queue-N, actix-inline, actix-block, hyper-inline, refusing-loop or nginx"
)]
pub struct UnknownContestant {
    name: String,
}

impl Contestant {
    /// Every server; the ones that have a limit, with this one.
    pub fn all(limit: usize) -> [Self; 12] {
        use Contestant::*;
        [
            Seda,
            SedaSlo,
            SedaRoot,
            SedaQueue(limit),
            AxumInline,
            AxumSpawnBlocking,
            AxumLimit(limit),
            AxumBoundedQueue(limit),
            ActixInline,
            ActixBlock,
            HyperInline,
            Nginx,
        ]
    }

    /// The name without the limit: what `peer` calls it, if it is one of its kinds.
    pub fn kind(self) -> &'static str {
        match self {
            Contestant::Seda => "seda",
            Contestant::SedaSlo => "seda-slo",
            Contestant::SedaRoot => "seda-root",
            Contestant::SedaQueue(_) => "seda-queue",
            Contestant::AxumInline => "axum-inline",
            Contestant::AxumSpawnBlocking => "axum-spawn-blocking",
            Contestant::AxumLimit(_) => "axum-limit",
            Contestant::AxumBoundedQueue(_) => "axum-bounded-queue",
            Contestant::ActixInline => "actix-inline",
            Contestant::ActixBlock => "actix-block",
            Contestant::HyperInline => "hyper-inline",
            Contestant::RefusingLoop => "refusing-loop",
            Contestant::Nginx => "nginx",
        }
    }

    /// The limit that somebody has to choose for it; `None` if there is nothing to tune.
    pub fn limit(self) -> Option<usize> {
        match self {
            Contestant::SedaQueue(limit)
            | Contestant::AxumLimit(limit)
            | Contestant::AxumBoundedQueue(limit) => Some(limit),
            _ => None,
        }
    }

    /// The same with another limit; itself if it has none.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        match self {
            Contestant::SedaQueue(_) => Contestant::SedaQueue(limit),
            Contestant::AxumLimit(_) => Contestant::AxumLimit(limit),
            Contestant::AxumBoundedQueue(_) => Contestant::AxumBoundedQueue(limit),
            other => other,
        }
    }

    /// Whether it answers `/work` and `/sleep`.
    pub fn burns(self) -> bool {
        !matches!(self, Contestant::Nginx | Contestant::RefusingLoop)
    }

    /// Whether it answers `/file8k`.
    pub fn serves_the_file(self) -> bool {
        use Contestant::{RefusingLoop, Seda, SedaQueue, SedaSlo};
        !matches!(self, Seda | SedaSlo | SedaQueue(_) | RefusingLoop)
    }

    /// What it answers to `/`: the demo site's page, or "Hello, world!".
    pub fn hello(self) -> &'static str {
        match self {
            Contestant::Seda | Contestant::SedaSlo | Contestant::SedaQueue(_) => {
                include_str!("../../../examples/web_server/site/index.html")
            }
            _ => HELLO,
        }
    }

    /// Starts it on these cores of the machine, on a free port of 127.0.0.1; it serves when this
    /// returns, and is ended by dropping the [`Server`]. Blocks for some 10 ms.
    ///
    /// Its programs must have been [built](crate::build). What it has to say goes to our stderr.
    ///
    /// # Errors
    /// If it is not built or not installed, or does not serve.
    pub fn start(&self, cores: &[usize]) -> Result<Server, StartError> {
        self.start_with(cores, &[])
    }

    /// The same with further flags behind its own.
    ///
    /// # Errors
    /// As [`start`](Self::start): a flag that it does not know ends it, and it says so.
    pub fn start_with(&self, cores: &[usize], flags: &[String]) -> Result<Server, StartError> {
        let mut launch = self.launch()?;
        launch.words.extend(flags.iter().map(OsString::from));
        Server::start(self.to_string(), launch, cores)
    }

    fn launch(self) -> Result<Launch, StartError> {
        let missing = |source| StartError::Surroundings { name: self.to_string(), source };
        let mut words: Vec<OsString> = vec!["--listen".into(), "127.0.0.1:0".into()];
        match self {
            Contestant::Seda => Launch::built(programs::web_server(), words, None),
            Contestant::SedaSlo => {
                words.extend(["--slo".into(), "200ms".into()]);
                Launch::built(programs::web_server(), words, None)
            }
            Contestant::SedaRoot => {
                let site = Site::create().map_err(missing)?;
                words.extend(["--root".into(), site.files().into()]);
                Launch::built(programs::web_server(), words, Some(site))
            }
            Contestant::SedaQueue(limit) => {
                let site = Site::create().map_err(missing)?;
                let config = site.directory().join("seda.toml");
                let text = format!("[graph]\nstages.work.capacity = {limit}\n");
                fs::write(&config, text).map_err(missing)?;
                words.extend(["--config".into(), config.into()]);
                Launch::built(programs::web_server(), words, Some(site))
            }
            Contestant::Nginx => {
                let program = programs::nginx().ok_or(StartError::NoNginx)?;
                Site::create().and_then(|site| Launch::nginx(program, site)).map_err(missing)
            }
            peer => {
                words.insert(0, peer.kind().into());
                if let Some(limit) = peer.limit() {
                    words.extend(["--limit".into(), limit.to_string().into()]);
                }
                Launch::built(programs::peer(), words, None)
            }
        }
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit() {
            Some(limit) => write!(out, "{}-{limit}", self.kind()),
            None => out.write_str(self.kind()),
        }
    }
}

impl FromStr for Contestant {
    type Err = UnknownContestant;

    fn from_str(name: &str) -> Result<Self, UnknownContestant> {
        let limit = name.rsplit_once('-').and_then(|(_, limit)| limit.parse().ok());
        let known = Contestant::all(limit.filter(|limit| *limit > 0).unwrap_or(1));
        let mut known = known.into_iter().chain([Contestant::RefusingLoop]);
        let found = known.find(|contestant| contestant.to_string() == name);
        found.ok_or_else(|| UnknownContestant { name: name.to_owned() })
    }
}
