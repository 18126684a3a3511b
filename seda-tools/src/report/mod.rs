//! The report of a run: plain data, with serde for programs and `Display` for people.
//!
//! The fields are stable: new ones may be added, none is removed or changes its meaning. Times are
//! in seconds, rates per second, shares 0 to 1. An unknown figure is `null`.
//!
//! This room may import `watch` and `h1`. Whatever produces a report belongs in a higher room.

mod display;
mod interval;
#[doc(hidden)]
pub mod outcome;
mod skipped;
#[doc(hidden)]
pub mod units;
mod until;
mod verdict;

pub(crate) use display::known_quantile;
pub use interval::{Interval, Intervals, QuantileIntervals, Ranks};
pub use skipped::{SkippedLine, SkippedLines};
pub use until::{Until, UntilError, UntilFigure, UntilReport};
pub use verdict::{Limit, Verdict, verdict};

use crate::report::outcome::Outcomes;
use seda_core::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The report of one run, as `seda load --json FILE` writes it.
///
/// Counts, rates and times are those of requests with an intended start in the measured window;
/// those of warm-up and cool-down are only in `windows`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The URL of the server.
    pub url: String,
    /// A description of the arrivals: "poisson 900/s:10s".
    pub arrivals: String,
    /// The seed of the arrivals and the mix.
    pub seed: u64,
    /// The SLOs, tightest first; the first separates `good` from `late`.
    pub slo_seconds: Vec<f64>,
    /// Time after which a client abandons an attempt.
    pub deadline_seconds: f64,
    /// True if the run ended early (Ctrl-C).
    pub interrupted: bool,
    /// Requests that were under way then; they do not count as scheduled.
    pub unfinished: u64,
    /// Length of the measured window.
    pub duration_seconds: f64,
    /// `scheduled`, and the seven outcomes that add up to it.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Scheduled requests per second. This and the other rates are NaN (`null`) if all arrivals of
    /// a trace are at one instant.
    #[serde(deserialize_with = "or_nan")]
    pub offered_per_second: f64,
    /// Right answers (good and late) that arrived within the window, per second.
    #[serde(deserialize_with = "or_nan")]
    pub throughput_per_second: f64,
    /// Good answers that arrived within the window, per second. Answers to requests of the warm-up
    /// count, so that a growing queue cannot raise goodput above the capacity.
    #[serde(deserialize_with = "or_nan")]
    pub goodput_per_second: f64,
    /// Goodput under each SLO.
    pub goodput_by_slo: Vec<SloGoodput>,
    /// Response times of right answers, from the intended start to the last byte.
    pub response_seconds: QuantileSummary,
    /// The 95 % intervals of rates and response times.
    #[serde(default)]
    pub intervals: Intervals,
    /// Response times of right answers from the sending of the request, without the wait before it.
    pub raw_seconds: QuantileSummary,
    /// Response times of refusals, from the intended start to the last byte.
    pub refusal_seconds: QuantileSummary,
    /// Distribution of `response_seconds`: pairs of seconds and the share of answers within them.
    pub cdf: Vec<(f64, f64)>,
    /// The outcomes by path, most frequent first; paths beyond the 64th are together in "(others)".
    pub paths: Vec<PathReport>,
    /// Warm-up, the parts of the profile, and cool-down, in order of time.
    pub windows: Vec<WindowReport>,
    /// Number of answers with each status, over all attempts.
    pub statuses: BTreeMap<u16, u64>,
    /// Number of attempts without an answer, by reason.
    pub failures: BTreeMap<String, u64>,
    /// Number of attempts, retries included.
    pub attempts: u64,
    /// Attempts per scheduled request.
    pub amplification: f64,
    /// Requests under way.
    #[serde(flatten)]
    pub in_flight: InFlight,
    /// The lines of the trace that were skipped; `None` without a trace.
    #[serde(default)]
    pub trace: Option<SkippedLines>,
    /// Bytes of all answers, heads included.
    pub bytes_received: u64,
    /// Fairness among the clients of a closed loop; `None` in an open loop.
    pub fairness: Option<Fairness>,
    /// The report of the generator on itself.
    pub generator: GeneratorReport,
    /// The resources of the server's process; `None` without `--pid`.
    pub server: Option<crate::watch::ServerReport>,
    /// The time series; empty unless the plan asks for it (`seda step`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Bin>,
}

