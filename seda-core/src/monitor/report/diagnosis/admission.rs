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
/// A gate's short queue costs utilization; a resource within this part of the predicted one is as
/// full as the promise lets it be.
const NEARLY: f64 = 0.93;

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
    // A declared rate and the budget refuse by themselves.
    let is_rate = matches!(first.what, What::Rate | What::Budget) && first.load() >= 1.0;
    let is_used = first.used >= FULL.min(NEARLY * reachable(report, held, first));
    (!is_rate && !is_used).then_some(bound)
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
    let arrivals = window.dispersion.unwrap_or(1.0);
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
