//! Every controller on clocks that stand still, go back, jump, and on ticks that come late.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod plant;
#[path = "../support/mod.rs"]
mod support;

use plant::{Against, Plant, TICK};
use seda_core::Begun;
use std::sync::atomic::Ordering;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// What a clock does, and how.
type Happens = (&'static str, fn(&mut Plant));

/// Between two stretches of usual traffic.
const CLOCKS: [Happens; 6] = [
    ("stands still between two ticks", |plant| {
        plant.tick();
        let before = plant.sizes();
        // What has waited is served in no time, and more comes.
        let service = plant.service.swap(0, Ordering::Relaxed);
        for _ in 0..5 {
            plant.come();
            plant.steps(10);
            plant.tick();
        }
        plant.service.store(service, Ordering::Relaxed);
        assert_eq!(plant.sizes(), before, "nothing is known of a rate in no time");
    }),
    ("is set back by a minute", |plant| {
        plant.come();
        plant.clock.set_back(Duration::from_secs(60));
        let before = plant.sizes();
        plant.tick();
        assert_eq!(plant.sizes(), before, "nothing is known of a rate in less than no time");
    }),
    ("is set back while events are in hand, queued and outside", |plant| {
        plant.come();
        plant.steps(20);
        plant.clock.set_back(TICK / 3);
        plant.answer();
        plant.come();
        plant.run(3);
        plant.clock.set_back(HOUR);
        plant.answer();
    }),
    ("jumps an hour forward", |plant| {
        plant.come();
        plant.clock.advance(HOUR);
        plant.tick();
        plant.come();
        plant.clock.advance(HOUR);
        plant.answer();
    }),
    ("has a tick that is late by 5 s", |plant| {
        for _ in 0..50 {
            plant.come();
            plant.steps(30);
            plant.answer();
        }
        plant.clock.advance(Duration::from_secs(5));
        plant.tick();
    }),
    ("has an hour without traffic", |plant| {
        plant.answer();
        plant.graph.run_until_idle();
        plant.answer();
        for tick in 0..36_000 {
            plant.clock.advance(TICK);
            plant.graph.tick();
            if tick % 1_000 == 0 {
                plant.tick();
            }
        }
    }),
];

#[test]
fn whatever_the_clock_does_bounds_hold_ledgers_balance_and_the_graph_goes_on() {
    for against in [Against::Admission, Against::CoDel] {
        for (what, happens) in CLOCKS {
            let mut plant = Plant::new(against);
            plant.run(30);
            plant.heat();
            happens(&mut plant);
            let before = plant.tick().events.handled;
            plant.run(30);
            let handled = plant.tick().events.handled - before;
            // In 3 s `work` alone can do 300.
            assert!(handled > 200, "{against:?}: the clock {what}: {handled}");
            let acted = plant.end();
            let mut expected = vec!["pool_size", "outstanding", "batch_size", "hotspot"];
            expected.push(if against == Against::CoDel { "codel" } else { "admission" });
            for controller in expected {
                assert!(acted.contains(controller), "{against:?}: {controller} of {acted:?}");
            }
        }
    }
}

/// One event has waited, is taken, and ends in a tick of no length, as on a clock that ticks
/// coarsely; others have come and wait.
#[test]
fn no_pool_jumps_because_a_tick_had_no_length() {
    let mut plant = Plant::new(Against::CoDel);
    plant.clock.advance(TICK);
    plant.tick();
    plant.come();
    plant.clock.advance(TICK / 2);
    let mut workers = plant.graph.take_workers();
    assert!(workers.iter_mut().all(|worker| matches!(worker.begin(), Begun::Batch { .. })));
    plant.clock.advance(TICK / 2);
    plant.tick();
    plant.service.store(0, Ordering::Relaxed);
    plant.come();
    let before = plant.sizes();
    let ended: usize = workers.iter_mut().map(|worker| worker.complete()).sum();
    assert!(ended > 2, "{ended}");
    plant.answer();
    plant.tick();
    assert_eq!(plant.sizes(), before);
    // Nothing of it is lost: it counts in the next tick that has a length.
    plant.clock.advance(TICK);
    plant.tick();
    let (workers_now, outstanding, _) = plant.sizes();
    assert!(workers_now > before.0 && outstanding > before.1, "{workers_now} {outstanding}");
    plant.graph.put_back(workers);
    plant.end();
}
