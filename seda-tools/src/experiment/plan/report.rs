//! The report of a plan.

use seda_sim::plan::{Analysis, Forecast};
use serde::{Deserialize, Serialize};

/// A forecast of a change, as `seda plan --json FILE` writes it. Times are in seconds, rates per
/// second.
///
/// `Display` gives a page of text of 80 columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The name of the graph.
    pub graph: String,
    /// The command line.
    pub command: String,
    /// The changes, as flags, with those that a search has found.
    pub changes: Vec<String>,
    /// The number of runs behind each range.
    pub runs: u32,
    /// The graph as it was measured, as it is simulated, and as it would be.
    pub comparison: Comparison,
    /// Where the simulation of the unchanged graph is off by more than a tenth.
    pub errors: Vec<ModelError>,
    /// What the forecast cannot know, one sentence each.
    pub blind_spots: Vec<String>,
    /// The SLO that was asked for.
    pub slo_seconds: Option<f64>,
    /// Whether all runs of the changed graph meet it; `None` without one.
    pub meets_slo: Option<bool>,
    /// The result of a search; `None` without one.
    pub search: Option<SearchReport>,
}

/// A graph as it was measured, as it is simulated, and as it would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// As it was measured, over the last ten seconds of the report.
    pub measured: Measured,
    /// Simulated without a change.
    pub before: Side,
    /// Simulated with all changes; `None` without one. Its ranges also hold the error of `before`
    /// against what was measured.
    pub after: Option<Side>,
}

/// A simulated graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Side {
    /// Cores of the machine.
    pub cores: usize,
    /// The simulated seconds of each run.
    pub seconds: f64,
    /// The figures of all runs.
    pub forecast: Forecast,
    /// The same by closed forms.
    pub analysis: Analysis,
}

/// A measured graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measured {
    /// The length of the window.
    pub seconds: f64,
    /// Requests offered, per second.
    pub offered: f64,
    /// Answers per second; where nothing is answered, events accepted from outside.
    pub throughput: f64,
    /// Median response time; `None` without an answer.
    pub p50: Option<f64>,
    /// The response time that 99 % of the answers kept.
    pub p99: Option<f64>,
    /// The stages, in order of declaration.
    pub stages: Vec<MeasuredStage>,
    /// The bottleneck: its resource and its kind.
    pub bottleneck: String,
    /// The load of that resource.
    pub load: f64,
    /// Requests per second at which it is full.
    pub full_at: Option<f64>,
}

/// One measured stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasuredStage {
    /// Its name.
    pub name: String,
    /// The share of its pool's time that its events took.
    pub utilization: f64,
}

/// A figure in which the simulation is off from what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelError {
    /// The figure: `answered/s`, `p50`, `p99`.
    pub figure: String,
    /// By what share the simulated figure is above the measured one, -1 and more.
    pub above: f64,
}

/// The cheapest change that meets an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchReport {
    /// The SLO.
    pub slo_seconds: f64,
    /// The rate at which it has to be met.
    pub rate: f64,
    /// The changes, as flags; none if it is met already.
    pub changes: Vec<String>,
    /// Their price; `None` if no change meets the SLO.
    pub price: Option<f64>,
    /// Why no change meets it.
    pub reason: Option<String>,
}
