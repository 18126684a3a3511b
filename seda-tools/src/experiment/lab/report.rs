//! The report of a lab.

use seda_sim::study::{Cell, Summary, Variant};
use serde::{Deserialize, Serialize};

/// The maps of a lab, as `seda lab --json FILE` writes them. `Display` gives the maps and a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabReport {
    /// The maps.
    pub maps: Vec<MapReport>,
}

/// A map for each server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapReport {
    /// The number of the map, from 1.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// The capacity that its loads are shares of.
    pub capacity_per_second: f64,
    /// The servers, in the order of the plan.
    pub variants: Vec<VariantReport>,
}

/// The trials of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantReport {
    /// The server.
    pub variant: Variant,
    /// All trials together.
    pub all: Summary,
    /// The cells of the map, in its order.
    pub cells: Vec<CellReport>,
}

/// The trials of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// The cell.
    pub cell: Cell,
    /// Its trials.
    pub summary: Summary,
}

impl LabReport {
    /// Returns whether a server is upright on all maps: no trial is stuck, all are back within two
    /// seconds, and none is amplified by more than a tenth.
    pub fn is_upright(&self, variant: Variant) -> bool {
        let own = self.maps.iter().flat_map(|map| &map.variants);
        own.filter(|of| of.variant == variant).all(|of| of.all.is_upright())
    }
}
