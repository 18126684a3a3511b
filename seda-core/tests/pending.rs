//! Pending events, which are handled outside the worker: counted, bounded, waited for.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::{
    Context, DeferError, Graph, Manual, ManualClock, Pending, Running, Source, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

type Parked = Arc<Mutex<Vec<Pending>>>;
/// A pending event, and the sink for its continuation.
type Handle = (Pending, seda_core::Sink<u32>);

/// Returns a stage that defers every event into `parked`.
fn deferring(pending: usize, capacity: usize) -> (Graph, Source<u32>, Parked) {
    let mut graph = Graph::new("pending");
    let stage = graph.stage::<u32>("outside", capacity);
    let parked = Parked::default();
    let kept = Arc::clone(&parked);
    graph
        .attach_each(stage, |_wire| {
            move |_event, cx: &mut Context| match cx.defer() {
                Ok(pending) => kept.lock().push(pending),
                Err(error) => {
                    assert!(matches!(error, DeferError::Limit { stage } if stage == "outside"))
                }
            }
        })
        .unwrap();
    let config = StageConfig {
        pending: Some(pending),
        workers: Some(WorkerRange::exactly(2)),
        ..StageConfig::default()
    };
    graph.configure(stage, config).unwrap();
    let source = graph.source(stage).unwrap();
    (graph, source, parked)
}

fn manual(graph: Graph) -> Manual {
    graph.start_manual(Arc::new(ManualClock::new())).unwrap()
}

#[test]
fn a_drain_waits_for_ten_thousand_pending_events_on_two_workers() {
    let (mut graph, source, parked) = deferring(10_000, 10_000);
    graph.budget(10_000);
    let running: Running = graph.start().unwrap();
    for event in 0..10_000 {
        source.send_within(event, LONG).unwrap();
    }
    wait_until("all are outstanding", || running.report().events.pending == 10_000);
    // The last event counts as pending before its handler parks it.
    wait_until("all are parked", || parked.lock().len() == 10_000);
    let report = running.report();
    assert_eq!((report.budget.used, report.events.handled), (10_000, 0));
    assert_balanced(&report);
    let completer = std::thread::Builder::new().spawn(move || {
        for (n, pending) in std::mem::take(&mut *parked.lock()).into_iter().enumerate() {
            // Half complete, half are dropped.
            if n % 2 == 0 { pending.complete() } else { drop(pending) }
        }
    });
    let drained = running.drain(LONG);
    completer.unwrap().join().unwrap();
    assert!(drained.complete, "{}", drained.report);
    let stage = &drained.report.stages[0];
    assert_eq!((stage.handled, stage.failed, stage.pending), (5_000, 5_000, 0));
    assert_eq!(stage.service_seconds.quantiles.count, 10_000);
    assert_eq!(drained.report.budget.used, 0);
    assert_balanced(&drained.report);
}

#[test]
fn a_drain_does_not_wait_beyond_its_limit_and_names_the_stage() {
    let (graph, source, parked) = deferring(8, 8);
    let running = graph.start().unwrap();
    source.send(1).unwrap();
    wait_until("it is outstanding", || !parked.lock().is_empty());
    let drained = running.drain(Duration::from_millis(10));
    assert!(!drained.complete);
    let left: Vec<_> = drained.left.iter().map(|l| (l.stage.as_str(), l.pending)).collect();
    assert_eq!(left, [("outside", 1)]);
    // The handle outlives its graph and can still be completed.
    parked.lock().pop().unwrap().complete();
}

#[test]
fn the_limit_of_pending_events_is_kept() {
    let (graph, source, parked) = deferring(2, 8);
    let mut graph = manual(graph);
    source.send_all(vec![1, 2, 3]).unwrap();
    graph.run_until_idle();
    let stage = graph.report().stages.remove(0);
    // The third was not deferred, so it is handled when its handler returns.
    assert_eq!((stage.pending, stage.handled), (2, 1));
    parked.lock().pop().unwrap().complete();
    source.send(4).unwrap();
    graph.run_until_idle();
    assert_eq!(graph.report().stages[0].pending, 2);
    assert_balanced(&graph.report());
    drop(std::mem::take(&mut *parked.lock()));
}

#[test]
fn a_pending_event_sends_on_and_its_place_is_released_once() {
    let mut graph = Graph::new("relay");
    let first = graph.stage::<u32>("first", 8);
    let second = graph.stage::<u32>("second", 1);
    let parked: Arc<Mutex<Option<Handle>>> = Arc::default();
    let kept = Arc::clone(&parked);
    graph
        .attach_each(first, |wire| {
            let sink = wire.sink(second);
            move |_event, cx: &mut Context| {
                let pending = cx.defer().unwrap();
                assert_eq!(cx.defer().unwrap_err(), DeferError::NoEvent);
                *kept.lock() = Some((pending, sink.clone()));
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(first).unwrap();
    let mut graph = manual(graph);
    source.send(1).unwrap();
    graph.run_until_idle();
    let (mut pending, sink) = parked.lock().take().unwrap();
    pending.send(&sink, 2).unwrap();
    assert_eq!(pending.send(&sink, 3).unwrap_err().into_event(), 3);
    assert_balanced(&graph.report());
    pending.complete();
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].handled, report.stages[1].handled), (1, 1));
    assert_eq!((report.stages[1].refused["full"], report.budget.used), (1, 0));
    assert_balanced(&report);
}

#[test]
fn an_event_deferred_before_a_panic_stays_with_its_handle() {
    let mut graph = Graph::new("panic");
    let stage = graph.stage::<u32>("s", 8);
    let parked = Parked::default();
    let kept = Arc::clone(&parked);
    graph
        .attach_each(stage, |_wire| {
            move |_event, cx: &mut Context| {
                kept.lock().push(cx.defer().unwrap());
                panic!("on purpose");
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = manual(graph);
    source.send(1).unwrap();
    graph.run_until_idle();
    assert_eq!((graph.report().events.pending, graph.report().events.failed), (1, 0));
    parked.lock().pop().unwrap().complete();
    assert_eq!((graph.report().events.handled, graph.report().budget.used), (1, 0));
    assert_balanced(&graph.report());
}
