//! Invariant 7 at its edges: panics in drops, in payloads and in factories.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{ON_PURPOSE, assert_balanced, quiet_panics};
use seda_core::{Batch, Context, Graph, Handler, Manual, ManualClock, Responder, Source, each};
use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

/// The payload of panics in these tests: dropping it panics again.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(ON_PURPOSE);
    }
}

fn stepped(graph: Graph) -> (Manual, Arc<ManualClock>) {
    quiet_panics();
    let clock = Arc::new(ManualClock::new());
    (graph.start_manual(clock.clone()).unwrap(), clock)
}

/// Panics with a bomb over event 1 and in `finish`.
struct Bombs;

impl Handler<u32> for Bombs {
    fn handle(&mut self, event: u32, _cx: &mut Context) {
        if event == 1 {
            panic_any(Bomb);
        }
    }

    fn finish(&mut self, _cx: &mut Context) {
        panic_any(Bomb);
    }
}

#[test]
fn a_panic_whose_message_panics_when_dropped_costs_one_event_and_no_worker() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach(stage, |_wire| || Ok(Bombs)).unwrap();
    graph.on_lost(stage, |_event, _reason| panic_any(Bomb)).unwrap();
    let source = graph.source(stage).unwrap();
    let (mut manual, _) = stepped(graph);
    source.send_all(vec![0, 1, 2]).unwrap();
    manual.run_until_idle();
    let report = manual.report();
    assert_eq!((report.events.handled, report.events.failed), (2, 1));
    assert_eq!(report.stages[0].workers.now, 1);
    source.send_all(vec![0, 0]).unwrap();
    let drained = manual.drain(0);
    assert_eq!((drained.report.events.handled, drained.given_up), (2, 2));
    assert_balanced(&drained.report);
}

#[test]
fn a_factory_panic_with_a_payload_that_panics_counts_as_one_failure() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    let first = std::sync::atomic::AtomicBool::new(true);
    graph
        .attach(stage, |_wire| {
            move || {
                if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                    panic_any(Bomb);
                }
                Ok(each(|_event: u32, _cx: &mut Context| {}))
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let (mut manual, clock) = stepped(graph);
    source.send(1).unwrap();
    manual.run_until_idle();
    clock.advance(Duration::from_millis(10));
    manual.run_until_idle();
    assert_eq!(manual.report().events.handled, 1);
}

/// Returns a stage with a service of 10 µs; event 1 takes 500 µs and panics.
fn slow_panics() -> (Manual, Source<u32>) {
    let clock = Arc::new(ManualClock::new());
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    let work = Arc::clone(&clock);
    graph
        .attach_each(stage, |_wire| {
            move |event: u32, _cx: &mut Context| {
                work.advance(Duration::from_micros(if event == 1 { 500 } else { 10 }));
                if event == 1 {
                    panic_any(ON_PURPOSE);
                }
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    quiet_panics();
    (graph.start_manual(clock).unwrap(), source)
}

#[test]
fn the_time_of_a_panicked_event_is_not_charged_to_the_next_one() {
    let (mut manual, source) = slow_panics();
    source.send(0).unwrap();
    manual.run_until_idle();
    // One batch: the panicked event and the next one.
    source.send_all(vec![1, 2]).unwrap();
    assert_eq!(manual.step(), 2);
    let report = manual.report();
    let service = &report.stages[0].service_seconds.quantiles;
    assert_eq!((service.count, service.max), (2, Some(10e-6)));
}

/// Drops its events, and leaves the rest of a batch above two to the worker.
struct Dropping;

struct Loud(bool);

impl Drop for Loud {
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            panic_any(ON_PURPOSE);
        }
    }
}

impl Handler<Loud> for Dropping {
    fn handle(&mut self, event: Loud, _cx: &mut Context) {
        drop(event);
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Loud>, cx: &mut Context) {
        if batch.len() > 2 {
            // The last event is left in the batch: the worker sheds and drops it.
            (0..2).for_each(|_| drop(batch.next(cx)));
            return;
        }
        while let Some(event) = batch.next(cx) {
            self.handle(event, cx);
        }
    }
}

#[test]
fn an_event_that_panics_when_dropped_costs_only_itself_everywhere() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<Loud>("s", 8);
    graph.attach(stage, |_wire| || Ok(Dropping)).unwrap();
    let source = graph.source(stage).unwrap();
    let (mut manual, _) = stepped(graph);
    // In the handler.
    source.send_all(vec![Loud(true), Loud(false)]).unwrap();
    manual.run_until_idle();
    // By the worker, for an unfinished batch.
    source.send_all(vec![Loud(false), Loud(false), Loud(true)]).unwrap();
    manual.run_until_idle();
    let report = manual.report();
    assert_eq!((report.events.handled, report.events.failed), (3, 1));
    assert_eq!(report.stages[0].shed["forgotten"], 1);
    // By a drain.
    source.send_all(vec![Loud(true), Loud(true)]).unwrap();
    let drained = manual.drain(0);
    assert_eq!((drained.given_up, drained.report.stages[0].shed["drain"]), (2, 2));
    assert_balanced(&drained.report);
}

#[test]
fn a_too_heavy_event_that_panics_when_dropped_does_not_unwind_into_its_sender() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<(Loud, Option<Responder<()>>)>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    graph.weigh(stage, |_event| 100).unwrap();
    graph.budget_bytes(10);
    let source = graph.source(stage).unwrap();
    let (manual, _) = stepped(graph);
    // The event of a request is made once its place is reserved, so no caller can take it back.
    let ticket = source.request(|reply| (Loud(true), Some(reply))).unwrap();
    assert!(matches!(ticket.try_take(), Some(Err(_))));
    let mut permits = source.reserve(2).unwrap();
    assert_eq!(permits.send_all([(Loud(true), None), (Loud(false), None)]), 0);
    drop(permits);
    let report = manual.report();
    assert_eq!((report.events.offered, report.events.refused), (2, 2));
    assert_eq!((report.requests.open, report.budget.used), (0, 0));
    assert_balanced(&report);
}

#[test]
fn a_handler_that_panics_when_dropped_does_not_unwind_into_the_host_of_its_worker() {
    let mut graph = Graph::new("g");
    let pool = graph.hosted_pool("reactor", 1);
    let stage = graph.stage::<u32>("s", 8);
    graph
        .attach_in(&pool, stage, |_wire| {
            || {
                let bomb = Bomb;
                Ok(each(move |_event: u32, _cx: &mut Context| {
                    let _kept = &bomb;
                }))
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    quiet_panics();
    let running = graph.start().unwrap();
    let mut worker = running.hosted_workers(pool).pop().unwrap();
    source.send(1).unwrap();
    assert_eq!(worker.turn(), seda_core::Turn::Ran(1));
    drop(worker);
    assert_eq!(running.report().stages[0].workers.now, 0);
    assert!(running.drain(crate::support::LONG).complete);
}
