//! What `seda load` found out: plain data, serde for programs, `Display` for people.
//!
//! The fields are stable: new ones may come, none goes or changes its meaning. Times are in
//! seconds, rates per second, shares 0 to 1. A figure that could not be taken is `null`.

mod display;
#[doc(hidden)]
pub mod outcome;
#[doc(hidden)]
pub mod units;
mod verdict;

pub use verdict::{Limit, Verdict, verdict};

use crate::report::outcome::Outcomes;
use seda_core::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run of load, as `seda load --json FILE` writes it.
///
/// Counts, rates and latencies are of the requests whose intended start is in the measured window;
/// those of warm-up and cool-down are in `windows` only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// Where the load went.
    pub url: String,
    /// The arrivals, in words: "poisson 900/s for 10s".
    pub arrivals: String,
    /// What the arrivals and the mix were drawn with.
    pub seed: u64,
    /// The SLOs, tightest first; `good` and `late` are told apart by the first.
    pub slo_seconds: Vec<f64>,
    /// When a client gives an attempt up.
    pub deadline_seconds: f64,
    /// Whether the run was ended before its time (Ctrl-C).
    pub interrupted: bool,
    /// Requests that were still under way then; they are not among the scheduled ones.
    pub unfinished: u64,
    /// Length of the measured window.
    pub duration_seconds: f64,
    /// `scheduled`, and the seven ends that add up to it.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Scheduled requests per second.
    pub offered_per_second: f64,
    /// Right answers (good and late ones) that came in within the window, per second.
    pub throughput_per_second: f64,
    /// Good answers that came in within the window, per second: of requests of the warm-up too, so
    /// that a queue that is filling cannot lift it above what the server can do.
    pub goodput_per_second: f64,
    /// Goodput under each SLO.
    pub goodput_by_slo: Vec<SloGoodput>,
    /// From a right answer's intended start to its last byte.
    pub response_seconds: QuantileSummary,
    /// From the moment its request was sent: what a tool that forgets the wait before sees.
    pub raw_seconds: QuantileSummary,
    /// From a refusal's intended start to its last byte.
    pub refusal_seconds: QuantileSummary,
    /// Mean time from intended start to the end of all requests, however they ended: R of λR.
    pub sojourn_mean: Option<f64>,
    /// Distribution of `response_seconds`: pairs of seconds and the share that took no longer.
    pub cdf: Vec<(f64, f64)>,
    /// The same by path, most frequent first, at most 64 paths; what is beyond is in "(others)".
    pub paths: Vec<PathReport>,
    /// Warm-up, the parts of a profile, cool-down: in order of time.
    pub windows: Vec<WindowReport>,
    /// How often each status was answered, of all attempts.
    pub statuses: BTreeMap<u16, u64>,
    /// Why attempts got no answer, in words.
    pub failures: BTreeMap<String, u64>,
    /// Attempts, retries included.
    pub attempts: u64,
    /// Attempts per scheduled request.
    pub amplification: f64,
    /// Requests under way, averaged over the window's time: N, from the generator's own count.
    pub in_flight_mean: f64,
    /// The most requests that were under way at once.
    pub in_flight_max: u64,
    /// Bytes of the answers, heads included.
    pub bytes_received: u64,
    /// With `--clients`: how evenly they were served.
    pub fairness: Option<Fairness>,
    /// What the generator says of itself.
    pub generator: GeneratorReport,
    /// What was seen of the server's process, with `--pid`.
    pub server: Option<crate::watch::ServerReport>,
    /// Response times over time, where they were asked for (`seda step`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Bin>,
}

/// Goodput under one SLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SloGoodput {
    /// The SLO.
    pub slo_seconds: f64,
    /// Requests of the window with a right answer within it.
    pub good: u64,
    /// Right answers within it that came in within the window, per second.
    pub goodput_per_second: f64,
}

/// One path of the mix or the trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathReport {
    /// Method and path, without the query if it has more than one in this run.
    pub path: String,
    /// What became of its requests.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// From intended start to the last byte, right answers.
    pub response_seconds: QuantileSummary,
}

/// One part of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WindowReport {
    /// "warm-up", "cool-down", or the profile's part: "1400/s:10s".
    pub name: String,
    /// Whether it counts in the report's totals.
    pub measured: bool,
    /// When it begins, since the run began.
    pub from_seconds: f64,
    /// When it ends.
    pub to_seconds: f64,
    /// What became of the requests that were meant to start in it.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Scheduled per second.
    pub offered_per_second: f64,
    /// Right answers that came in within it, per second.
    pub throughput_per_second: f64,
    /// Good answers that came in within it, per second.
    pub goodput_per_second: f64,
    /// From intended start to the last byte, right answers.
    pub response_seconds: QuantileSummary,
}

/// A slice of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bin {
    /// When it begins, since the run began.
    pub from_seconds: f64,
    /// Its length.
    pub seconds: f64,
    /// What became of the requests that were meant to start in it.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Median of its right answers, counted from the intended start.
    pub p50: Option<f64>,
    /// 99th percentile of the same.
    pub p99: Option<f64>,
}

/// How evenly a closed loop's clients were served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fairness {
    /// Clients.
    pub clients: u64,
    /// Jain's index over their good answers: 1 if all got the same, 1/clients if one got all
    /// (Jain, Chiu, Hawe 1984). `None` if nobody got any.
    pub jain: Option<f64>,
    /// The good answers of the client that got the fewest.
    pub fewest: u64,
    /// Of the one that got the most.
    pub most: u64,
    /// Whether every client got the 200 that the index needs to mean something.
    pub enough: bool,
}

/// What the generator says of itself: whether its figures can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GeneratorReport {
    /// False if requests began so late that the load was not the one asked for.
    pub kept_schedule: bool,
    /// Why not, in words.
    pub why_not: Option<String>,
    /// From a request's intended start to the moment the generator took it up.
    pub lag_seconds: QuantileSummary,
    /// Threads.
    pub threads: u64,
    /// CPU time of all of them, over the whole run.
    pub cpu_seconds: f64,
    /// The busiest thread's CPU time over its wall time.
    pub cpu_share: f64,
    /// Connections opened.
    pub connections_opened: u64,
    /// The most that were open at once.
    pub connections_max: u64,
    /// The most that might be: what was asked for, or less if this process may not have as many
    /// descriptors (`ulimit -n`).
    pub connections_allowed: u64,
    /// Requests that had to wait for a connection: all that are allowed were busy, or their number
    /// may not grow faster. The wait is part of their response time.
    pub waited_for_connection: u64,
    /// Requests sent anew because a kept connection had been closed by the server meanwhile.
    pub resent: u64,
}
