//! The complete plan of one run.

use crate::h1::Url;
use crate::load::address::ServerAddress;
use crate::load::arrivals::{Process, Profile};
use crate::load::retry::Retry;
use crate::load::workload::Workload;
use std::sync::Arc;
use std::time::Duration;

/// One run of load, which [`generator::run`](crate::generator::run) runs.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// The URL of the server, for the report.
    pub url: Url,
    /// The address of the server.
    pub address: ServerAddress,
    /// The requests.
    pub workload: Workload,
    /// The start times of the requests.
    pub pace: Pace,
    /// Load before the measured part; it counts only in a window of its own.
    pub warm_up: Duration,
    /// Load after the measured part.
    pub cool_down: Duration,
    /// The SLOs, tightest first. Without any, every right answer is good.
    pub slos: Vec<Duration>,
    /// Time after which a client abandons an attempt and closes its connection.
    pub deadline: Duration,
    /// The retries of the clients.
    pub retry: Retry,
    /// The right statuses; if empty, 200 to 399.
    pub expected: Vec<u16>,
    /// The most connections at once; they are opened when they are needed.
    pub connections: usize,
    /// Number of generator threads.
    pub threads: usize,
    /// The seed of arrivals, mix and pauses.
    pub seed: u64,
    /// Width of the bins of the time series; `None`: no series.
    pub bin: Option<Duration>,
}

/// The start times of requests.
#[derive(Clone, Debug)]
pub enum Pace {
    /// An open loop: requests start on a schedule, independent of earlier answers.
    Open {
        /// The arrival process.
        process: Process,
        /// The rates over time.
        profile: Profile,
    },
    /// The times of a trace.
    Recorded {
        /// Nanoseconds since the start, ascending.
        times: Arc<[u64]>,
        /// The speed: 2.0 is twice as fast.
        speed: f64,
    },
    /// A closed loop: each client sends its next request after an answer.
    Closed {
        /// Number of clients.
        clients: u32,
        /// Time from the end of a request to the next one of the client.
        think: Duration,
        /// Time after which the clients send no further request.
        duration: Duration,
    },
}

impl Pace {
    /// Returns the time during which requests start, without warm-up and cool-down.
    pub fn duration(&self) -> Duration {
        match self {
            Pace::Open { profile, .. } => profile.total(),
            Pace::Recorded { times, speed } => {
                // One nanosecond more, so that the last arrival lies within the run.
                let last = times.last().map_or(0, |last| last.saturating_add(1));
                // An unusable speed lets no request start.
                Duration::try_from_secs_f64(last as f64 / 1e9 / speed).unwrap_or(Duration::MAX)
            }
            Pace::Closed { duration, .. } => *duration,
        }
    }

    /// Describes the pace for the report.
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
