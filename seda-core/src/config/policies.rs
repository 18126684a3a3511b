//! Policies.

use crate::config::units;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// Who gives way at the graph's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl FromStr for OverloadPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::LongestQueue, Self::TailDrop, Self::Random, Self::None];
        all.into_iter().find(|policy| policy.to_string() == text).ok_or_else(|| {
            format!("`{text}` is no policy: write longest_queue, tail_drop, random or none")
        })
    }
}

impl fmt::Display for OverloadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LongestQueue => "longest_queue",
            Self::TailDrop => "tail_drop",
            Self::Random => "random",
            Self::None => "none",
        })
    }
}

/// Which law admits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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

impl Law {
    /// All there are.
    pub const ALL: [Law; 4] = [Law::DrainRate, Law::Aimd, Law::Credits, Law::Gradient];
}

impl FromStr for Law {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Law::ALL.into_iter().find(|law| law.to_string() == text).ok_or_else(|| {
            format!("`{text}` is no law: write drain_rate, aimd, credits or gradient")
        })
    }
}

impl<'de> Deserialize<'de> for Law {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        units::word(from, "\"drain_rate\", \"aimd\", \"credits\" or \"gradient\"")
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Law::DrainRate => "drain_rate",
            Law::Aimd => "aimd",
            Law::Credits => "credits",
            Law::Gradient => "gradient",
        })
    }
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
    /// The first setting that a graph cannot have: its key, its value and what is allowed.
    pub(crate) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        let Self { threshold, least, of } = *self;
        // What is no number is within nothing; nothing exceeds a utilization of 1.
        if !(threshold > 0.0 && threshold < 1.0) {
            return Some(("control.hot.threshold", threshold.to_string(), "above 0 and below 1"));
        }
        if !(2..=MOST_OBSERVATIONS).contains(&of) {
            return Some(("control.hot.of", of.to_string(), "2 to 1000 observations"));
        }
        let allowed = "1 to `control.hot.of`";
        (!(1..=of).contains(&least)).then(|| ("control.hot.least", least.to_string(), allowed))
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
