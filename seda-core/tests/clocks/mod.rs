//! All controllers on clocks that stand still, are set back or jump, and with late ticks.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod plant;

use plant::{Plant, QueueControl, TICK};
use seda_core::Begun;
use std::sync::atomic::Ordering;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// An anomaly of a clock: its description, and its action on the plant.
type Anomaly = (&'static str, fn(&mut Plant));

/// Each happens between two periods of ordinary traffic.
const ANOMALIES: [Anomaly; 6] = [
    ("stands still between two ticks", |plant| {
        plant.tick();
        let before = plant.sizes();
        // Queued events are served in zero time, and more arrive.
        let service = plant.service.swap(0, Ordering::Relaxed);
        for _ in 0..5 {
            plant.arrive();
            plant.steps(10);
            plant.tick();
        }
        plant.service.store(service, Ordering::Relaxed);
        assert_eq!(plant.sizes(), before, "a tick of zero length has no rate");
    }),
    ("is set back by a minute", |plant| {
        plant.arrive();
        plant.clock.set_back(Duration::from_secs(60));
        let before = plant.sizes();
        plant.tick();
        assert_eq!(plant.sizes(), before, "a tick of negative length has no rate");
    }),
    ("is set back while events are in hand, queued and outside", |plant| {
        plant.arrive();
        plant.steps(20);
        plant.clock.set_back(TICK / 3);
        plant.answer();
        plant.arrive();
        plant.run(3);
        plant.clock.set_back(HOUR);
        plant.answer();
    }),
    ("jumps an hour forward", |plant| {
        plant.arrive();
        plant.clock.advance(HOUR);
        plant.tick();
        plant.arrive();
        plant.clock.advance(HOUR);
        plant.answer();
    }),
    ("has a tick that is 5 s late", |plant| {
        for _ in 0..50 {
            plant.arrive();
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
fn under_every_clock_anomaly_bounds_hold_ledgers_balance_and_the_graph_continues() {
    for control in [QueueControl::Admission, QueueControl::CoDel] {
        for (description, happen) in ANOMALIES {
            let mut plant = Plant::new(control);
            plant.run(30);
            plant.heat();
            happen(&mut plant);
            let before = plant.tick().events.handled;
            plant.run(30);
            let handled = plant.tick().events.handled - before;
            // `work` alone can handle 300 events in 3 s.
            assert!(handled > 200, "{control:?}: the clock {description}: {handled}");
            let acted = plant.end();
            let mut expected = vec!["pool_size", "outstanding", "batch_size", "hotspot"];
            let codel = control == QueueControl::CoDel;
            expected.push(if codel { "codel" } else { "admission" });
            for controller in expected {
                assert!(acted.contains(controller), "{control:?}: {controller} of {acted:?}");
            }
        }
    }
}

/// Queued events are taken and end in a tick of zero length, as on a coarse clock, while other
/// events wait.
#[test]
fn no_pool_grows_because_of_a_tick_of_zero_length() {
    let mut plant = Plant::new(QueueControl::CoDel);
    plant.clock.advance(TICK);
    plant.tick();
    plant.arrive();
    plant.clock.advance(TICK / 2);
    let mut workers = plant.graph.take_workers();
    assert!(workers.iter_mut().all(|worker| matches!(worker.begin(), Begun::Batch { .. })));
    plant.clock.advance(TICK / 2);
    plant.tick();
    plant.service.store(0, Ordering::Relaxed);
    plant.arrive();
    let before = plant.sizes();
    let ended: usize = workers.iter_mut().map(|worker| worker.complete()).sum();
    assert!(ended > 2, "{ended}");
    plant.answer();
    plant.tick();
    assert_eq!(plant.sizes(), before);
    // No figure is lost: all count in the next tick that has a length.
    plant.clock.advance(TICK);
    plant.tick();
    let after = plant.sizes();
    assert!(
        after.workers >= before.workers && after.outstanding > before.outstanding,
        "{before:?} {after:?}"
    );
    plant.graph.put_back(workers);
    plant.end();
}
