//! Keyed stages: events of one key stay in order under any worker.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced};
use parking_lot::Mutex;
use seda_core::{
    Context, Graph, GraphError, Handler, Held, ManualClock, Pending, Source, Stage, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A key, and the number of the event among those of its key.
type Numbered = (u64, u64);

fn workers(min: usize, max: usize) -> StageConfig {
    StageConfig { workers: Some(WorkerRange::new(min, max)), ..StageConfig::default() }
}

fn keyed(graph: &mut Graph, name: &str, config: StageConfig) -> Stage<Numbered> {
    let stage = graph.stage::<Numbered>(name, 32_768);
    graph.configure(stage, config).unwrap();
    graph.keyed(stage, |(key, _)| *key).unwrap();
    stage
}

/// Asserts that the events of a key come one at a time and in order.
#[derive(Default)]
struct InOrder {
    next: [AtomicU64; 16],
    busy: [AtomicBool; 16],
}

impl InOrder {
    fn claim_first_visit(&self, (key, number): Numbered) {
        let key = key as usize;
        assert!(!self.busy[key].swap(true, Ordering::SeqCst), "two workers have key {key}");
        std::thread::yield_now();
        assert_eq!(self.next[key].fetch_add(1, Ordering::SeqCst), number, "of key {key}");
        self.busy[key].store(false, Ordering::SeqCst);
    }
}

#[test]
fn events_of_a_key_stay_in_order_over_two_stages_while_workers_come_and_go() {
    const EVENTS: u64 = 20_000;
    let mut graph = Graph::new("keyed");
    let first = keyed(&mut graph, "first", workers(1, 4));
    let second = keyed(&mut graph, "second", workers(1, 4));
    let orders = [Arc::new(InOrder::default()), Arc::new(InOrder::default())];
    let [at_first, at_second] = orders.clone();
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |event, cx: &mut Context| {
                at_first.claim_first_visit(event);
                // All of them fit; they are published at the end of the batch.
                cx.send(&second, event).unwrap();
            }
        })
        .unwrap();
    graph
        .attach_each(second, |_wire| move |event, _cx| at_second.claim_first_visit(event))
        .unwrap();
    let source = graph.source(first).unwrap();
    graph.budget(60_000);
    let running = graph.start().unwrap();
    for n in 0..EVENTS {
        source.send_within((n % 16, n / 16), LONG).unwrap();
        if n % 500 == 0 {
            running.set_workers("first", 1 + (n as usize / 500) % 4);
            running.set_workers("second", 1 + (n as usize / 1_000) % 4);
        }
    }
    let drained = running.drain(LONG);
    assert_balanced(&drained.report);
    let handled = drained.report.stages.iter().map(|stage| stage.handled);
    assert_eq!(handled.collect::<Vec<_>>(), [EVENTS, EVENTS], "{}", drained.report);
}

#[test]
fn different_keys_run_in_parallel_and_one_key_does_not() {
    let mut graph = Graph::new("keyed");
    let stage = keyed(&mut graph, "stage", workers(3, 3));
    let gate = Gate::default();
    let at_gate = gate.clone();
    graph.attach_each(stage, |_wire| move |_event, _cx| at_gate.pass()).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    source.send_all(vec![(1, 0), (1, 1), (2, 0), (2, 1)]).unwrap();
    gate.wait_for(2);
    // A third worker is free, but may not take the queued events: other workers have their keys.
    source.send((3, 0)).unwrap();
    gate.wait_for(3);
    assert_eq!(running.report().stages[0].queued, 2);
    gate.open();
    let drained = running.drain(LONG);
    assert_eq!((drained.complete, drained.report.events.handled), (true, 5));
}

/// Returns a keyed stage, stepped by hand, that defers the first event of each key.
fn deferring() -> (Graph, Source<Numbered>, Arc<Mutex<Vec<Pending>>>) {
    let mut graph = Graph::new("keyed");
    let config = StageConfig { batch: Some(1), ..workers(2, 2) };
    let stage = keyed(&mut graph, "stage", config);
    let parked = Arc::<Mutex<Vec<Pending>>>::default();
    let kept = Arc::clone(&parked);
    graph
        .attach_each(stage, |_wire| {
            move |(_, number), cx: &mut Context| {
                if number == 0 {
                    kept.lock().push(cx.defer().unwrap());
                }
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    (graph, source, parked)
}

#[test]
fn a_deferred_event_keeps_its_key_until_it_is_completed() {
    let (graph, source, parked) = deferring();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![(1, 0), (1, 1), (2, 7), (2, 8)]).unwrap();
    assert_eq!(graph.run_until_idle(), 3);
    let stage = &graph.report().stages[0];
    assert_eq!((stage.queued, stage.pending, stage.handled), (1, 1, 2));
    parked.lock().pop().unwrap().complete();
    assert_eq!(graph.run_until_idle(), 1);
    assert_balanced(&graph.report());
    assert_eq!(graph.report().events.handled, 4);
}

/// Holds the first event of a key, and joins it with the second.
#[derive(Default)]
struct Join(Vec<(u64, Held)>);

impl Handler<Numbered> for Join {
    fn handle(&mut self, (key, number): Numbered, cx: &mut Context) {
        if number == 0 {
            self.0.push((key, cx.hold().unwrap()));
        } else {
            let place = self.0.iter().position(|(held, _)| *held == key);
            self.0.remove(place.expect("this handler holds the partner")).1.release();
        }
    }
}

#[test]
fn events_of_a_held_key_go_to_the_worker_that_holds_it() {
    const KEYS: u64 = 1_000;
    let mut graph = Graph::new("keyed");
    let stage = keyed(&mut graph, "stage", workers(3, 3));
    graph.attach(stage, |_wire| || Ok(Join::default())).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    for number in [0, 1] {
        (0..KEYS).for_each(|key| source.send_within((key, number), LONG).unwrap());
    }
    let drained = running.drain(LONG);
    let stage = &drained.report.stages[0];
    assert_eq!((stage.handled, stage.failed, stage.held), (2 * KEYS, 0, 0), "{}", drained.report);
    assert_balanced(&drained.report);
}

#[test]
fn the_share_of_the_busiest_shard_is_reported() {
    let mut graph = Graph::new("keyed");
    let stage = keyed(&mut graph, "stage", workers(1, 1));
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    (0..9).for_each(|n| source.send((1, n)).unwrap());
    (2..5).for_each(|key| source.send((key, 0)).unwrap());
    graph.run_until_idle();
    assert_eq!(graph.report().stages[0].busiest_shard_share, Some(0.75));
    assert!(graph.report().to_string().contains("busiest shard 75.0 %"));
}

#[test]
fn a_key_function_that_panics_costs_no_event() {
    let mut graph = Graph::new("keyed");
    let stage = graph.stage::<u32>("stage", 8);
    graph.keyed(stage, |n| 100 / *n).unwrap();
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![0, 1, 0]).unwrap();
    assert_eq!(graph.run_until_idle(), 3);
    assert_balanced(&graph.report());
}

#[test]
fn keying_a_stage_twice_is_an_error() {
    let mut graph = Graph::new("keyed");
    let stage = keyed(&mut graph, "stage", workers(1, 1));
    let error = graph.keyed(stage, |(key, _)| *key).unwrap_err();
    assert!(matches!(error, GraphError::ExtractorSetTwice { .. }));
    assert!(error.to_string().contains("`stage`") && error.to_string().contains("key"), "{error}");
}
