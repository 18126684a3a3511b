//! The report of a sweep: rounds of runs, and one point for each load.

use super::response_spreads::ResponseSpreads;
use super::spread::Spread;
use crate::report::LoadReport;
use seda_core::report::StageReport;
use serde::{Deserialize, Serialize};

/// A sweep, as `seda sweep --json FILE` writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepReport {
    /// The name of the server in comparisons.
    pub name: String,
    /// The URL of the server.
    pub url: String,
    /// The command line.
    pub command: String,
    /// The SLOs, tightest first.
    pub slo_seconds: Vec<f64>,
    /// Time after which a client abandons an attempt.
    pub deadline_seconds: f64,
    /// Number of cores on which the generator may run.
    pub cores: u64,
    /// The capacity C: the best goodput at any load of a round.
    pub capacity_per_second: Spread,
    /// The highest offered load of a round that kept the SLO; `None` if none did.
    pub lambda_max: Option<LambdaMax>,
    /// One point for each load, ascending.
    pub points: Vec<Point>,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// True if the sweep was interrupted (Ctrl-C): the last round may lack loads.
    #[serde(default)]
    pub interrupted: bool,
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

/// The highest load that kept the SLO.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LambdaMax {
    /// Requests per second.
    pub per_second: Spread,
    /// The condition that a load must meet.
    pub definition: String,
}

/// One load, over all rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Point {
    /// Offered load as a multiple of the probed capacity of the round.
    pub multiple: f64,
    /// Scheduled requests per second.
    pub offered_per_second: Spread,
    /// Right answers per second, late ones included.
    pub throughput_per_second: Spread,
    /// Good answers per second.
    pub goodput_per_second: Spread,
    /// Goodput over the capacity of the round: 1 is the best.
    pub goodput_ratio: Spread,
    /// Goodput per second under each SLO, in the order of the sweep's SLOs.
    pub goodput_by_slo: Vec<Spread>,
    /// Response times of right answers; their keys are `mean`, `p50`, `p99` and `p999`.
    #[serde(flatten)]
    pub response: ResponseSpreads,
    /// 99th percentile of the response times of refusals.
    pub refusal_p99: Option<Spread>,
    /// Shares of the scheduled requests, 0 to 1, in the order good, late, refused, wrong, timed
    /// out, connect error, broken.
    pub shares: [f64; 7],
    /// N: requests under way, as the generator counts them.
    pub in_flight: Spread,
    /// λR, which equals N by Little's law. R is over requests with any outcome.
    pub rate_times_response: Spread,
    /// U: share of the time of its cores that the server used; `None` without `--pid`.
    pub utilization: Option<Spread>,
    /// D = U·cores/X: CPU seconds per answer; `None` without `--pid`.
    pub demand_seconds: Option<Spread>,
    /// D/(1−U): the mean response time of a single resource; `None` if saturated.
    pub predicted_mean: Option<f64>,
    /// The limit of the server, or why it could not be watched; `None` without `--pid`.
    pub verdict: Option<String>,
    /// False if the generator could not keep its schedule in some round.
    pub kept_schedule: bool,
    /// Seconds after the run until the server answered a single client within the SLO again; the
    /// longest wait if it never did.
    pub settled_after: Spread,
    /// Distribution of response times in the first round: seconds and the share within them.
    pub cdf: Vec<(f64, f64)>,
    /// The stages of a seda server at the end of the run, in the last round.
    pub stages: Vec<StagePoint>,
}

/// One stage of a seda server at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StagePoint {
    /// The name of the stage.
    pub name: String,
    /// Events in the queue.
    pub depth: u64,
    /// Workers of the pool.
    pub workers: u64,
    /// Utilization of the pool, 0 to 1.
    pub utilization: f64,
    /// Events handled during the run.
    pub handled: u64,
    /// Events refused during the run.
    pub refused: u64,
    /// Accepted events shed during the run.
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
    /// The probed capacity; the loads are multiples of it.
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
    /// Offered load as a multiple of the probed capacity.
    pub multiple: f64,
    /// The report of the generator, without windows and time series.
    pub load: LoadReport,
    /// Seconds after the run until the server answered a single client within the SLO again.
    pub settled_after: f64,
    /// Why the server's process could not be watched to the end: most likely it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwatched: Option<String>,
    /// The stages of a seda server.
    pub stages: Vec<StagePoint>,
}
