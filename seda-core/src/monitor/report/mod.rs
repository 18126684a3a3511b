//! A snapshot of a graph: every stage, tails, ledgers, and the bottleneck by name.
//!
//! [`Report`] is plain data: serde for programs, `Display` for people, [`Report::to_dot`] for
//! pictures. Its fields are stable: new ones may come, none goes or changes its meaning.

mod bottleneck;
mod build;
mod display;
mod dot;

use crate::stage::Decision;
use crate::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A snapshot of a graph. Counts are since the graph began; rates and shares are over the last
/// `window_seconds`. Times are in seconds, rates in events per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The graph's name.
    pub graph: String,
    /// Seconds since the graph began.
    pub uptime_seconds: f64,
    /// Seconds that rates and shares are taken over.
    pub window_seconds: f64,
    /// The ledger of events, over all stages.
    pub events: EventLedger,
    /// The ledger of requests.
    pub requests: RequestLedger,
    /// How full the graph is.
    pub budget: BudgetReport,
    /// Time from a request's admission to its answer, by class.
    pub response_seconds: BTreeMap<String, ResponseReport>,
    /// Every class, highest first: what was promised, and how it was kept lately.
    pub classes: Vec<ClassReport>,
    /// Every stage, in order of declaration.
    pub stages: Vec<StageReport>,
    /// Every edge; `from` is `null` for those from outside.
    pub edges: Vec<EdgeReport>,
    /// The last 64 decisions of each controller, oldest first. What the valve does is one of them
    /// for each tick, or report, and stage, with the time of the first eviction.
    pub journal: Vec<Decision>,
    /// How often a subscriber of the journal violated a decision, as it lagged behind.
    #[serde(default)]
    pub journal_missed: u64,
    /// The stage that limits the graph, if one does.
    pub bottleneck: Option<Bottleneck>,
}

/// Events over all stages: accepted = handled + shed + failed + queued + in hand + pending, and
/// offered = accepted + refused. An event sent on is offered anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventLedger {
    /// Sent to a stage.
    pub offered: u64,
    /// Taken.
    pub accepted: u64,
    /// Given back to the sender.
    pub refused: u64,
    /// Handled to the end.
    pub handled: u64,
    /// Accepted and given up.
    pub shed: u64,
    /// Lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Waiting now.
    pub queued: u64,
    /// In a worker's hand now.
    pub in_hand: u64,
    /// Being handled outside now.
    pub pending: u64,
}

/// Requests: admitted = answered + lost + open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestLedger {
    /// Taken in.
    pub admitted: u64,
    /// Answered.
    pub answered: u64,
    /// Given up, by reason.
    pub lost: BTreeMap<String, u64>,
    /// Waiting for their answer now.
    pub open: u64,
}

/// The graph's budget, in events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetReport {
    /// In use now.
    pub used: usize,
    /// The most that may be: the budget, or what is left in use since it was set lower than that.
    pub limit: usize,
    /// Bytes in use now, of the events that are weighed.
    pub bytes_used: u64,
    /// The most bytes that may be.
    pub bytes_limit: u64,
}

/// A class over the report's window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassReport {
    /// Its name.
    pub name: String,
    /// The response time that 99 % of its answers are to keep; `None` if nothing was promised.
    pub promised_seconds: Option<f64>,
    /// How many of its requests were answered.
    pub answered: u64,
    /// 90 % of these took no longer; `None` if there were none.
    pub p90_seconds: Option<f64>,
}

