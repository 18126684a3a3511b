//! The table of `docs/metastable.md`: after which triggers a server stays down, for the specs of
//! `examples/lab/metastable`. One cell of each map is run with one seed; virtual time is exact, so
//! the result is the same on every machine. `seda lab` runs all cells with many seeds.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::study::{Cell, Summary, Trial, Variant, read_maps};
use std::path::Path;

const SEED: u64 = 1;

/// The cell of a map: its load, and the size and the seconds of its trigger.
type Place = (f64, Option<f64>, f64);

/// Checks that seda is upright in a cell of a map, and that the servers which stay down are `down`.
#[track_caller]
fn check(map: usize, place: Place, down: &[Variant]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab/metastable");
    let map = &read_maps(&folder).unwrap()[map - 1];
    let is_it = |cell: &&Cell| (cell.load, cell.size, cell.length_seconds) == place;
    let spec = map.spec_at(*map.cells.iter().find(is_it).unwrap()).unwrap();
    let mut stuck = Vec::new();
    for variant in Variant::ALL {
        let trial = Trial::run(&variant.apply(spec.clone()), SEED).unwrap();
        assert!(trial.untriggered > 0.9, "{variant:?} needs no trigger: {trial:?}");
        if variant == Variant::Seda {
            assert!(Summary::of(&[trial]).is_upright(), "{trial:?}");
        }
        stuck.extend(trial.is_stuck().then_some(variant));
    }
    assert_eq!(stuck, down, "{}", map.title);
}

/// Servers that only queue.
const QUEUES: [Variant; 2] = [Variant::Off, Variant::SpawnBlocking];
/// Those, and a limit of concurrency whose timeout is longer than that of the clients.
const AND_AIMD: [Variant; 3] = [Variant::Off, Variant::SpawnBlocking, Variant::Aimd];

#[test]
fn a_fall_of_the_capacity_outlives_itself_in_queues_and_not_in_seda() {
    check(1, (0.7, Some(0.8), 5.0), &AND_AIMD);
}

#[test]
fn a_rise_of_the_load_outlives_itself_in_queues_and_not_in_seda() {
    check(2, (0.4, Some(1.6), 10.0), &AND_AIMD);
}

#[test]
fn a_stall_of_the_workers_outlives_itself_in_queues_and_not_in_seda() {
    check(3, (0.625, None, 1.0), &QUEUES);
}

#[test]
fn a_lost_cache_keeps_queues_down_and_not_seda() {
    check(4, (0.95, Some(1.0), 10.0), &AND_AIMD);
}

#[test]
fn services_that_lengthen_each_other_keep_queues_down_and_not_seda() {
    check(5, (0.6, Some(1.0), 5.0), &AND_AIMD);
}

#[test]
fn a_ramp_with_retries_keeps_queues_down_and_not_seda() {
    check(6, (0.9, Some(1.0), 10.0), &QUEUES);
}
