//! Class.

use serde::{Deserialize, Serialize};

/// The most classes a graph may declare. Every class costs a lane in each queue and a histogram
/// in each report, and a label value in each metric; eight is more than any policy uses.
pub(crate) const MAX_CLASSES: usize = 8;

/// Priority and share of an event: an index into the classes its graph declares, highest first.
///
/// Set at the entry, inherited by everything that a handler sends.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Class(u8);

impl Class {
    /// The first, most important class; the only one unless the graph declares more.
    pub const HIGHEST: Class = Class(0);

    /// The class at `index` in the order of declaration. A graph treats an index beyond its
    /// declared classes as its last class.
    pub const fn new(index: u8) -> Self {
        Class(index)
    }

    /// The position in the order of declaration; 0 is the most important.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether this class gives way to `other`.
    pub const fn is_lower_than(self, other: Class) -> bool {
        self.0 > other.0
    }

    /// This class, or the last one a graph with `classes` classes has.
    pub(crate) fn within(self, classes: usize) -> Self {
        let last = classes.clamp(1, MAX_CLASSES) - 1;
        Class(self.0.min(u8::try_from(last).unwrap_or(u8::MAX)))
    }
}

/// One figure per class.
pub(crate) type PerClass<T> = [T; MAX_CLASSES];

/// A class of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassConfig {
    /// Its name in reports and metrics.
    pub name: String,
    /// How many events it may take out of a queue per turn of the round robin.
    pub weight: u32,
}
