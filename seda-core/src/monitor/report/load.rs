//! The load of a graph: what is offered over what it can serve.

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
