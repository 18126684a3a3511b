//! A snapshot of a graph: its ledgers, every stage with tail quantiles, and the bottleneck.
//!
//! [`Report`] is plain data. Programs read it through serde, the operator as `Display`, and
//! [`Report::to_dot`] draws it. Fields may be added, with `#[serde(default)]` so that older reports
//! can still be read; none is removed or changes its meaning.

mod bottleneck;
mod build;
mod declared;
mod diagnosis;
mod display;
mod dot;
mod flow;
mod load;
mod measure;
mod window;

pub use bottleneck::{Bottleneck, BottleneckKind, Expected, NextBottleneck, RateEstimate};
pub use declared::{MachineReport, StageLimits};
pub use flow::StageFlow;
pub use load::GraphLoad;
pub use window::{
    BlockedIn, BlockedWait, BurstFigures, EdgeWindow, Holding, LockReport, StageWindow, WindowTimes,
};

use crate::stage::Decision;
use crate::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A snapshot of a graph.
///
/// Counts are since the graph began; rates and shares are over the last `window_seconds`. Times are
/// in seconds, rates in events per second. `Display` writes a table of stages, the bottleneck and
/// the last decisions.
///
/// ```
/// # use seda_core::{Context, Graph, ManualClock, each};
/// # use std::sync::Arc;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut graph = Graph::new("pages");
/// # let draw = graph.stage::<u64>("draw", 8);
/// # graph.attach(draw, |_wire| || Ok(each(|_page: u64, _cx: &mut Context| {})))?;
/// # let pages = graph.source(draw)?;
/// # let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// # pages.send(1)?;
/// # graph.run_until_idle();
/// let report = graph.report();
/// assert_eq!((report.events.accepted, report.events.handled), (1, 1));
/// assert_eq!(report.stages[0].name, "draw");
/// assert!(!report.bottleneck.kind.is_found());
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The graph's name.
    pub graph: String,
    /// Seconds since the graph began.
    pub uptime_seconds: f64,
    /// Seconds over which rates and shares are taken.
    pub window_seconds: f64,
    /// The ledger of events, over all stages.
    pub events: EventLedger,
    /// The ledger of requests.
    pub requests: RequestLedger,
    /// The graph's budget.
    pub budget: BudgetReport,
    /// Time from a request's admission to its answer, by class.
    pub response_seconds: BTreeMap<String, ResponseReport>,
    /// Every class, highest first: its SLO, and its answers in the window.
    pub classes: Vec<ClassReport>,
    /// Every stage, in order of declaration.
    pub stages: Vec<StageReport>,
    /// Every edge.
    pub edges: Vec<EdgeReport>,
    /// The last 64 decisions of each controller, oldest first. The valve's evictions are one
    /// decision for each stage and tick or report, with the time of the first eviction.
    pub journal: Vec<Decision>,
    /// Number of decisions that did not reach a subscriber of the journal, because it lagged.
    #[serde(default)]
    pub journal_missed: u64,
    /// The machine under the graph.
    #[serde(default)]
    pub machine: MachineReport,
    /// The locks that workers waited for, the most contended first. Empty without procfs.
    #[serde(default)]
    pub locks: Vec<LockReport>,
    /// What limits the graph, over the last ten seconds.
    #[serde(default, deserialize_with = "bottleneck::read")]
    pub bottleneck: Bottleneck,
    /// The five tenants that send the most requests, the one with the most first. Empty if no
    /// request had a [tenant](crate::SendOptions::tenant).
    #[serde(default)]
    pub heaviest_tenants: Vec<TenantReport>,
}

/// Events over all stages: accepted = handled + shed + failed + queued + in hand + pending, and
/// offered = accepted + refused. An event that a handler sends on is offered again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventLedger {
    /// Events sent to a stage.
    pub offered: u64,
    /// Events that entered a stage.
    pub accepted: u64,
    /// Events given back to the sender.
    pub refused: u64,
    /// Events handled to the end.
    pub handled: u64,
    /// Events accepted and given up.
    pub shed: u64,
    /// Events lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Events queued now.
    pub queued: u64,
    /// Events that workers handle now.
    pub in_hand: u64,
    /// Events deferred, held or delayed now.
    pub pending: u64,
}

