//! What a step found out: the time series, pooled over the repeats, and how long recovery took.

use crate::experiment::sweep::Spread;
use crate::report::Bin;
use serde::{Deserialize, Serialize};

/// A profile driven several times, as `seda step --json FILE` writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// What to call it where several are laid side by side.
    pub name: String,
    /// Where the load went.
    pub url: String,
    /// What was typed.
    pub command: String,
    /// The first SLO.
    pub slo_seconds: f64,
    /// When a client gives up.
    pub deadline_seconds: f64,
    /// Runs pooled.
    pub repeats: u64,
    /// The parts of the profile, in order.
    pub parts: Vec<PartReport>,
    /// Counts are sums over the repeats; quantiles are of all repeats' answers together.
    pub bins: Vec<Bin>,
    /// One for each change of rate.
    pub recoveries: Vec<Recovery>,
    /// False if in some run the generator could not keep its schedule.
    pub kept_schedule: bool,
}

/// One part of the profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartReport {
    /// As in the profile: "1400/s:10s".
    pub name: String,
    /// When it begins.
    pub from_seconds: f64,
    /// When it ends.
    pub to_seconds: f64,
    /// Offered, per second.
    pub offered_per_second: Spread,
    /// Good answers per second.
    pub goodput_per_second: Spread,
    /// Median of the right answers' response times.
    pub p50: Option<Spread>,
    /// 99th percentile of the right answers' response times.
    pub p99: Option<Spread>,
}

/// What followed a change of rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovery {
    /// The change: "900/s -> 1400/s".
    pub change: String,
    /// When it came.
    pub at_seconds: f64,
    /// Seconds until the p99 of every later bin of the part was within the SLO; `None` if it never
    /// came to that.
    pub p99_within_slo_after: Option<f64>,
    /// Seconds until goodput was back at 97 % of what it was in the first part (or of the offered
    /// load, where that is less) and stayed there on average until the part ended; `None` if never.
    pub goodput_back_after: Option<f64>,
}
