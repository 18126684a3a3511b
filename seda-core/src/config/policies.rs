//! Choices of a policy or a law, each written as one word, and the settings of hotspots.

use crate::config::fault::SettingFault;
use crate::config::units;
use crate::config::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The victim of the overload valve at the graph's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverloadPolicy {
    /// The longest queue: its expired events, then its lowest class, oldest first, down to the
    /// length of the second-longest queue or 16 events, whichever comes first.
    #[default]
    LongestQueue,
    /// The newest event of the lowest class in the queue that the new event is sent to.
    TailDrop,
    /// A queued event drawn at random, each with the same probability.
    Random,
    /// No queued event: the new one is refused.
    None,
}

words! {
    OverloadPolicy is "an overload policy":
    LongestQueue => "longest_queue",
    TailDrop => "tail_drop",
    Random => "random",
    None => "none",
}

/// The law by which admission sets its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Law {
    /// The backlog that drains within the SLO, from the measured service.
    #[default]
    DrainRate,
    /// Additive increase, multiplicative decrease on the 90th percentile (Welsh and Culler 2003).
    Aimd,
    /// Credits for requests, by the queueing delay measured (after Breakwater).
    Credits,
    /// Scales the limit by the ratio of the shortest to the current response time.
    Gradient,
}

words! {
    Law is "a law of admission":
    DrainRate => "drain_rate",
    Aimd => "aimd",
    Credits => "credits",
    Gradient => "gradient",
}

/// Settings of the hotspot detector: when a pool is hot, by its utilization. Every one has a
/// default; the key in a file is `control.hot`.
///
/// ```toml
/// [graph.control]
/// hotspot = "observe"
/// hot = { threshold = 0.8, least = 6, of = 10 }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table like { threshold = 0.9, least = 3, of = 5 }"
)]
pub struct HotspotConfig {
    /// A utilization above this is hot. Default: 0.9, beyond which an M/M/1 queue holds nine events
    /// and doubles with each further 5 %.
    pub threshold: f64,
    /// The number of hot observations among the last `of` that flags the pool; the same number of
    /// cool ones clears it.
    #[serde(deserialize_with = "units::count")]
    pub least: usize,
    /// The number of observations remembered, 2 to 1,000.
    #[serde(deserialize_with = "units::count")]
    pub of: usize,
}

impl Default for HotspotConfig {
    /// Three of the last five ticks, half a second: one slow event makes one tick hot, and two in a
    /// row can still be chance.
    fn default() -> Self {
        Self { threshold: 0.9, least: 3, of: 5 }
    }
}

impl HotspotConfig {
    /// Checks every setting against its bounds.
    ///
    /// # Errors
    /// The first setting that is out of bounds.
    pub(super) fn check(&self) -> Result<(), SettingFault> {
        let Self { threshold, least, of } = *self;
        // NaN is in no range; no utilization exceeds 1.
        if !(threshold > 0.0 && threshold < 1.0) {
            let allowed = "above 0 and below 1";
            return Err(SettingFault::new("control.hot.threshold", threshold, allowed));
        }
        if !(2..=MOST_OBSERVATIONS).contains(&of) {
            return Err(SettingFault::new("control.hot.of", of, "2 to 1000 observations"));
        }
        if !(1..=of).contains(&least) {
            return Err(SettingFault::new("control.hot.least", least, "1 to `control.hot.of`"));
        }
        Ok(())
    }
}

impl fmt::Display for HotspotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threshold, least, of } = self;
        write!(f, "{least} of {of} above {threshold}")
    }
}

/// The largest [`HotspotConfig::of`]: at ten observations a second, a minute and a half.
pub(crate) const MOST_OBSERVATIONS: usize = 1_000;
