//! Refusals that no full resource explains: the budget, or a promise that is too short.

use crate::monitor::report::Report;
use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::diagnosis::holding::Held;
use crate::monitor::report::diagnosis::predict::bounded_utilization;
use crate::monitor::report::diagnosis::resource::{Resource, What};

/// Below this part of the requests a refusal is chance: a burst, a start.
const SOME: f64 = 0.02;
/// A resource that is used to this part explains refusals.
const FULL: f64 = 0.9;
/// The same for a lock. Its use is estimated from random arrivals of any number of users; a few
/// users meet less often.
const FULL_LOCK: f64 = 0.8;
/// A short queue costs utilization; a resource within this part of the predicted one is as full as
/// the bound lets it be.
const NEARLY: f64 = 0.93;
/// The same for a gate's own stage. Its limit is as low as the wait that it bounds, and lower where
/// bursts fill it at once.
const NEARLY_AT_ITS_GATE: f64 = 0.75;

/// A bound that refuses requests while every resource has room.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    /// `budget`, or `gate of` a stage.
    pub(super) name: String,
    /// The stage on whose behalf it refuses, by its place in the report.
    pub(super) stage: Option<usize>,
    /// The part of the requests that it refuses.
    pub(super) refused: f64,
}

impl Bound {
    /// Returns the offered requests over those it lets in.
    pub(super) fn load(&self) -> f64 {
        1.0 / (1.0 - self.refused).max(0.01)
    }
}

/// Returns the bound that limits the graph, if one does. `first` is the fullest resource, and
/// `busy` the load from which a resource is named.
pub(super) fn find(
    report: &Report,
    flows: &Flows,
    held: &[Held],
    first: Option<&Resource>,
    busy: f64,
) -> Option<Bound> {
    let bound = most_refused(report, flows).filter(|bound| bound.refused > SOME)?;
    let Some(first) = first.filter(|first| first.load() >= busy) else { return Some(bound) };
    // Without an SLO a gate refuses nothing before a queue stands, and what is full explains it.
    if bound.stage.is_some() && report.classes.iter().all(|c| c.promised_seconds.is_none()) {
        return None;
    }
    // A declared rate and the budget refuse by themselves.
    let is_rate = matches!(first.what, What::Rate | What::Budget) && first.load() >= 1.0;
    let full = if first.what == What::Lock { FULL_LOCK } else { FULL };
    let is_own = bound.stage.is_some_and(|stage| is_gate_of(report, stage, first));
    let nearly = if is_own { NEARLY_AT_ITS_GATE } else { NEARLY };
    let is_used = first.used >= full.min(nearly * reachable(report, held, first));
    (!is_rate && !is_used).then_some(bound)
}

/// Returns whether the gate of `stage` bounds the requests for a resource; replicas share one.
fn is_gate_of(report: &Report, stage: usize, resource: &Resource) -> bool {
    let group = |place: usize| report.stages.get(place)?.limits.replica_of.as_ref();
    stage == resource.stage || group(stage).is_some_and(|own| group(resource.stage) == Some(own))
}

/// Returns the utilization that a resource reaches with the little room that its queue and the SLO
/// leave: a queue of few events is sometimes empty, also under overload.
fn reachable(report: &Report, held: &[Held], first: &Resource) -> f64 {
    let Some(stage) = report.stages.get(first.stage) else { return 1.0 };
    let slo = report.classes.iter().filter_map(|class| class.promised_seconds);
    let slo = slo.fold(f64::INFINITY, f64::min);
    let service = held.get(first.stage).map_or(0.0, Held::worker);
    let in_time = if service > 0.0 { first.servers * slo / service } else { f64::INFINITY };
    let queue = stage.queue.soft.min(stage.queue.capacity);
    let room = in_time.min(queue as f64 + first.servers);
    // Bursts fill the room at once: by so much less are they smoothed (diffusion approximation of
    // G/G/c/K: the room counts in units of the variation).
    let window = &stage.last_ten_seconds;
    let dispersions = report.stages.iter().filter_map(|s| s.last_ten_seconds.dispersion);
    let arrivals = dispersions.fold(1.0, f64::max);
    let variation = f64::midpoint(arrivals, window.service.variation.unwrap_or(1.0)).max(1.0);
    let waiting = (room - first.servers).max(0.0) / variation;
    bounded_utilization(first.servers, first.servers + waiting, first.load())
}

/// Returns the bound that refuses most.
fn most_refused(report: &Report, flows: &Flows) -> Option<Bound> {
    let part = |n: u64| n as f64 / flows.entered.max(1) as f64;
    let budget = report
        .stages
        .iter()
        .map(|stage| stage.last_ten_seconds.refused.get("budget").copied().unwrap_or(0));
    let budget = Bound { name: "budget".to_owned(), stage: None, refused: part(budget.sum()) };
    let gates = report.stages.iter().enumerate();
    let gate = gates.max_by_key(|(_, stage)| stage.last_ten_seconds.turned_away);
    let gate = gate.map(|(place, stage)| Bound {
        name: format!("gate of {}", stage.name),
        stage: Some(place),
        refused: part(stage.last_ten_seconds.turned_away),
    });
    let bounds = gate.into_iter().chain([budget]);
    bounds.max_by(|a, b| a.refused.total_cmp(&b.refused))
}
