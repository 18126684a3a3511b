//! A push against a retirement: whoever is left takes the event.
//!
//! Protocol. A sender wakes one idle worker, and only one. If that worker finds itself one too
//! many it leaves instead of taking the event, and nobody else was woken. So whoever leaves wakes
//! another one, who looks.
//!
//! Two workers become one while another thread sends an event. Whole graph: the crate's worker
//! loop, parking place, pool and queue. shuttle, random and PCT schedules.

use crate::checker::{Bound, DEADLOCK, fails, holds, thread::spawn};
use crate::ledgers::assert_ended;
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};

const SCHEDULES: Bound = Bound(5_000);

fn a_push_meets_a_retirement() {
    let mut graph = graph(8);
    let stage = graph.stage::<u32>("s", 8);
    graph.configure(stage, workers(1, 2)).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Modelled::start(graph);
    graph.set_workers("s", 2);
    graph.wait_parked("s", 2);
    let sender = spawn(move || source.send(1).unwrap());
    graph.set_workers("s", 1);
    sender.join().unwrap();
    graph.wait_quiet();
    let drained = graph.end();
    assert_ended(&drained.report);
    assert_eq!(drained.report.events.handled, 1);
}

#[test]
fn whoever_is_left_takes_the_event() {
    holds(SCHEDULES, a_push_meets_a_retirement);
}

#[test]
fn if_the_one_who_leaves_wakes_nobody_the_event_lies_beside_a_parked_worker() {
    fails(SCHEDULES, Flaw::SilentRetirement, DEADLOCK, a_push_meets_a_retirement);
}