/// Requests: admitted = answered + lost + open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestLedger {
    /// Requests admitted.
    pub admitted: u64,
    /// Requests answered.
    pub answered: u64,
    /// Requests lost, by reason.
    pub lost: BTreeMap<String, u64>,
    /// Requests without an answer now.
    pub open: u64,
}

/// The graph's budget, in events and in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetReport {
    /// Events in use now.
    pub used: usize,
    /// The most events. A limit set below the present use takes effect once the use has fallen.
    pub limit: usize,
    /// Bytes in use now, counted at the stages that weigh their events.
    pub bytes_used: u64,
    /// The most bytes.
    pub bytes_limit: u64,
}

/// One class, over the report's window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassReport {
    /// Its name.
    pub name: String,
    /// Its SLO: the response time that 99 % of its answers must keep. `None` without an SLO.
    pub promised_seconds: Option<f64>,
    /// Its requests that were answered.
    pub answered: u64,
    /// The 90th percentile of their response times; `None` without an answer.
    pub p90_seconds: Option<f64>,
    /// The response times of its answers over the last ten seconds.
    #[serde(default)]
    pub last_ten_seconds: WindowTimes,
    /// Its events at every stage, in order of declaration.
    #[serde(default)]
    pub stages: Vec<ClassCounts>,
}

/// The events of one class at one stage, since the graph began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClassCounts {
    /// Events sent to it.
    pub offered: u64,
    /// Events that entered it.
    pub accepted: u64,
    /// Events handled to the end.
    pub handled: u64,
    /// Events lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Events given back to the sender, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Events accepted and given up, by reason.
    pub shed: BTreeMap<String, u64>,
}

/// Response times of one class, since the graph began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseReport {
    /// Quantiles, mean and count.
    #[serde(flatten)]
    pub quantiles: QuantileSummary,
    /// The cumulative distribution: pairs of a time in seconds and the number of responses within
    /// it.
    pub cdf: Vec<(f64, u64)>,
}

/// One stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// The pool that runs it.
    pub pool: String,
    /// Its queue now.
    pub queue: QueueReport,
    /// Its pool's workers now.
    pub workers: WorkersReport,
    /// The most events that a worker takes at once now.
    pub batch: usize,
    /// Events accepted per second.
    pub arrivals_per_second: f64,
    /// Events that left it per second: handled, failed or shed.
    pub throughput_per_second: f64,
    /// Share of its pool's time that workers spent on it, 0 to 1.
    pub utilization: f64,
    /// Whether its pool's utilization is above the threshold of `control.hot` (90 % by default),
    /// and stays there.
    pub hot: bool,
    /// Share of its busy time on a core; `None` without procfs.
    pub cpu_share: Option<f64>,
    /// Share of its busy time spent waiting for a core; `None` without procfs.
    pub runqueue_share: Option<f64>,
    /// Share of its busy time in which it was blocked: the rest. `None` without procfs.
    pub blocked_share: Option<f64>,
    /// Mean number of events in it: queued, in hand and pending.
    pub occupancy: f64,
    /// Time in its queue, since the graph began.
    pub wait_seconds: QuantileSummary,
    /// Time in its handler, since the graph began.
    pub service_seconds: ServiceReport,
    /// Events sent to it.
    pub offered: u64,
    /// Events that entered it.
    pub accepted: u64,
    /// Events handled to the end.
    pub handled: u64,
    /// Events given back to the sender, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Events accepted and given up, by reason.
    pub shed: BTreeMap<String, u64>,
    /// Events handled although CoDel would have shed them, because `control.queue_delay` observes.
    pub spared: u64,
    /// Events lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Events queued now.
    pub queued: u64,
    /// Events that workers handle now.
    pub in_hand: u64,
    /// Events deferred, held or delayed now.
    pub pending: u64,
    /// The number of events outside at which no further event is dequeued
    /// ([`StageConfig::outstanding`](crate::config::StageConfig::outstanding)); `None` where only
    /// `pending` bounds them.
    pub outstanding: Option<usize>,
    /// Pending events that its handlers keep
    /// ([`Context::hold`](crate::worker::context::Context::hold)).
    pub held: u64,
    /// Pending events that are due later
    /// ([`Context::send_after`](crate::worker::context::Context::send_after)).
    pub delayed: u64,
    /// Bytes of the events in it; `None` if it does not weigh them.
    pub bytes: Option<u64>,
    /// Share of its events that went to its busiest shard, 0 to 1. Above 1 / workers, that shard
    /// limits the stage. `None` if the stage is not keyed.
    pub busiest_shard_share: Option<f64>,
    /// Its gate; `None` while no SLO is in force.
    pub gate: Option<GateReport>,
    /// Service time that earlier stages spent on events shed here.
    pub wasted_seconds: f64,
    /// Its declared bounds.
    #[serde(default)]
    pub limits: StageLimits,
    /// Its figures over the last second.
    #[serde(default)]
    pub last_second: StageWindow,
    /// Its figures over the last ten seconds.
    #[serde(default)]
    pub last_ten_seconds: StageWindow,
    /// Its place in the flow of requests, over the last ten seconds.
    #[serde(default)]
    pub flow: StageFlow,
    /// What its workers were blocked in, the most frequent first. Empty without samples.
    #[serde(default)]
    pub blocked_in: Vec<BlockedIn>,
}

