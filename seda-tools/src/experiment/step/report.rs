//! The report of a step: the pooled time series, and the times of recovery.

use crate::experiment::sweep::Spread;
use crate::report::{Bin, WindowReport};
use serde::{Deserialize, Serialize};

/// A profile that was run several times, as `seda step --json FILE` writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The name of the server in comparisons.
    pub name: String,
    /// The URL of the server.
    pub url: String,
    /// The command line.
    pub command: String,
    /// The first SLO.
    pub slo_seconds: f64,
    /// Time after which a client abandons an attempt.
    pub deadline_seconds: f64,
    /// Number of pooled runs.
    pub repeats: u64,
    /// The parts of the profile, in order.
    pub parts: Vec<PartReport>,
    /// The time series: counts are sums over the runs, quantiles are over the answers of all runs.
    pub bins: Vec<Bin>,
    /// One recovery for each change of rate.
    pub recoveries: Vec<Recovery>,
    /// False if the generator could not keep its schedule in some run.
    pub kept_schedule: bool,
}

/// One part of the profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartReport {
    /// The part as in the profile: "1400/s:10s".
    pub name: String,
    /// The beginning, since the run began.
    pub from_seconds: f64,
    /// The end, since the run began.
    pub to_seconds: f64,
    /// Scheduled requests per second.
    pub offered_per_second: Spread,
    /// Good answers per second.
    pub goodput_per_second: Spread,
    /// Median of the response times of right answers.
    pub p50: Option<Spread>,
    /// 99th percentile of the same response times.
    pub p99: Option<Spread>,
}

impl PartReport {
    /// Returns a part over all runs; `None` without runs.
    pub(super) fn of(runs: &[&WindowReport]) -> Option<Self> {
        let spread = |figure: fn(&WindowReport) -> Option<f64>| {
            Spread::of(runs.iter().filter_map(|run| figure(run)))
        };
        let first = runs.first()?;
        Some(Self {
            name: first.name.clone(),
            from_seconds: first.from_seconds,
            to_seconds: first.to_seconds,
            offered_per_second: spread(|run| Some(run.offered_per_second))?,
            goodput_per_second: spread(|run| Some(run.goodput_per_second))?,
            p50: spread(|run| run.response_seconds.p50),
            p99: spread(|run| run.response_seconds.p99),
        })
    }

    /// Returns the name and the figure of the quantiles that the text of the part states.
    pub(super) fn main_quantiles(&self) -> [(&'static str, Option<Spread>); 1] {
        [("p99", self.p99)]
    }
}

/// The recovery after a change of rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovery {
    /// The change: "900/s -> 1400/s".
    pub change: String,
    /// The time of the change, since the run began.
    pub at_seconds: f64,
    /// Seconds until the p99 of every later bin of the part was within the SLO; `None` if that did
    /// not happen.
    pub p99_within_slo_after: Option<f64>,
    /// Seconds until goodput was back at 97 % of that of the first part (or of the offered load, if
    /// that is less) and stayed there on average until the part ended; `None` if that did not
    /// happen.
    pub goodput_back_after: Option<f64>,
}