/// Response times of one class, since the graph began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseReport {
    /// Quantiles, mean and count.
    #[serde(flatten)]
    pub quantiles: QuantileSummary,
    /// Pairs of seconds and how many responses took no longer.
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
    /// Its queue, now.
    pub queue: QueueReport,
    /// Its pool's workers, now.
    pub workers: WorkersReport,
    /// The most events that a worker takes at once, now.
    pub batch: usize,
    /// Events accepted per second.
    pub arrivals_per_second: f64,
    /// Events that left it per second, however they ended.
    pub throughput_per_second: f64,
    /// Share of its pool's time in which it was run, 0 to 1.
    pub utilization: f64,
    /// Whether its pool's utilization is above 90 %, or what `control.hot` says, and stays there
    /// ([`crate::control::hotspot::Hotspot`]).
    pub hot: bool,
    /// Share of its busy time on a core; unknown without procfs.
    pub cpu_share: Option<f64>,
    /// Share of its busy time spent waiting for a core.
    pub runqueue_share: Option<f64>,
    /// The rest of its busy time: blocked.
    pub blocked_share: Option<f64>,
    /// Mean number of events in it: queued, in hand, pending.
    pub occupancy: f64,
    /// Time in its queue, since the graph began.
    pub wait_seconds: QuantileSummary,
    /// Time in its handler, since the graph began.
    pub service_seconds: ServiceReport,
    /// Sent to it.
    pub offered: u64,
    /// Taken.
    pub accepted: u64,
    /// Handled to the end.
    pub handled: u64,
    /// Given back to the sender, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Accepted and given up, by reason.
    pub shed: BTreeMap<String, u64>,
    /// Begun, although its CoDel would have given them up: `control.queue_delay` only observes.
    pub spared: u64,
    /// Lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Waiting now.
    pub queued: u64,
    /// In a worker's hand now.
    pub in_hand: u64,
    /// Being handled outside now, held, or sent for later.
    pub pending: u64,
    /// How many may be outside before nothing more is taken; `None` where only `pending` bounds
    /// them ([`crate::config::StageConfig::outstanding`]).
    pub outstanding: Option<usize>,
    /// Of the pending ones, those that its handlers keep ([`crate::worker::context::Context::hold`]).
    pub held: u64,
    /// Of the pending ones, those that are to come later ([`crate::worker::context::Context::send_after`]).
    pub delayed: u64,
    /// Bytes of the events in it, if it weighs them.
    pub bytes: Option<u64>,
    /// Share of all its events that had a key of its busiest shard, 0 to 1, if it is keyed. Above
    /// 1 / workers that shard limits the stage.
    pub busiest_shard_share: Option<f64>,
    /// Its gate, while it admits by an SLO.
    pub gate: Option<GateReport>,
    /// Service that earlier stages spent on events shed here.
    pub wasted_seconds: f64,
}

/// A stage's gate: which requests may enter the graph as far as this stage is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateReport {
    /// Requests that will visit the stage, are in it or have left it, and have not ended.
    pub bound: usize,
    /// How many of the highest class may be; `None` while nothing was measured.
    pub limit: Option<usize>,
    /// What these requests declared to cost, in their own unit.
    pub cost: u64,
    /// How much of it may be of the highest class; `None` where nothing is declared.
    pub cost_limit: Option<u64>,
    /// Requests refused at the entry on behalf of this stage, by class. The entry counts them, too:
    /// as refused for `admission`.
    pub turned_away: BTreeMap<String, u64>,
    /// Queued requests of a lower class that were given up for one of a higher.
    #[serde(default)]
    pub gave_way: u64,
    /// The classes to which more was promised than any setting can keep: services alone take longer.
    #[serde(default)]
    pub cannot_keep: Vec<String>,
}

/// A stage's queue, in events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueReport {
    /// Queued now.
    pub depth: usize,
    /// Above this nothing is admitted.
    pub soft: usize,
    /// The hard bound: the capacity, or what is left since that was set lower than what was held.
    pub capacity: usize,
}

/// A pool's workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkersReport {
    /// How many there are.
    pub now: usize,
    /// Never fewer.
    pub min: usize,
    /// Never more.
    pub max: usize,
    /// How many are stuck in a handler and do not count.
    pub stuck: usize,
}

/// Service times of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceReport {
    /// Quantiles, mean and count.
    #[serde(flatten)]
    pub quantiles: QuantileSummary,
    /// How finely they were measured.
    pub resolution: Resolution,
}

/// How finely service times were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Every event by itself.
    #[default]
    Event,
    /// Some batches were too fast for that: their mean counts for each of their events.
    BatchMean,
}

/// One edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EdgeReport {
    /// The stage it leaves; `None` for outside.
    pub from: Option<String>,
    /// The stage it enters.
    pub to: String,
    /// Events sent and taken.
    pub sent: u64,
    /// Events refused.
    pub refused: u64,
}

/// The stage that limits the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bottleneck {
    /// Its name.
    pub stage: String,
    /// The evidence.
    pub why: String,
}
