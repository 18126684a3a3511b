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
    /// `budget`, or `promise of` a stage.
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
    // A declared rate is full by itself.
    let is_rate = first.what == What::Rate && first.load() >= 1.0;
    let slo = report.classes.iter().filter_map(|class| class.promised_seconds);
    let slo = slo.fold(f64::INFINITY, f64::min);
    let service = held.get(first.stage).map_or(0.0, Held::worker);
    let by_promise = bound.stage.is_some() && slo.is_finite() && service > 0.0;
    let reachable = if by_promise {
        let room = (first.servers * slo / service).min(100_000.0);
        bounded_utilization(first.servers, room, first.load())
    } else {
        1.0
    };
    let is_used = first.used >= FULL.min(NEARLY * reachable);
    (!is_rate && !is_used).then_some(bound)
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
        name: format!("promise of {}", stage.name),
        stage: Some(place),
        refused: part(stage.last_ten_seconds.turned_away),
    });
    let bounds = gate.into_iter().chain([budget]);
    bounds.max_by(|a, b| a.refused.total_cmp(&b.refused))
}
