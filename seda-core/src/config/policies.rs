//! Policies.

use crate::config::error::SettingFault;
use crate::config::units;
use crate::config::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who gives way at the graph's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverloadPolicy {
    /// The longest queue: expired events, then its lowest class, oldest first, down to the
    /// length of the second-longest queue or 16 events, whichever comes first.
    #[default]
    LongestQueue,
    /// The newest event of the lowest class in the queue that the newcomer is bound for.
    TailDrop,
    /// Any queued event, each with the same probability.
    Random,
    /// Nobody: the newcomer is refused.
    None,
}

words! {
    OverloadPolicy is "an overload policy":
    LongestQueue => "longest_queue",
    TailDrop => "tail_drop",
    Random => "random",
    None => "none",
}

/// Which law admits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Law {
    /// `DrainRate`.
    #[default]
    DrainRate,
    /// `Aimd`.
    Aimd,
    /// `Credits`.
    Credits,
    /// `Gradient`.
    Gradient,
}

words! {
    Law is "a law of admission":
    DrainRate => "drain_rate",
    Aimd => "aimd",
    Credits => "credits",
    Gradient => "gradient",
}

/// Settings of a `Hotspot`; every one has a default. A graph's are `control.hot`, for the
/// utilization of its pools.
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
    /// A value above this is hot. For a utilization 0.9: beyond it an M/M/1 queue is nine events
    /// long and doubles with each further 5 %. For a wait over its target: 1.
    pub threshold: f64,
    /// So many of the last `of` observations must be hot, and as many cool to be so no more.
    #[serde(deserialize_with = "units::count")]
    pub least: usize,
    /// How many observations are remembered, 2 at least.
    #[serde(deserialize_with = "units::count")]
    pub of: usize,
}

impl Default for HotspotConfig {
    /// For a utilization, observed ten times a second: three of the last five, half a second. One
    /// slow event makes one tick hot, two in a row are chance still.
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

/// The most observations of a pool that are worth remembering: at ten a second a minute and a half.
pub(crate) const MOST_OBSERVATIONS: usize = 1_000;
