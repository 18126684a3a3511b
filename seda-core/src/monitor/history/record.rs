//! One second of a graph.

use crate::monitor::report::{
    BottleneckKind, ClassCounts, ClassReport, EdgeReport, GraphLoad, Report, StageReport,
    WindowTimes,
};
use crate::stage::Decision;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The decisions that a second keeps, as many as an operator reads: 4 MiB for all seconds.
pub(super) const DECISIONS_MOST: usize = 16;
/// The decisions of one controller among them. One that decides at every tick displaces no other.
const OF_ONE_CONTROLLER: usize = 4;

/// One second of a graph, or a little more.
///
/// Counts are of that second, and those of all seconds add up to those of the report. A field that
/// is zero or unknown is left out of the JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecondRecord {
    /// Its end, in seconds since the graph began.
    pub at: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// The requests.
    pub requests: RequestSecond,
    /// Events in use of the budget at its end.
    #[serde(skip_serializing_if = "is_default")]
    pub budget_used: u32,
    /// The most events inside.
    pub budget_limit: u32,
    /// What was offered over what the graph can serve, over its last ten seconds.
    pub load: GraphLoad,
    /// The kind of the bottleneck, over the last ten seconds.
    pub bottleneck: BottleneckKind,
    /// The stage of the bottleneck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck_stage: Option<String>,
    /// The newest decisions of the second, 16 at most and 4 of each controller, oldest first. One
    /// that was made late in a second may be in the next one, with its own time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Every stage, in the order of [`History::stages`](super::History::stages).
    pub stages: Vec<StageSecond>,
    /// Classes, edges and distributions; `None` for seconds before the last sixty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<SecondDetail>>,
}

/// The requests of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RequestSecond {
    /// Requests admitted.
    #[serde(skip_serializing_if = "is_default")]
    pub admitted: u32,
    /// Requests answered.
    #[serde(skip_serializing_if = "is_default")]
    pub answered: u32,
    /// Requests lost.
    #[serde(skip_serializing_if = "is_default")]
    pub lost: u32,
    /// Requests without an answer at its end.
    #[serde(skip_serializing_if = "is_default")]
    pub open: u32,
}

/// One second of a stage: 24 figures. Times are in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StageSecond {
    /// Its events.
    #[serde(flatten)]
    pub events: EventsSecond,
    /// Events queued at the end.
    #[serde(skip_serializing_if = "is_default")]
    pub depth: u32,
    /// The most events that may queue.
    pub capacity: u32,
    /// Events that workers handled at the end.
    #[serde(skip_serializing_if = "is_default")]
    pub in_hand: u32,
    /// Events deferred, held or delayed at the end.
    #[serde(skip_serializing_if = "is_default")]
    pub pending: u32,
    /// Its workers.
    #[serde(flatten)]
    pub workers: WorkersSecond,
    /// Time in its queue.
    #[serde(skip_serializing_if = "is_default")]
    pub wait: TimesSecond,
    /// Time in its handler.
    #[serde(skip_serializing_if = "is_default")]
    pub service: TimesSecond,
    /// Open requests that its gate counts.
    #[serde(skip_serializing_if = "is_default")]
    pub gate_bound: u32,
    /// The lowest limit of its gate; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_limit: Option<u32>,
}

/// The events of a stage in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventsSecond {
    /// Events sent to it.
    #[serde(skip_serializing_if = "is_default")]
    pub offered: u32,
    /// Events that entered it.
    #[serde(skip_serializing_if = "is_default")]
    pub accepted: u32,
    /// Events handled to the end.
    #[serde(skip_serializing_if = "is_default")]
    pub handled: u32,
    /// Events lost to a panic, or deferred and dropped.
    #[serde(skip_serializing_if = "is_default")]
    pub failed: u32,
    /// Events accepted and given up.
    #[serde(skip_serializing_if = "is_default")]
    pub shed: u32,
    /// Events given back to the sender.
    #[serde(skip_serializing_if = "is_default")]
    pub refused: u32,
    /// Requests refused at an entry on its behalf.
    #[serde(skip_serializing_if = "is_default")]
    pub turned_away: u32,
}

/// The workers of a stage in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WorkersSecond {
    /// Workers of its pool at the end.
    pub workers: u32,
    /// The most of them.
    pub workers_max: u32,
    /// Workers in a handler that does not return.
    #[serde(skip_serializing_if = "is_default")]
    pub stuck: u32,
    /// Mean number of workers that ran the stage.
    #[serde(skip_serializing_if = "is_default")]
    pub busy_workers: f32,
    /// Share of its pool's time that its workers spent on it, 0 to 1.
    #[serde(skip_serializing_if = "is_default")]
    pub utilization: f32,
}

