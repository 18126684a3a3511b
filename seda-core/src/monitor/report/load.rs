//! The load of a graph: what is offered over what it can serve, and the time to drain.

use super::{Report, StageReport};
use serde::{Deserialize, Serialize};

/// The offered load of a graph over its capacity, over the last ten seconds:
/// [`Report::load`](crate::Report::load).
///
/// It is the signal to scale by: 2 says that twice the servers would be full. What was refused
/// counts as offered, so it goes on rising where queues, utilization and throughput end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GraphLoad {
    /// Events from outside per second, accepted or refused.
    pub offered_per_second: f64,
    /// The rate of such events at which the graph is full; `None` if too few came to tell.
    pub capacity_per_second: Option<f64>,
    /// The load: 1 is full. If too few events came to tell the capacity, or handlers do not return,
    /// it is the utilization of the busiest pool, 0 to 1.
    pub ratio: f64,
}

impl Report {
    /// Returns the seconds in which the slowest queue drains at its present rate: 0 if nothing is
    /// queued, infinite if a queue does not drain. It is the base of a Retry-After.
    pub fn drain_seconds(&self) -> f64 {
        drain_seconds(&self.stages)
    }
}

fn drain_seconds(stages: &[StageReport]) -> f64 {
    let queued = stages.iter().filter(|stage| stage.queue.depth > 0);
    let seconds = queued.map(|stage| stage.queue.depth as f64 / stage.throughput_per_second);
    seconds.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_queue_decides_how_long_a_graph_drains() {
        assert_eq!(drain_seconds(&[]), 0.0);
        let mut stages = [(0, 0.0), (10, 100.0), (30, 10.0)].map(|(depth, throughput)| {
            let mut stage = StageReport::default();
            (stage.queue.depth, stage.throughput_per_second) = (depth, throughput);
            stage
        });
        assert_eq!(drain_seconds(&stages), 3.0);
        stages[2].throughput_per_second = 0.0;
        assert!(drain_seconds(&stages).is_infinite());
    }
}
