//! After the end of a graph: an event that is still outside comes back, is counted, and its owner
//! is notified.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::{Context, Graph, GraphConfig, LossReason, ManualClock, Pending, Sink, WorkerRange};
use std::sync::Arc;
use std::time::Duration;

type Outside = (Pending, Sink<u32>);
type Told = Arc<Mutex<Vec<(u32, LossReason)>>>;

/// Returns a stage `s` that records the events it loses.
fn noting(graph: &mut Graph) -> (seda_core::Stage<u32>, Told) {
    let stage = graph.stage::<u32>("s", 8);
    let told = Told::default();
    let note = Arc::clone(&told);
    graph.on_lost(stage, move |event, reason| note.lock().push((event, reason))).unwrap();
    (stage, told)
}

#[test]
fn an_event_sent_into_a_permit_that_outlives_the_graph_is_shed_and_reported() {
    let mut graph = Graph::new("g");
    let (stage, told) = noting(&mut graph);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let mut permits = source.reserve(3).unwrap();
    let drained = manual.drain(10);
    assert_eq!((drained.complete, drained.report.budget.used), (false, 3));
    permits.send(1).unwrap();
    assert_eq!(permits.send_all(vec![2]), 1);
    drop(permits);
    assert_eq!(*told.lock(), [(1, LossReason::Drain), (2, LossReason::Drain)]);
}

#[test]
fn a_pending_event_that_outlives_the_graph_can_complete_and_its_send_is_refused() {
    let mut graph = Graph::new("g");
    let first = graph.stage::<u32>("first", 8);
    let (second, told) = noting(&mut graph);
    let outside: Arc<Mutex<Option<Outside>>> = Arc::default();
    let keep = Arc::clone(&outside);
    graph
        .attach_each(first, |wire| {
            let sink = wire.sink(second);
            move |_event: u32, cx: &mut Context| {
                *keep.lock() = Some((cx.defer().unwrap(), sink.clone()));
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(first).unwrap();
    let mut manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send(1).unwrap();
    manual.run_until_idle();
    let drained = manual.drain(10);
    assert_eq!((drained.complete, drained.left[0].pending), (false, 1));
    let (mut pending, sink) = outside.lock().take().unwrap();
    assert!(pending.send(&sink, 5).is_err());
    pending.complete();
    assert!(told.lock().is_empty());
}

#[test]
fn a_drain_does_not_wait_for_a_hosted_worker_that_was_dropped() {
    let mut graph = Graph::new("g");
    let pool = graph.hosted_pool("reactor", 1);
    let (stage, told) = noting(&mut graph);
    graph.attach_each_in(&pool, stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    let mut worker = running.hosted_workers(pool).pop().unwrap();
    source.send(1).unwrap();
    assert_eq!(worker.turn(), seda_core::Turn::Ran(1));
    drop(worker);
    let began = running.clock();
    let start = began.now();
    let drained = running.drain(LONG);
    assert!(drained.complete && told.lock().is_empty());
    // Half of the limit is generous; waiting for the worker would take all of it.
    assert!(began.now().since(start) < LONG / 2, "the drain waited for a dropped worker");
    assert_balanced(&drained.report);
}

#[test]
fn an_empty_graph_drains_completely_within_no_time() {
    let mut graph = Graph::new("g");
    let (stage, _) = noting(&mut graph);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let drained = graph.start().unwrap().drain(Duration::ZERO);
    assert!(drained.complete, "{}", drained.report);
}

#[test]
fn the_sends_of_a_stuck_handler_are_shed_and_reported_when_it_returns_after_the_end() {
    for own_pool in [true, false] {
        let gate = Gate::default();
        let mut graph = Graph::new("g");
        let first = graph.stage::<u32>("first", 8);
        let (second, told) = noting(&mut graph);
        // Without clock reads, sends are published only at the end of the batch.
        graph.apply(GraphConfig { statistics: false, ..GraphConfig::default() }).unwrap();
        let pool = graph.pool("shared", WorkerRange::exactly(1));
        let held = gate.clone();
        let wire = |wire: &mut seda_core::Wire<'_>| {
            let second = wire.sink(second);
            move |event: u32, cx: &mut Context| {
                cx.send(&second, event).unwrap();
                held.pass();
            }
        };
        graph.attach_each_in(&pool, first, wire).unwrap();
        if own_pool {
            graph.attach_each_in(&pool, second, |_wire| |_event, _cx| {}).unwrap();
        } else {
            graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
        }
        let source = graph.source(first).unwrap();
        let running = graph.start().unwrap();
        source.send(7).unwrap();
        gate.wait_for(1);
        let drained = running.drain(Duration::from_millis(1));
        assert_eq!((drained.left[0].stage.as_str(), drained.left[0].in_hand), ("first", 1));
        gate.open();
        wait_until("the owner is notified", || !told.lock().is_empty());
        assert_eq!(*told.lock(), [(7, LossReason::Drain)]);
    }
}
