//! The servers of the comparison.

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

/// A server with its settings, ready to start. Its name is that of its kind and, if it has one, its
/// limit: `axum-bounded-queue-64`. [`Display`](fmt::Display) writes it, [`FromStr`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contestant {
    /// Seda: the example `web_server` with its demo site. It has no SLO, so only the capacity of
    /// its queues bounds the wait.
    Seda,
    /// The same with the SLO of the comparison and no other setting: `--slo 200ms`.
    SedaSlo,
    /// The example `web_server` serving a directory from the disk, as nginx does.
    SedaRoot,
    /// Seda with a hand-tuned capacity of the queue of `work`.
    SedaQueue(usize),
    /// The example `axum_admission`: an axum app with seda-tower's admission layer and no setting.
    AxumAdmission,
    /// axum; the handler works on the worker of the async runtime.
    AxumInline,
    /// axum; the handler works in `spawn_blocking`.
    AxumSpawnBlocking,
    /// axum; the handler works in seda-tower's `Blocking`.
    AxumBlocking,
    /// As `AxumSpawnBlocking`, with few threads, behind tower's concurrency limit and load shed.
    AxumLimit(usize),
    /// axum; one thread per core serves a bounded queue, which refuses when it is full.
    AxumBoundedQueue(usize),
    /// As `AxumLimit`, but tower-resilience's AIMD chooses the limit, with its defaults. The limit
    /// grows by 1 with each answer within 100 ms, and a later answer halves it.
    AxumResilienceAimd,
    /// As `AxumLimit`, but tower-resilience's Vegas chooses the limit, with its defaults. It
    /// compares response times with the shortest one so far.
    AxumResilienceVegas,
    /// As `AxumLimit`, but tower-acc's Vegas chooses the limit, with its defaults.
    AxumAcc,
    /// actix-web; the handler works on the worker of the async runtime.
    ActixInline,
    /// actix-web; the handler works in `web::block`.
    ActixBlock,
    /// hyper on a runtime with one thread; the handler works on it.
    HyperInline,
    /// A loop that refuses everything, beside a thread that keeps the core busy. It is no server:
    /// it shows the least cost of a refusal.
    RefusingLoop,
    /// nginx: `/` and `/file8k` only.
    Nginx,
}

/// A name that no contestant has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no contestant is called {name:?}; use seda, seda-slo, seda-root, seda-queue-N, \
     axum-admission, axum-inline, axum-spawn-blocking, axum-blocking, axum-limit-N, axum-bounded-queue-N, axum-resilience-aimd, \
     axum-resilience-vegas, axum-acc, actix-inline, actix-block, hyper-inline, refusing-loop or nginx"
)]
pub struct UnknownContestant {
    name: String,
}

impl Contestant {
    /// Returns every server that gives the same answers as the others; those with a limit have this
    /// one.
    pub fn all(limit: usize) -> [Self; 16] {
        use Contestant::*;
        [
            Seda,
            SedaSlo,
            SedaRoot,
            SedaQueue(limit),
            AxumInline,
            AxumSpawnBlocking,
            AxumBlocking,
            AxumLimit(limit),
            AxumBoundedQueue(limit),
            AxumResilienceAimd,
            AxumResilienceVegas,
            AxumAcc,
            ActixInline,
            ActixBlock,
            HyperInline,
            Nginx,
        ]
    }

