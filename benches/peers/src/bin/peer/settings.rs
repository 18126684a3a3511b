//! Flags, and what they mean together.

use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use std::num::NonZeroUsize;

/// The limit of the kinds that have one: the reference of our comparisons.
const LIMIT: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// What tokio lets `spawn_blocking` start.
const TOKIO_BLOCKING_THREADS: usize = 512;
/// The same for each thread of axum-limit. With tokio's number all admitted requests burn at once,
/// and the runtime's worker, which refuses, gets one turn in 65. Measured on one core, limit 64,
/// 2,000 requests of 1 ms a second: 385 answered within 100 ms, a refusal takes 84 ms (median); with
/// 1 thread 940 and 1.3 ms, with 4 threads 952 and 1.6 ms.
const LIMITED_BLOCKING_THREADS: usize = 4;

/// A server to compare seda with. It serves until its standard input ends, or SIGTERM.
#[derive(Debug, Parser)]
pub(crate) struct Flags {
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
    /// ReplyAddress to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Requests under way, or waiting, before more are refused [default: 64]
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Threads that serve, or burn [default: the cores it may use]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Threads that spawn_blocking may start [default: axum-spawn-blocking 512, axum-limit 4 for
    /// each of --threads]
    #[arg(long, value_name = "N")]
    blocking_threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// axum, burning on the worker of the async runtime
    AxumInline,
    /// axum, burning in spawn_blocking
    AxumSpawnBlocking,
    /// axum, burning in spawn_blocking with few threads, behind a concurrency limit that sheds
    AxumLimit,
    /// axum, burning on threads of its own behind a bounded queue
    AxumBoundedQueue,
    /// actix-web, burning on the worker of the async runtime
    ActixInline,
    /// actix-web, burning in web::block
    ActixBlock,
    /// hyper, burning on its only thread
    HyperInline,
    /// A loop that refuses everything: what a refusal costs at the least
    RefusingLoop,
}

/// Which server, how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settings {
    Axum { threads: usize, blocking_threads: usize, work: Work },
    Actix { threads: usize, blocks: bool },
    Hyper,
    RefusingLoop,
}

/// Where axum's handler has the burning done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Inline,
    SpawnBlocking,
    /// As `SpawnBlocking`, with at most so many requests under way.
    Limit(usize),
    /// On threads of its own, with at most so many requests waiting for them.
    BoundedQueue(usize),
}

impl Flags {
    /// What is to be started; or which flag means nothing to the kind.
    pub(crate) fn settings(&self) -> Result<Settings, &'static str> {
        let cores = NonZeroUsize::new(peers::allowed_cores().len());
        let threads = self.threads.or(cores).map_or(1, NonZeroUsize::get);
        let limit = self.limit.unwrap_or(LIMIT).get();
        if self.limit.is_some() && !matches!(self.kind, Kind::AxumLimit | Kind::AxumBoundedQueue) {
            return Err("--limit: this kind has none; axum-limit and axum-bounded-queue have");
        }
        if self.kind == Kind::HyperInline && self.threads.is_some_and(|threads| threads.get() > 1) {
            return Err("--threads: hyper-inline has one thread; leave the flag out");
        }
        let pools = matches!(self.kind, Kind::AxumSpawnBlocking | Kind::AxumLimit);
        if self.blocking_threads.is_some() && !pools {
            return Err("--blocking-threads: only axum-spawn-blocking and axum-limit have these");
        }
        let default = match self.kind {
            Kind::AxumLimit => threads * LIMITED_BLOCKING_THREADS,
            _ => TOKIO_BLOCKING_THREADS,
        };
        let blocking_threads = self.blocking_threads.map_or(default, NonZeroUsize::get);
        let axum = |work| Settings::Axum { threads, blocking_threads, work };
        Ok(match self.kind {
            Kind::AxumInline => axum(Work::Inline),
            Kind::AxumSpawnBlocking => axum(Work::SpawnBlocking),
            Kind::AxumLimit => axum(Work::Limit(limit)),
            Kind::AxumBoundedQueue => axum(Work::BoundedQueue(limit)),
            Kind::ActixInline => Settings::Actix { threads, blocks: false },
            Kind::ActixBlock => Settings::Actix { threads, blocks: true },
            Kind::HyperInline => Settings::Hyper,
            Kind::RefusingLoop => Settings::RefusingLoop,
        })
    }
}
