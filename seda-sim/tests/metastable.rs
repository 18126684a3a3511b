//! The table of `docs/metastable.md`: after which triggers a server stays down, for the specs of
//! `examples/lab/metastable`. One cell of each map is run, with a few seeds; virtual time is exact,
//! so the result is the same on every machine.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::study::{Cell, Map, Summary, Trial, Variant, read_maps};
use std::path::Path;

/// The trials of each cell.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn maps() -> Vec<Map> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab/metastable");
    read_maps(&folder).unwrap()
}

/// Returns the trials of the cell with this load, size and length.
fn trials(map: &Map, (load, size, seconds): (f64, Option<f64>, f64), variant: Variant) -> Summary {
    let is_it = |cell: &&Cell| (cell.load, cell.size, cell.length_seconds) == (load, size, seconds);
    let cell = map.cells.iter().find(is_it).unwrap();
    let spec = variant.apply(map.spec_at(*cell).unwrap());
    let trials: Vec<_> = SEEDS.map(|seed| Trial::run(&spec, seed).unwrap()).collect();
    Summary::of(&trials)
}