    /// Returns the name without the limit. `peer` takes it for each of its own kinds.
    pub fn kind(self) -> &'static str {
        match self {
            Contestant::Seda => "seda",
            Contestant::SedaSlo => "seda-slo",
            Contestant::SedaRoot => "seda-root",
            Contestant::SedaQueue(_) => "seda-queue",
            Contestant::AxumAdmission => "axum-admission",
            Contestant::AxumInline => "axum-inline",
            Contestant::AxumSpawnBlocking => "axum-spawn-blocking",
            Contestant::AxumBlocking => "axum-blocking",
            Contestant::AxumLimit(_) => "axum-limit",
            Contestant::AxumBoundedQueue(_) => "axum-bounded-queue",
            Contestant::AxumResilienceAimd => "axum-resilience-aimd",
            Contestant::AxumResilienceVegas => "axum-resilience-vegas",
            Contestant::AxumAcc => "axum-acc",
            Contestant::ActixInline => "actix-inline",
            Contestant::ActixBlock => "actix-block",
            Contestant::HyperInline => "hyper-inline",
            Contestant::RefusingLoop => "refusing-loop",
            Contestant::Nginx => "nginx",
        }
    }

    /// Returns the limit that an operator has to choose; `None` if there is nothing to tune.
    pub fn limit(self) -> Option<usize> {
        match self {
            Contestant::SedaQueue(limit)
            | Contestant::AxumLimit(limit)
            | Contestant::AxumBoundedQueue(limit) => Some(limit),
            _ => None,
        }
    }

    /// Returns the same server with another limit; an equal one if it has no limit.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        match self {
            Contestant::SedaQueue(_) => Contestant::SedaQueue(limit),
            Contestant::AxumLimit(_) => Contestant::AxumLimit(limit),
            Contestant::AxumBoundedQueue(_) => Contestant::AxumBoundedQueue(limit),
            other => other,
        }
    }

    /// True if it answers `/work` and `/sleep`.
    pub fn burns(self) -> bool {
        !matches!(self, Contestant::Nginx | Contestant::RefusingLoop)
    }

    /// True if it answers `/file8k`.
    pub fn serves_the_file(self) -> bool {
        use Contestant::{AxumAdmission, RefusingLoop, Seda, SedaQueue, SedaSlo};
        !matches!(self, Seda | SedaSlo | SedaQueue(_) | AxumAdmission | RefusingLoop)
    }

    /// Returns its answer to `/`: the demo site's page, or "Hello, world!".
    pub fn hello(self) -> &'static str {
        match self {
            Contestant::Seda | Contestant::SedaSlo | Contestant::SedaQueue(_) => {
                include_str!("../../../examples/web_server/site/index.html")
            }
            _ => HELLO,
        }
    }

    /// Starts it on these cores of the machine and a free port of 127.0.0.1, and returns when it
    /// serves, after some 10 ms. Dropping the [`Server`] ends it.
    ///
    /// Its programs must be [built](crate::build). Its messages go to our stderr.
    ///
    /// # Errors
    /// If it is not built, is not installed, or does not serve.
    pub fn start(&self, cores: &[usize]) -> Result<Server, StartError> {
        self.start_with(cores, &[])
    }

    /// Does the same as [`start`](Self::start) with further flags after its own.
    ///
    /// # Errors
    /// As [`start`](Self::start). A flag that it does not know ends it.
    pub fn start_with(&self, cores: &[usize], flags: &[String]) -> Result<Server, StartError> {
        let mut launch = self.launch()?;
        launch.arguments.extend(flags.iter().map(OsString::from));
        Server::start(self.to_string(), launch, cores)
    }

    fn launch(self) -> Result<Launch, StartError> {
        let missing = |source| StartError::Environment { name: self.to_string(), source };
        let mut arguments: Vec<OsString> = vec!["--listen".into(), "127.0.0.1:0".into()];
        match self {
            Contestant::Seda => Launch::built(programs::web_server(), arguments, None),
            Contestant::SedaSlo => {
                arguments.extend(["--slo".into(), "200ms".into()]);
                Launch::built(programs::web_server(), arguments, None)
            }
            Contestant::SedaRoot => {
                let site = Site::create().map_err(missing)?;
                arguments.extend(["--root".into(), site.files().into()]);
                Launch::built(programs::web_server(), arguments, Some(site))
            }
            Contestant::SedaQueue(limit) => {
                let site = Site::create().map_err(missing)?;
                let config = site.directory().join("seda.toml");
                let text = format!("[graph]\nstages.work.capacity = {limit}\n");
                fs::write(&config, text).map_err(missing)?;
                arguments.extend(["--config".into(), config.into()]);
                Launch::built(programs::web_server(), arguments, Some(site))
            }
            Contestant::AxumAdmission => Launch::built(programs::axum_admission(), arguments, None),
            Contestant::Nginx => {
                let program = programs::nginx().ok_or(StartError::NoNginx)?;
                Site::create().and_then(|site| Launch::nginx(program, site)).map_err(missing)
            }
            peer => {
                arguments.insert(0, peer.kind().into());
                if let Some(limit) = peer.limit() {
                    arguments.extend(["--limit".into(), limit.to_string().into()]);
                }
                Launch::built(programs::peer(), arguments, None)
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
        let others = [Contestant::AxumAdmission, Contestant::RefusingLoop];
        let mut known = known.into_iter().chain(others);
        let found = known.find(|contestant| contestant.to_string() == name);
        found.ok_or_else(|| UnknownContestant { name: name.to_owned() })
    }
}