/// A distribution of durations in one second, in seconds. `None` without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TimesSecond {
    /// The mean.
    pub mean: Option<f32>,
    /// The median.
    pub p50: Option<f32>,
    /// 99 % are at most this.
    pub p99: Option<f32>,
}

/// The part of a second that is kept for the last sixty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SecondDetail {
    /// Every class, in the order of [`History::classes`](super::History::classes).
    pub classes: Vec<ClassSecond>,
    /// Every edge, in the order of [`History::edges`](super::History::edges).
    pub edges: Vec<EdgeSecond>,
    /// By stage: the number of waits in each bucket of
    /// [`BUCKET_BOUNDS`](crate::stats::BUCKET_BOUNDS). Empty without any.
    pub waits: Vec<Vec<u32>>,
    /// By stage: the number of services in each bucket. Empty without any.
    pub services: Vec<Vec<u32>>,
}

/// One second of a class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClassSecond {
    /// Its SLO in seconds; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promised_seconds: Option<f32>,
    /// The number of response times in each bucket. Empty without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<u32>,
    /// Its events at every stage; those of its gate are not told by class.
    pub stages: Vec<EventsSecond>,
}

/// One second of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EdgeSecond {
    /// Events sent and accepted.
    #[serde(skip_serializing_if = "is_default")]
    pub sent: u32,
    /// Events refused.
    #[serde(skip_serializing_if = "is_default")]
    pub refused: u32,
}

impl SecondRecord {
    /// Returns the record of the time between two reports of a graph; without the first, of the
    /// time since the graph began. Its times, workers and utilization are those of the last second
    /// of the later report.
    pub fn between(then: Option<&Report>, now: &Report) -> Self {
        let (before, requests) = (then.map(|then| &then.requests), &now.requests);
        let lost = |lost: &BTreeMap<String, u64>| lost.values().sum::<u64>();
        Self {
            at: now.uptime_seconds,
            seconds: now.uptime_seconds - then.map_or(0.0, |then| then.uptime_seconds),
            requests: RequestSecond {
                admitted: since(requests.admitted, before.map(|before| before.admitted)),
                answered: since(requests.answered, before.map(|before| before.answered)),
                lost: since(lost(&requests.lost), before.map(|before| lost(&before.lost))),
                open: count(requests.open),
            },
            budget_used: size(now.budget.used),
            budget_limit: size(now.budget.limit),
            load: now.load(),
            bottleneck: now.bottleneck.kind,
            bottleneck_stage: now.bottleneck.stage.clone(),
            decisions: decided(then.map_or(&[][..], |then| &*then.journal), &now.journal),
            stages: zipped(&now.stages, then.map(|then| &*then.stages), StageSecond::between),
            detail: Some(Box::new(SecondDetail::between(then, now))),
        }
    }
}

impl StageSecond {
    fn between(then: Option<&StageReport>, now: &StageReport) -> Self {
        let window = &now.last_second;
        let gate = now.gate.as_ref();
        Self {
            events: EventsSecond::between(then, now),
            depth: size(now.queue.depth),
            capacity: size(now.queue.capacity),
            in_hand: count(now.in_hand),
            pending: count(now.pending),
            workers: WorkersSecond {
                workers: size(now.workers.now),
                workers_max: size(now.workers.max),
                stuck: size(now.workers.stuck),
                busy_workers: window.busy_workers as f32,
                utilization: window.utilization as f32,
            },
            wait: TimesSecond::of(&window.wait),
            service: TimesSecond::of(&window.service),
            gate_bound: gate.map_or(0, |gate| size(gate.bound)),
            gate_limit: gate.and_then(|gate| gate.limit).map(size),
        }
    }
}

impl EventsSecond {
    fn between(then: Option<&StageReport>, now: &StageReport) -> Self {
        let away = |stage: &StageReport| {
            stage.gate.as_ref().map_or(0, |gate| gate.turned_away.values().sum())
        };
        Self {
            offered: since(now.offered, then.map(|then| then.offered)),
            accepted: since(now.accepted, then.map(|then| then.accepted)),
            handled: since(now.handled, then.map(|then| then.handled)),
            failed: since(now.failed, then.map(|then| then.failed)),
            shed: since(sum(&now.shed), then.map(|then| sum(&then.shed))),
            refused: since(sum(&now.refused), then.map(|then| sum(&then.refused))),
            turned_away: since(away(now), then.map(away)),
        }
    }

