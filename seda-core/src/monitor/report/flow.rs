//! Figures of a stage that follow from others by operational laws.

use serde::{Deserialize, Serialize};

/// A stage in the flow of requests, over the last ten seconds. A *request of the graph* is an event
/// from outside, accepted or refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StageFlow {
    /// Visit ratio: events that would come here per request of the graph if none were refused.
    pub visits: f64,
    /// λ: events per second that would come here if none were refused on the way.
    pub offered_per_second: f64,
    /// D: seconds that a worker is held here per request of the graph.
    pub demand_seconds: f64,
    /// Requests of the graph per second at which the stage's workers are full; `None` if it has no
    /// demand.
    pub max_rate: Option<f64>,
    /// R: mean time from entering the stage to leaving it, in seconds.
    pub residence_seconds: Option<f64>,
    /// N − λR, in events, where N is the measured occupancy and λ the rate of events that left.
    /// Far from zero means that the window is not steady or that a figure is wrong.
    pub little_error: Option<f64>,
    /// The mean wait that the measured variances predict for this utilization (G/G/c, Allen and
    /// Cunneen), in seconds. The measured one is `last_ten_seconds.wait.mean`. `None` without
    /// events, and at a utilization of 1.
    pub predicted_wait_seconds: Option<f64>,
}
