//! A run of load, said completely.

use crate::h1::Url;
use crate::load::arrivals::{Process, Profile};
use crate::load::retry::Retry;
use crate::load::workload::Workload;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A run of load. [`crate::generator::run`] carries it out.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Where it goes; for the report.
    pub url: Url,
    /// The same, looked up.
    pub address: SocketAddr,
    /// What is asked for.
    pub workload: Workload,
    /// When.
    pub pace: Pace,
    /// A part before the measured one; its requests count nowhere else.
    pub warm_up: Duration,
    /// A part behind the measured one.
    pub cool_down: Duration,
    /// Tightest first. Without any, every right answer is good.
    pub slos: Vec<Duration>,
    /// When a client gives an attempt up and closes its connection.
    pub deadline: Duration,
    /// Whether clients try again.
    pub retry: Retry,
    /// The statuses that are right; if empty, 200 to 399 are.
    pub expected: Vec<u16>,
    /// The most connections at once; they are opened as they are needed.
    pub connections: usize,
    /// Generator threads.
    pub threads: usize,
    /// What arrivals, mix and pauses are drawn with.
    pub seed: u64,
    /// Width of the bins of a time series, if there is to be one.
    pub bin: Option<Duration>,
}

/// When requests start.
#[derive(Clone, Debug)]
pub enum Pace {
    /// On a schedule, whatever becomes of earlier ones: an open loop.
    Open {
        /// How arrivals are spread.
        process: Process,
        /// How many come when.
        profile: Profile,
    },
    /// When a trace says.
    Recorded {
        /// Nanoseconds since its start, ascending.
        times: Arc<[u64]>,
        /// 2.0 is twice as fast.
        speed: f64,
    },
    /// When clients come round again: a closed loop.
    Closed {
        /// How many.
        clients: u32,
        /// From an answer to the client's next request.
        think: Duration,
        /// When they stop asking.
        duration: Duration,
    },
}

impl Pace {
    /// How long requests go on starting, without warm-up and cool-down.
    pub fn duration(&self) -> Duration {
        match self {
            Pace::Open { profile, .. } => profile.total(),
            Pace::Recorded { times, speed } => {
                // The last arrival lies within the run, not at its end.
                let last = times.last().map_or(0, |last| last.saturating_add(1));
                Duration::try_from_secs_f64(last as f64 / 1e9 / speed).unwrap_or(Duration::MAX)
            }
            Pace::Closed { duration, .. } => *duration,
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Pace::Open { process, profile } => format!("{process} {profile}"),
            Pace::Recorded { times, speed } => {
                format!("{} recorded arrivals at {speed} times their speed", times.len())
            }
            Pace::Closed { clients, think, duration } => format!(
                "closed loop of {clients} clients, think {} for {}",
                humantime::format_duration(*think),
                humantime::format_duration(*duration)
            ),
        }
    }
}