    fn of_class(then: Option<&ClassCounts>, now: &ClassCounts) -> Self {
        Self {
            offered: since(now.offered, then.map(|then| then.offered)),
            accepted: since(now.accepted, then.map(|then| then.accepted)),
            handled: since(now.handled, then.map(|then| then.handled)),
            failed: since(now.failed, then.map(|then| then.failed)),
            shed: since(sum(&now.shed), then.map(|then| sum(&then.shed))),
            refused: since(sum(&now.refused), then.map(|then| sum(&then.refused))),
            turned_away: 0,
        }
    }
}

impl TimesSecond {
    fn of(window: &WindowTimes) -> Self {
        let short = |seconds: Option<f64>| seconds.map(|seconds| seconds as f32);
        Self { mean: short(window.mean), p50: short(window.p50), p99: short(window.p99) }
    }
}

impl SecondDetail {
    fn between(then: Option<&Report>, now: &Report) -> Self {
        let waits = |then: Option<&StageReport>, now: &StageReport| {
            let then = then.map(|then| &*then.wait_seconds.buckets);
            buckets(then, &now.wait_seconds.buckets)
        };
        let services = |then: Option<&StageReport>, now: &StageReport| {
            let then = then.map(|then| &*then.service_seconds.quantiles.buckets);
            buckets(then, &now.service_seconds.quantiles.buckets)
        };
        let classes = |then_class: Option<&ClassReport>, class: &ClassReport| {
            let responses = |report: &Report| {
                let response = report.response_seconds.get(&class.name)?;
                Some(response.quantiles.buckets.clone())
            };
            let before = then.and_then(responses);
            let stages = then_class.map(|then| &*then.stages);
            ClassSecond {
                promised_seconds: class.promised_seconds.map(|seconds| seconds as f32),
                responses: buckets(before.as_deref(), &responses(now).unwrap_or_default()),
                stages: zipped(&class.stages, stages, EventsSecond::of_class),
            }
        };
        let edges = |then: Option<&EdgeReport>, now: &EdgeReport| EdgeSecond {
            sent: since(now.sent, then.map(|then| then.sent)),
            refused: since(now.refused, then.map(|then| then.refused)),
        };
        let stages = then.map(|then| &*then.stages);
        Self {
            classes: zipped(&now.classes, then.map(|then| &*then.classes), classes),
            edges: zipped(&now.edges, then.map(|then| &*then.edges), edges),
            waits: zipped(&now.stages, stages, waits),
            services: zipped(&now.stages, stages, services),
        }
    }
}

/// Returns the newest decisions of a journal that its earlier state did not have, oldest first.
fn decided(then: &[Decision], now: &[Decision]) -> Vec<Decision> {
    let mut kept: Vec<&Decision> = Vec::new();
    for decision in now.iter().rev().filter(|decision| !has(then, decision)) {
        let same = kept.iter().filter(|kept| kept.controller == decision.controller);
        if same.count() < OF_ONE_CONTROLLER {
            kept.push(decision);
        }
        if kept.len() == DECISIONS_MOST {
            break;
        }
    }
    kept.into_iter().rev().cloned().collect()
}

/// Returns true if a journal, which is sorted by time, has a decision.
fn has(journal: &[Decision], decision: &Decision) -> bool {
    let earlier = journal.partition_point(|known| known.at_seconds < decision.at_seconds);
    let later = journal.iter().skip(earlier);
    later.take_while(|known| known.at_seconds <= decision.at_seconds).any(|it| it == decision)
}

/// Returns what `make` returns for each thing of now, with the same thing of then.
fn zipped<T, U>(now: &[T], then: Option<&[T]>, make: impl Fn(Option<&T>, &T) -> U) -> Vec<U> {
    let then = then.unwrap_or_default();
    now.iter().enumerate().map(|(n, now)| make(then.get(n), now)).collect()
}

/// Returns the records that each bucket has gained; nothing if none has.
fn buckets(then: Option<&[u64]>, now: &[u64]) -> Vec<u32> {
    let then = then.unwrap_or_default();
    let gained = zipped(now, Some(then), |then, now| since(*now, then.copied()));
    if gained.iter().all(|n| *n == 0) { Vec::new() } else { gained }
}

fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

/// Returns the growth of a count.
fn since(now: u64, then: Option<u64>) -> u32 {
    count(now.saturating_sub(then.unwrap_or(0)))
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn size(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
