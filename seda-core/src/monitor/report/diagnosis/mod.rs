//! Finds the bottleneck by operational analysis (Denning and Buzen, "The operational analysis of
//! queueing network models", ACM Computing Surveys 10(3), 1978), as a pure function of the report.
//!
//! - `flow`: what would come to each stage if nothing were refused on the way.
//! - `holding`: how long an event holds a worker, a core, a place outside.
//! - `resource`: the resources of a graph, each with its demand, its servers and its load.
//! - `predict`: waits and response times from loads and variances.
//! - `admission`: refusals that no resource explains.
//! - `advice`: what to do, and what it gives.
//! - `verdict`: which resource is named, its kind, and the evidence.
//!
//! Loads are of *offered* requests. A utilization ends at 1, so of two full stages in a row it
//! names either; and admission at the entry hides what is in demand.

mod admission;
mod advice;
mod flow;
mod holding;
mod predict;
mod resource;
#[cfg(test)]
mod tests;
mod verdict;

use crate::monitor::report::{Bottleneck, BottleneckKind, GraphLoad, Report};
use flow::Flows;
use holding::Held;
use predict::{Model, wait_of};

impl Report {
    /// Finds what limits the graph, from the windows of the last ten seconds and one second.
    ///
    /// [`Report::bottleneck`] is the result of this at the time of the report. Call it for a report
    /// that was read from a file or changed.
    pub fn diagnose(&self) -> Bottleneck {
        verdict::find(self)
    }

    /// Returns the load that is offered to the graph, refused events included, over its capacity.
    ///
    /// ```
    /// # use seda_core::{Graph, ManualClock};
    /// # use std::sync::Arc;
    /// # let mut graph = Graph::new("pages");
    /// # let draw = graph.stage::<u64>("draw", 8);
    /// # graph.attach_each(draw, |_wire| |_page, _cx| {})?;
    /// # let graph = graph.start_manual(Arc::new(ManualClock::new()))?;
    /// // Nothing was offered yet.
    /// assert_eq!(graph.report().load().ratio, 0.0);
    /// # Ok::<(), seda_core::GraphError>(())
    /// ```
    pub fn load(&self) -> GraphLoad {
        let offered_per_second = Flows::of(self).entering;
        let Bottleneck { kind, load, max_rate, .. } = &self.bottleneck;
        if matches!(kind, BottleneckKind::CannotTell | BottleneckKind::Stuck) {
            let used = self.stages.iter().map(|stage| stage.last_ten_seconds.utilization);
            let ratio = used.fold(0.0, f64::max);
            return GraphLoad { offered_per_second, capacity_per_second: None, ratio };
        }
        let capacity_per_second = max_rate.map(|rate| rate.per_second);
        GraphLoad { offered_per_second, capacity_per_second, ratio: *load }
    }

    /// Fills in the figures of each stage that follow from others.
    pub(super) fn fill_flows(&mut self) {
        let flows = Flows::of(self);
        let held: Vec<Held> = self.stages.iter().map(Held::of).collect();
        let model = Model::of(self, &flows, &held);
        let waits: Vec<Option<f64>> =
            (0..self.stages.len()).map(|stage| wait_of(self, &model, stage)).collect();
        let figures = flows.per_second.iter().zip(&held).zip(waits);
        for (stage, ((rate, held), wait)) in self.stages.iter_mut().zip(figures) {
            let visits = if flows.entering > 0.0 { rate / flows.entering } else { 0.0 };
            let window = &stage.last_ten_seconds;
            let demand = visits * held.worker();
            let servers = stage.workers.now as f64;
            let residence = window.wait.mean.zip(window.outside_seconds.or(window.service.mean));
            let residence = residence.map(|(wait, service)| wait + service);
            let left = window.served + window.failed;
            let left = if window.seconds > 0.0 { left as f64 / window.seconds } else { 0.0 };
            stage.flow.visits = visits;
            stage.flow.offered_per_second = *rate;
            stage.flow.demand_seconds = demand;
            stage.flow.max_rate = (demand > 0.0).then(|| servers / demand);
            stage.flow.residence_seconds = residence;
            stage.flow.little_error = residence.map(|time| window.occupancy - left * time);
            stage.flow.predicted_wait_seconds = wait;
        }
    }
}
