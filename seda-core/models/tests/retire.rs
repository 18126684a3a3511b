//! A push against a retirement: the remaining worker takes the event. The watch against a
//! retirement: a worker leaves the count of its pool once.
//!
//! Protocol of the push. A sender wakes exactly one idle worker. If the pool has shrunk, that
//! worker retires instead of taking the event, and no other worker is awake. Therefore a retiring
//! worker wakes another one, which looks at the queues.
//!
//! Protocol of the count. A worker that retires and a watch that marks it as stuck both subtract it
//! from the count. Each looks at the worker's state, and changes it and the count, under one lock.
//!
//! In the first model two workers become one while another thread sends an event. It runs the
//! crate's worker loop, parking place, pool and queue, under shuttle's random and PCT schedules.

use crate::checker::{Bound, DEADLOCK, fails, holds, thread::spawn};
use crate::ledgers::assert_ended;
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};
use std::sync::Arc;

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
fn the_remaining_worker_takes_the_event() {
    holds(SCHEDULES, a_push_meets_a_retirement);
}

#[test]
fn if_a_retiring_worker_wakes_no_other_the_event_waits_beside_a_parked_one() {
    fails(SCHEDULES, Flaw::SilentRetirement, DEADLOCK, a_push_meets_a_retirement);
}

fn the_watch_meets_a_retirement() {
    let mut graph = graph(8);
    let stage = graph.stage::<u32>("s", 8);
    graph.configure(stage, workers(1, 3)).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let graph = Arc::new(Modelled::start(graph));
    graph.set_workers("s", 3);
    let watched = Arc::clone(&graph);
    let watch = spawn(move || watched.mark_oldest_stuck("s"));
    graph.set_workers("s", 1);
    watch.join().unwrap();
    graph.stop();
    assert_eq!(graph.live("s"), 0, "{COUNTED}");
}

/// What the model says if the count is wrong.
const COUNTED: &str = "all workers have ended";

#[test]
fn a_worker_leaves_the_count_once() {
    holds(SCHEDULES, the_watch_meets_a_retirement);
}

#[test]
fn if_the_state_is_read_before_the_lock_a_worker_leaves_the_count_twice() {
    fails(SCHEDULES, Flaw::StateReadEarly, COUNTED, the_watch_meets_a_retirement);
}
