//! A drain ends within its limit, also in cyclic graphs, and loses no worker-local state.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::{
    Context, Graph, Handler, LossReason, ManualClock, RefusalReason, Sink, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

/// Adds its events up, and sends the sum when it is finished.
struct Sum {
    sum: u64,
    to: Sink<u64>,
}

impl Handler<u64> for Sum {
    fn handle(&mut self, n: u64, _cx: &mut Context) {
        self.sum += n;
    }

    fn finish(&mut self, cx: &mut Context) {
        cx.send(&self.to, self.sum).unwrap();
    }
}

/// `local` sums per worker, `middle` adds those sums up, `total` keeps the results.
fn sums() -> (Graph, seda_core::Source<u64>, Arc<Mutex<Vec<u64>>>) {
    let mut graph = Graph::new("sums");
    // Never binding, because sends of `finish` at the budget may evict queued events.
    graph.budget(1_000);
    let local = graph.stage::<u64>("local", 64);
    let middle = graph.stage::<u64>("middle", 64);
    let total = graph.stage::<u64>("total", 64);
    for (from, to, workers) in [(local, middle, 4), (middle, total, 1)] {
        graph
            .attach(from, |wire| {
                let to = wire.sink(to);
                move || Ok(Sum { sum: 0, to: to.clone() })
            })
            .unwrap();
        let workers = Some(WorkerRange::new(1, workers));
        graph.configure(from, StageConfig { workers, ..StageConfig::default() }).unwrap();
    }
    let arrived: Arc<Mutex<Vec<u64>>> = Arc::default();
    let kept = Arc::clone(&arrived);
    graph.attach_each(total, |_wire| move |n, _cx| kept.lock().push(n)).unwrap();
    let source = graph.source(local).unwrap();
    (graph, source, arrived)
}

#[test]
fn events_sent_by_finish_pass_through_all_later_stages() {
    let (graph, source, arrived) = sums();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    graph.set_workers("local", 3);
    (1..=40).for_each(|n| source.send(n).unwrap());
    graph.run_until_idle();
    assert!(arrived.lock().is_empty());
    let drained = graph.drain(usize::MAX);
    assert!(drained.complete);
    assert_eq!(arrived.lock().iter().sum::<u64>(), 820);
    assert_balanced(&drained.report);
}

#[test]
fn worker_local_state_survives_shrinking_growing_and_draining_under_load() {
    let (graph, source, arrived) = sums();
    let running = graph.start().unwrap();
    let mut expected = 0;
    for n in 0..20_000 {
        source.send_within(n, LONG).unwrap();
        expected += n;
        if n % 500 == 0 {
            running.set_workers("local", 1 + (n as usize / 500) % 4);
        }
    }
    let drained = running.drain(LONG);
    assert!(drained.complete, "{}", drained.report);
    assert_eq!(arrived.lock().iter().sum::<u64>(), expected);
    assert_balanced(&drained.report);
}

#[test]
fn a_cyclic_graph_drains_by_counting() {
    let mut graph = Graph::new("ring");
    let (a, b) = (graph.stage::<u32>("a", 64), graph.stage::<u32>("b", 64));
    for (from, to) in [(a, b), (b, a)] {
        graph
            .attach_each(from, |wire| {
                let to = wire.sink(to);
                move |left, cx| {
                    if left > 0 {
                        cx.send(&to, left - 1).unwrap();
                    }
                }
            })
            .unwrap();
    }
    let source = graph.source(a).unwrap();
    let running = graph.start().unwrap();
    source.send_all(vec![999; 32]).unwrap();
    let drained = running.drain(LONG);
    assert!(drained.complete);
    assert_eq!(drained.report.events.handled, 32_000);
}

#[test]
fn at_the_limit_queued_events_are_shed_counted_and_notified() {
    let gate = Gate::default();
    let mut graph = Graph::new("slow");
    let stage = graph.stage::<u32>("held", 64);
    let held = gate.clone();
    graph.attach_each(stage, |_wire| move |_event, _cx| held.pass()).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let lost: Arc<Mutex<Vec<(u32, LossReason)>>> = Arc::default();
    let kept = Arc::clone(&lost);
    graph.on_lost(stage, move |event, reason| kept.lock().push((event, reason))).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    source.send(0).unwrap();
    gate.wait_for(1);
    source.send_all(vec![1, 2, 3]).unwrap();
    let drained = running.drain(Duration::from_millis(20));
    assert_eq!((drained.complete, drained.given_up), (false, 3));
    let expected = [1, 2, 3].map(|event| (event, LossReason::Drain));
    assert_eq!(*lost.lock(), expected);
    assert_eq!(source.send(4).unwrap_err().reason(), RefusalReason::Closed);
    assert_balanced(&drained.report);
    gate.open();
}

#[test]
fn dropping_a_running_graph_under_load_does_not_hang() {
    let mut graph = Graph::new("dropped");
    let stage = graph.stage::<u32>("s", 64);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            while !matches!(source.send(1), Err(refused) if refused.reason() == RefusalReason::Closed) {}
        });
        wait_until("it is under load", || running.report().events.handled > 100);
        drop(running);
        sender.join().unwrap();
    });
}

#[test]
fn a_hundred_starts_and_drains_leave_no_thread_behind() {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let before = threads();
    for _ in 0..100 {
        let (graph, source, _arrived) = sums();
        let running = graph.start().unwrap();
        source.send(1).unwrap();
        assert!(running.drain(LONG).complete);
    }
    // Other tests of this program start threads too, but fewer than 50.
    assert!(threads() < before + 50, "{before} threads before, {} now", threads());
}

#[test]
fn a_stepped_drain_continues_when_finish_sends_to_a_worker_after_its_turn() {
    let mut graph = Graph::new("backwards");
    // `total` is declared first, so it is stepped before the stages that send to it. `middle` is
    // busy with the sum of `local`, so it finishes one epoch later.
    let total = graph.stage::<u64>("total", 8);
    let local = graph.stage::<u64>("local", 8);
    let middle = graph.stage::<u64>("middle", 8);
    let arrived: Arc<Mutex<Vec<u64>>> = Arc::default();
    let kept = Arc::clone(&arrived);
    graph.attach_each(total, |_wire| move |n, _cx| kept.lock().push(n)).unwrap();
    for (from, to) in [(local, middle), (middle, total)] {
        graph
            .attach(from, |wire| {
                let to = wire.sink(to);
                move || Ok(Sum { sum: 0, to: to.clone() })
            })
            .unwrap();
    }
    let source = graph.source(local).unwrap();
    let graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![1, 2, 3]).unwrap();
    let drained = graph.drain(usize::MAX);
    assert_eq!((drained.complete, arrived.lock().as_slice()), (true, &[6][..]));
    assert_balanced(&drained.report);
}
