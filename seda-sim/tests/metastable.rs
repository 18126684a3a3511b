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

/// One cell of a map, and the servers that stay down after its trigger.
struct Case {
    /// The number of the map, from 1.
    map: usize,
    load: f64,
    size: Option<f64>,
    seconds: f64,
    down: &'static [Variant],
}

const UNBOUNDED: &[Variant] = &[Variant::Off, Variant::SpawnBlocking];
const UNTUNED: &[Variant] = &[Variant::Off, Variant::SpawnBlocking, Variant::Aimd];

const CASES: [Case; 6] = [
    Case { map: 1, load: 0.7, size: Some(0.8), seconds: 5.0, down: UNTUNED },
    Case { map: 2, load: 0.4, size: Some(1.6), seconds: 10.0, down: UNTUNED },
    Case { map: 3, load: 0.625, size: None, seconds: 1.0, down: UNBOUNDED },
    // A cache is lost at a load that a cold one just serves: only seeds with a burst go down.
    Case { map: 4, load: 0.95, size: Some(1.0), seconds: 10.0, down: &[] },
    Case { map: 5, load: 0.6, size: Some(1.0), seconds: 5.0, down: UNTUNED },
    Case { map: 6, load: 0.9, size: Some(1.0), seconds: 10.0, down: UNBOUNDED },
];

#[test]
fn seda_is_back_after_each_trigger_and_servers_that_only_queue_are_not() {
    let maps = maps();
    for case in &CASES {
        let map = &maps[case.map - 1];
        for variant in Variant::ALL {
            let summary = trials(map, (case.load, case.size, case.seconds), variant);
            println!("{} {}: {summary:?}", map.title, variant.as_str());
            let is_down = case.down.contains(&variant);
            if is_down || matches!(variant, Variant::Seda | Variant::Slo) {
                assert_eq!(summary.stuck.len(), if is_down { 3 } else { 0 }, "{summary:?}");
            }
        }
    }
}
