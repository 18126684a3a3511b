//! The flags and the settings that follow from them.

use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use thiserror::Error;

/// Default of `--limit`: the reference of our comparisons.
const LIMIT: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// tokio's default for `spawn_blocking`.
const TOKIO_BLOCKING_THREADS: usize = 512;
/// The default behind a limit, for each thread that serves. With tokio's default all admitted
/// requests work at once, and the runtime's worker, which refuses, gets one turn in 65.
///
/// Measured on one core with limit 64 and 2,000 requests of 1 ms per second: 385 are answered
/// within 100 ms and a refusal takes 84 ms (median); with 1 thread 940 and 1.3 ms, with 4 threads
/// 952 and 1.6 ms.
const LIMITED_BLOCKING_THREADS: usize = 4;

/// A server to compare seda with. It serves until its standard input ends or SIGTERM arrives.
#[derive(Debug, Parser)]
pub(crate) struct Flags {
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
    /// ReplyAddress to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Requests in progress, or waiting, before more are refused [default: 64]
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Threads that serve, or work [default: one for each core it may use]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Threads that spawn_blocking may start [default: axum-spawn-blocking 512; behind a limit
    /// 4 for each of --threads]
    #[arg(long, value_name = "N")]
    blocking_threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// axum, working on the worker of the async runtime
    AxumInline,
    /// axum, working in spawn_blocking
    AxumSpawnBlocking,
    /// axum, working in seda-tower's Blocking
    AxumBlocking,
    /// axum, working in spawn_blocking with few threads, behind a concurrency limit that sheds
    AxumLimit,
    /// axum, working on threads of its own behind a bounded queue
    AxumBoundedQueue,
    /// axum, as axum-limit, with a limit that tower-resilience's AIMD chooses
    AxumResilienceAimd,
    /// axum, as axum-limit, with a limit that tower-resilience's Vegas chooses
    AxumResilienceVegas,
    /// axum, as axum-limit, with a limit that tower-acc's Vegas chooses
    AxumAcc,
    /// actix-web, working on the worker of the async runtime
    ActixInline,
    /// actix-web, working in web::block
    ActixBlock,
    /// hyper, working on its only thread
    HyperInline,
    /// A loop that refuses everything: the least cost of a refusal
    RefusingLoop,
}

impl Kind {
    /// True for a limit on the requests in `spawn_blocking`, fixed or not.
    fn is_limited(self) -> bool {
        use Kind::{AxumAcc, AxumLimit, AxumResilienceAimd, AxumResilienceVegas};
        matches!(self, AxumLimit | AxumResilienceAimd | AxumResilienceVegas | AxumAcc)
    }
}

/// A kind with its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settings {
    Axum { threads: usize, blocking_threads: usize, work: Work },
    Actix { threads: usize, blocks: bool },
    Hyper,
    RefusingLoop,
}

/// The threads that axum's handler works on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Inline,
    SpawnBlocking,
    /// The pool of seda-tower's `Blocking`.
    Blocking,
    /// As `SpawnBlocking`, with at most this many requests in progress.
    Limit(usize),
    /// As `Limit`, with a limit that the algorithm chooses.
    Adaptive(Algorithm),
    /// Threads of its own, with at most this many requests waiting for them.
    BoundedQueue(usize),
}

/// An algorithm that chooses a concurrency limit, with its crate's defaults.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Algorithm {
    ResilienceAimd,
    ResilienceVegas,
    AccVegas,
}

/// A flag that has no meaning for the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum FlagError {
    #[error("--limit: this kind has none; only axum-limit and axum-bounded-queue have one")]
    Limit,
    #[error("--threads: hyper-inline has one thread; leave the flag out")]
    Threads,
    #[error("--blocking-threads: only the kinds of axum that work in spawn_blocking have these")]
    BlockingThreads,
}

impl Flags {
    /// Returns the server to start.
    pub(crate) fn settings(&self) -> Result<Settings, FlagError> {
        let cores = NonZeroUsize::new(peers::allowed_cores().len());
        let threads = self.threads.or(cores).map_or(1, NonZeroUsize::get);
        let limit = self.limit.unwrap_or(LIMIT).get();
        if self.limit.is_some() && !matches!(self.kind, Kind::AxumLimit | Kind::AxumBoundedQueue) {
            return Err(FlagError::Limit);
        }
        if self.kind == Kind::HyperInline && self.threads.is_some_and(|threads| threads.get() > 1) {
            return Err(FlagError::Threads);
        }
        let pools = self.kind == Kind::AxumSpawnBlocking || self.kind.is_limited();
        if self.blocking_threads.is_some() && !pools {
            return Err(FlagError::BlockingThreads);
        }
        let default = match self.kind.is_limited() {
            true => threads * LIMITED_BLOCKING_THREADS,
            false => TOKIO_BLOCKING_THREADS,
        };
        let blocking_threads = self.blocking_threads.map_or(default, NonZeroUsize::get);
        let work = match self.kind {
            Kind::AxumInline => Work::Inline,
            Kind::AxumSpawnBlocking => Work::SpawnBlocking,
            Kind::AxumBlocking => Work::Blocking,
            Kind::AxumLimit => Work::Limit(limit),
            Kind::AxumBoundedQueue => Work::BoundedQueue(limit),
            Kind::AxumResilienceAimd => Work::Adaptive(Algorithm::ResilienceAimd),
            Kind::AxumResilienceVegas => Work::Adaptive(Algorithm::ResilienceVegas),
            Kind::AxumAcc => Work::Adaptive(Algorithm::AccVegas),
            Kind::ActixInline => return Ok(Settings::Actix { threads, blocks: false }),
            Kind::ActixBlock => return Ok(Settings::Actix { threads, blocks: true }),
            Kind::HyperInline => return Ok(Settings::Hyper),
            Kind::RefusingLoop => return Ok(Settings::RefusingLoop),
        };
        Ok(Settings::Axum { threads, blocking_threads, work })
    }
}