/// A stage's gate: it limits the requests inside the graph on behalf of this stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateReport {
    /// Open requests with the stage on their route.
    pub bound: usize,
    /// The lowest limit of all classes; `None` without a limit.
    pub limit: Option<usize>,
    /// The declared cost of these requests, in their own unit.
    pub cost: u64,
    /// The lowest limit of that cost; `None` without declared costs.
    pub cost_limit: Option<u64>,
    /// Requests refused at the entry on behalf of this stage, by class. The entry counts them, too,
    /// as refused for `admission`.
    pub turned_away: BTreeMap<String, u64>,
    /// Queued requests that were shed for a request of a higher class.
    #[serde(default)]
    pub gave_way: u64,
    /// Classes with an SLO that no setting can meet, because services alone take longer.
    #[serde(default)]
    pub cannot_keep: Vec<String>,
}

/// A stage's queue, in events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueReport {
    /// Events queued now.
    pub depth: usize,
    /// Above this depth no event is admitted.
    pub soft: usize,
    /// The hard bound. A capacity set below the depth takes effect once the depth has fallen.
    pub capacity: usize,
}

/// A pool's workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkersReport {
    /// Workers now.
    pub now: usize,
    /// The lower bound.
    pub min: usize,
    /// The upper bound.
    pub max: usize,
    /// Workers that are stuck in a handler; they do not count as workers.
    pub stuck: usize,
}

/// Service times of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceReport {
    /// Quantiles, mean and count.
    #[serde(flatten)]
    pub quantiles: QuantileSummary,
    /// How they were measured.
    pub resolution: Resolution,
    /// The time that workers spent in the stage since the graph began, with that of running events.
    #[serde(default)]
    pub busy_seconds: f64,
}

/// How service times were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Each event was timed.
    #[default]
    Event,
    /// Some batches were too fast for that: their mean counts for each event.
    BatchMean,
}

/// One edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EdgeReport {
    /// The stage it leaves; `None` for an edge from outside.
    pub from: Option<String>,
    /// The stage it enters.
    pub to: String,
    /// Events sent and accepted.
    pub sent: u64,
    /// Events refused.
    pub refused: u64,
    /// True if senders over it wait for room.
    #[serde(default)]
    pub waits: bool,
    /// Its counts over the last second.
    #[serde(default)]
    pub last_second: EdgeWindow,
    /// Its counts over the last ten seconds.
    #[serde(default)]
    pub last_ten_seconds: EdgeWindow,
}

/// One tenant, over the last ten seconds or so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantReport {
    /// Its key as 16 hexadecimal digits. `none`: all requests without a key. `new`: all requests
    /// with a key that was not known when the entry refused them.
    pub tenant: String,
    /// Requests per second that it sends to one stage; of several, the highest.
    pub offered_per_second: f64,
    /// The share of them that the stage's gate refuses, 0 to 1.
    pub refused_share: f64,
}
