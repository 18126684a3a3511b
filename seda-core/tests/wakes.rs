//! Invariant 5, the wake-up: what comes in one go finds every worker that it needs.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use seda_core::{Graph, Running, Source, WorkerRange};
use support::{Gate, LONG, workers};

/// How often the workers are caught asleep; each time the bug would have its chance.
const ROUNDS: usize = 50;

/// Lets the workers go to sleep: they do within microseconds, a report takes longer.
fn let_them_park(running: &Running) {
    for _ in 0..3 {
        drop(running.report());
    }
}

/// Each event waits at its gate until the others have got there.
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
fn events_sent_in_one_go_each_get_a_worker_although_none_of_them_ends() {
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
fn a_worker_that_is_on_its_way_passes_on_what_came_for_another_stage_of_its_pool() {
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
