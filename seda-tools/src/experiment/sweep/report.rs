//! What a sweep found out: rounds of runs, and one point for each load.

use crate::report::LoadReport;
use seda_core::report::StageReport;
use serde::{Deserialize, Serialize};

/// A sweep, as `seda sweep --json FILE` writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepReport {
    /// What to call it where several are laid side by side.
    pub name: String,
    /// Where the load went.
    pub url: String,
    /// What was typed.
    pub command: String,
    /// The SLOs, tightest first.
    pub slo_seconds: Vec<f64>,
    /// When a client gives up.
    pub deadline_seconds: f64,
    /// Processors that the generator may run on.
    pub cores: u64,
    /// Best goodput at any load, of each round: the capacity C.
    pub capacity_per_second: Spread,
    /// The highest offered load that kept the SLO, of each round; `None` if none did.
    pub lambda_max: Option<LambdaMax>,
    /// One for each load, ascending.
    pub points: Vec<Point>,
    /// The rounds as they were run.
    pub rounds: Vec<Round>,
}

impl SweepReport {
    /// Drops the details of the runs that would make the report many times larger.
    pub(super) fn drop_details(&mut self) {
        for run in self.rounds.iter_mut().flat_map(|round| &mut round.runs) {
            run.load.windows.clear();
            run.load.series.clear();
        }
    }
}

/// Median and range over the rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Spread {
    /// Of some figures; `None` of none. What is not a number is left out.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().filter(|f| f.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(high);
        let middle = sorted.len() / 2;
        let lower =
            if sorted.len().is_multiple_of(2) { at(middle.saturating_sub(1)) } else { at(middle) };
        Some(Self { median: (lower + at(middle)) / 2.0, low, high })
    }

    /// Describes the median and the range: "900/s (880/s to 910/s)".
    pub(crate) fn describe(&self, format: impl Fn(f64) -> String) -> String {
        format!("{} ({} to {})", format(self.median), format(self.low), format(self.high))
    }

    /// Whether the two ranges have a figure in common: then there is no difference to speak of.
    pub fn overlaps(&self, other: &Spread) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The most load under which the SLO held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LambdaMax {
    /// Requests per second.
    pub per_second: Spread,
    /// What "held" means.
    pub definition: String,
}

/// One load, over all rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Point {
    /// Offered load as a multiple of the capacity that the round's probe found.
    pub multiple: f64,
    /// Scheduled per second.
    pub offered_per_second: Spread,
    /// Right answers per second, late ones too.
    pub throughput_per_second: Spread,
    /// Good answers per second.
    pub goodput_per_second: Spread,
    /// Goodput over the round's capacity: 1 is as good as it ever was.
    pub goodput_ratio: Spread,
    /// Goodput per second under each SLO, in the order of the sweep's SLOs.
    pub goodput_by_slo: Vec<Spread>,
    /// Mean response time of right answers, from the intended start.
    pub mean: Option<Spread>,
    /// Median.
    pub p50: Option<Spread>,
    /// 99th percentile.
    pub p99: Option<Spread>,
    /// 99.9th percentile.
    pub p999: Option<Spread>,
    /// 99th percentile of the time to a refusal.
    pub refusal_p99: Option<Spread>,
    /// Shares of what was scheduled, 0 to 1, in the order good, late, refused, wrong, timed out,
    /// connect error, broken.
    pub shares: [f64; 7],
    /// N: requests under way, from the generator's own count.
    pub in_flight: Spread,
    /// λR: what Little's law says N should be. R is of all requests, however they ended.
    pub rate_times_response: Spread,
    /// U: share of the processors' time that the server used; with `--pid`.
    pub utilization: Option<Spread>,
    /// D = U·cores/X: seconds of CPU per answer; with `--pid`.
    pub demand_seconds: Option<Spread>,
    /// D/(1−U): what the mean would be if one resource were all there is.
    pub predicted_mean: Option<f64>,
    /// What limited it: with `--pid`, in words.
    pub verdict: Option<String>,
    /// False if in some round the generator could not keep its schedule.
    pub kept_schedule: bool,
    /// Seconds after the run until the server answered a single client within the SLO again;
    /// the most that was waited for where it never did.
    pub settled_after: Spread,
    /// Distribution of response times in the first round: seconds and the share no longer.
    pub cdf: Vec<(f64, f64)>,
    /// Where the server is seda's: its stages at the end of the run, in the last round.
    pub stages: Vec<StagePoint>,
}

/// One stage of a seda server at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StagePoint {
    /// Its name.
    pub name: String,
    /// Events in its queue.
    pub depth: u64,
    /// Its pool's workers.
    pub workers: u64,
    /// Share of its pool's time.
    pub utilization: f64,
    /// Events handled during the run.
    pub handled: u64,
    /// Events given back to their sender during the run.
    pub refused: u64,
    /// Accepted events given up during the run.
    pub shed: u64,
}

impl StagePoint {
    /// Returns the state of a stage, with its counts since the server started.
    pub(crate) fn of(stage: &StageReport) -> Self {
        Self {
            name: stage.name.clone(),
            depth: stage.queue.depth as u64,
            workers: stage.workers.now as u64,
            utilization: stage.utilization,
            handled: stage.handled,
            refused: stage.refused.values().sum(),
            shed: stage.shed.values().sum(),
        }
    }
}

/// One round: a probe for the capacity, then every load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Round {
    /// What the probe found; the loads are multiples of it.
    pub probed_per_second: f64,
    /// C: the best goodput at any load of the round.
    pub capacity_per_second: f64,
    /// The runs, in the order of the loads.
    pub runs: Vec<Run>,
}

/// One load of one round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Offered load as a multiple of what the probe found.
    pub multiple: f64,
    /// What the load generator saw, without windows and time series.
    pub load: LoadReport,
    /// Seconds after the run until the server answered a single client within the SLO again.
    pub settled_after: f64,
    /// Why the server's process could not be watched to the end: most likely it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwatched: Option<String>,
    /// Where the server is seda's: its stages.
    pub stages: Vec<StagePoint>,
}
