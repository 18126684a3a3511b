//! Invariant 5, the wake-up: events sent at once wake every worker that they need.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, workers};
use seda_core::{Graph, Running, Source, WorkerRange};

/// The number of rounds in which the workers are asleep; each is a chance to find the bug.
const ROUNDS: usize = 50;

/// Lets the workers fall asleep, which takes microseconds; a report takes longer.
fn let_them_park(running: &Running) {
    for _ in 0..3 {
        drop(running.report());
    }
}

/// Waits at the gate until the other events arrive.
fn meet(gate: Gate) {
    gate.pass();
}

fn one_stage(n: usize) -> (Running, Source<Gate>) {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<Gate>("s", 64);
    graph.attach_each(stage, |_wire| |gate, _cx| meet(gate)).unwrap();
    graph.configure(stage, workers(n)).unwrap();
    let source = graph.source(stage).unwrap();
    (graph.start().unwrap(), source)
}

#[test]
fn events_sent_at_once_each_get_a_worker_although_none_of_them_ends() {
    let (running, source) = one_stage(3);
    for _ in 0..ROUNDS {
        let_them_park(&running);
        let gate = Gate::default();
        source.send_all(vec![gate.clone(); 3]).unwrap();
        gate.wait_for(3);
        gate.open();
    }
    assert_eq!(running.drain(LONG).report.events.handled, 3 * ROUNDS as u64);
}

#[test]
fn a_worker_that_is_waking_passes_the_wake_up_on_for_another_stage_of_its_pool() {
    let mut graph = Graph::new("g");
    let pool = graph.pool("both", WorkerRange::exactly(2));
    let [left, right] = ["left", "right"].map(|name| {
        let stage = graph.stage::<Gate>(name, 64);
        graph.attach_each_in(&pool, stage, |_wire| |gate, _cx| meet(gate)).unwrap();
        graph.source(stage).unwrap()
    });
    let running = graph.start().unwrap();
    for _ in 0..ROUNDS {
        let_them_park(&running);
        let gate = Gate::default();
        left.send(gate.clone()).unwrap();
        right.send(gate.clone()).unwrap();
        gate.wait_for(2);
        gate.open();
    }
    assert_eq!(running.drain(LONG).report.events.handled, 2 * ROUNDS as u64);
}
