//! A place on a map.

use serde::{Deserialize, Serialize};

/// A place on a map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cell {
    /// The load beside the trigger, as a share of the capacity.
    pub load: f64,
    /// The size of the trigger: the lost share of the capacity or of the cache, or the further load
    /// as a multiple of the capacity. `None`: its kind of fault has no size.
    pub size: Option<f64>,
    /// The length of the trigger, in seconds.
    pub length_seconds: f64,
}