/// Requests under way, and the two sides of Little's law N = λR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InFlight {
    /// N: mean number of requests under way in the window, as the generator counts it.
    #[serde(rename = "in_flight_mean")]
    pub mean: f64,
    /// The most requests under way at once.
    #[serde(rename = "in_flight_max")]
    pub max: u64,
    /// R: mean time from intended start to end over requests with any outcome.
    pub sojourn_mean: Option<f64>,
}

/// Reads a number; `null` is NaN.
fn or_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Goodput under one SLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SloGoodput {
    /// The SLO.
    pub slo_seconds: f64,
    /// Requests of the window with a right answer within the SLO.
    pub good: u64,
    /// Right answers within the SLO that arrived within the window, per second.
    #[serde(deserialize_with = "or_nan")]
    pub goodput_per_second: f64,
}

/// The outcomes of one path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathReport {
    /// Method and path; without the query if the run has many targets.
    pub path: String,
    /// The outcomes of its requests.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Response times of right answers, from the intended start to the last byte.
    pub response_seconds: QuantileSummary,
}

/// One part of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WindowReport {
    /// "warm-up", "cool-down", or the part of the profile: "1400/s:10s".
    pub name: String,
    /// True if the window counts in the totals of the report.
    pub measured: bool,
    /// The beginning, since the run began.
    pub from_seconds: f64,
    /// The end, since the run began.
    pub to_seconds: f64,
    /// The outcomes of requests with an intended start in this part.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Scheduled requests per second.
    #[serde(deserialize_with = "or_nan")]
    pub offered_per_second: f64,
    /// Right answers that arrived within the window, per second.
    #[serde(deserialize_with = "or_nan")]
    pub throughput_per_second: f64,
    /// Good answers that arrived within the window, per second.
    #[serde(deserialize_with = "or_nan")]
    pub goodput_per_second: f64,
    /// Response times of right answers, from the intended start to the last byte.
    pub response_seconds: QuantileSummary,
}

/// A time slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bin {
    /// The beginning, since the run began.
    pub from_seconds: f64,
    /// The length of the slice.
    pub seconds: f64,
    /// The outcomes of requests with an intended start in this part.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Median of the response times of right answers, from the intended start; `None` without any.
    pub p50: Option<f64>,
    /// 99th percentile of the same response times.
    pub p99: Option<f64>,
}

/// Fairness among the clients of a closed loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fairness {
    /// Number of clients.
    pub clients: u64,
    /// Jain's index over the good answers: 1 if all clients got the same number, 1/clients if one
    /// got all (Jain, Chiu, Hawe 1984). `None` without good answers.
    pub jain: Option<f64>,
    /// The fewest good answers of a client.
    pub fewest: u64,
    /// The most good answers of a client.
    pub most: u64,
    /// True if every client got the 200 good answers that the index needs to be meaningful.
    pub enough: bool,
}

/// The report of the generator on itself, which tells whether the figures can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GeneratorReport {
    /// False if requests started so late that the load was not the one asked for.
    pub kept_schedule: bool,
    /// Why the schedule was not kept; `None` if it was.
    pub why_not: Option<String>,
    /// Times from the intended start of a request to its actual start.
    pub lag_seconds: QuantileSummary,
    /// Number of threads.
    pub threads: u64,
    /// CPU time of all threads over the whole run.
    pub cpu_seconds: f64,
    /// CPU time over wall time, of the busiest thread: 0 to 1.
    pub cpu_share: f64,
    /// Number of opened connections.
    pub connections_opened: u64,
    /// The most open connections at once.
    pub connections_max: u64,
    /// The limit of connections: the one asked for, or less if the process may not have enough
    /// descriptors (`ulimit -n`).
    pub connections_allowed: u64,
    /// Requests that waited for a connection, because all allowed ones were busy or their number
    /// may not grow faster. The wait is part of the response time.
    pub waited_for_connection: u64,
    /// Requests that were sent again because the server had closed a kept connection.
    pub resent: u64,
    /// Why the generator ended the run before its time; `None` if it did not.
    #[serde(default)]
    pub gave_up: Option<String>,
}
