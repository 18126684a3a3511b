//! A push against a retirement: whoever is left takes the event.
//!
//! Protocol. A sender wakes one idle worker, and only one. If that worker retires instead of
//! taking the event, somebody else must look. So a pool that shrinks wakes all its idle workers,
//! and each worker that leaves passes the wake-up on: of those that are awake the last one finds
//! itself wanted, and looks at the queues before it parks.
//!
//! Two workers become one while another thread sends an event. Whole graph: the crate's worker
//! loop, parking place, pool and queue. shuttle, random and PCT schedules.

use crate::checker::{DEADLOCK, fails, holds};
use crate::support::{assert_ended, graph, workers};
use seda_core::running::modelled::{Flaw, Modelled};
use shuttle::thread::spawn;

fn a_push_meets_a_retirement() {
    let mut graph = graph(8);
    let stage = graph.stage::<u32>("s", 8);
    graph.configure(stage, workers(1, 2)).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Modelled::start(graph);
    graph.set_workers("s", 2);
    let sender = spawn(move || source.send(1).unwrap());
    graph.set_workers("s", 1);
    sender.join().unwrap();
    graph.wait_quiet();
    let drained = graph.end();
    assert_ended(&drained);
    assert_eq!(drained.report.events.handled, 1);
}

#[test]
fn whoever_is_left_takes_the_event() {
    holds(a_push_meets_a_retirement);
}

#[test]
fn without_waking_all_the_event_lies_beside_a_parked_worker() {
    fails(Flaw::SilentShrink, DEADLOCK, a_push_meets_a_retirement);
}
