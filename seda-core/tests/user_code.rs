//! Invariant 8: user code runs outside all locks and inside the panic boundary, and the owners of
//! the valve's victims are notified on a thread of the graph, never on the sender's.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::control::{PoolObservation, PoolSizePolicy};
use seda_core::{
    Class, Graph, GraphConfig, RefusalReason, Running, SendOptions, Source, StageConfig,
    WorkerRange,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The graph, for user code that calls back into it.
type Shared = Arc<OnceLock<(Running, Source<u32>)>>;

#[test]
fn the_owner_of_a_victim_is_notified_on_another_thread_and_may_use_the_graph() {
    let gate = Gate::default();
    let mut graph = Graph::new("callback");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    graph.apply(GraphConfig { budget: Some(4), ..GraphConfig::default() }).unwrap();
    let stage = graph.stage::<u32>("s", 8);
    let held = gate.clone();
    graph.attach_each(stage, |_wire| move |_event, _cx| held.pass()).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let (shared, told) = (Shared::default(), Arc::new(Mutex::new(Vec::new())));
    let (inside, heard) = (Arc::clone(&shared), Arc::clone(&told));
    graph
        .on_lost(stage, move |event, _reason| {
            // This takes every lock under which it could run.
            if let Some((running, source)) = inside.get() {
                let report = running.report();
                assert!(report.budget.used <= 4);
                let late = SendOptions { deadline: Some(Duration::ZERO), ..SendOptions::default() };
                let refused = source.with_options(late).send(99).unwrap_err();
                assert_eq!(refused.reason(), RefusalReason::Expired);
            }
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            heard.lock().push((event, thread));
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let basic = source.with_options(SendOptions { class: Class::new(1), ..SendOptions::default() });
    let running = graph.start().unwrap();
    assert!(shared.set((running, basic.clone())).is_ok());
    basic.send(0).unwrap();
    gate.wait_for(1);
    (1..4).for_each(|event| basic.send(event).unwrap());
    // Without a second queue, the longest shrinks to zero: three victims. The new event gets the
    // first place, and the others stay free.
    source.send(10).unwrap();
    source.send_all(vec![11, 12]).unwrap();
    wait_until("the owners are notified", || told.lock().len() == 3);
    let expected = [1, 2, 3].map(|event| (event, "callback-lost".to_owned()));
    assert_eq!(*told.lock(), expected);
    gate.open();
    let (running, _) = shared.get().unwrap();
    wait_until("all is done", || running.report().budget.used == 0);
    assert_balanced(&running.report());
}

/// Takes a report while it decides, and then panics on every call.
struct Nosy(Shared, u32);

impl PoolSizePolicy for Nosy {
    fn decide(&mut self, seen: &PoolObservation) -> Option<(usize, String)> {
        let (running, _) = self.0.get()?;
        assert_eq!(running.report().stages.len(), 1);
        self.1 += 1;
        assert!(self.1 < 3, "on purpose");
        Some((seen.workers + 1, "because".to_owned()))
    }
}

#[test]
fn a_policy_may_use_the_graph_and_its_panics_do_not_end_the_control_plane() {
    let mut graph = Graph::new("nosy");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let workers = Some(WorkerRange::new(1, 8));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let mut config = GraphConfig::default();
    config.control.tick = Duration::from_millis(10);
    graph.apply(config).unwrap();
    let shared = Shared::default();
    let inside = Arc::clone(&shared);
    graph.pool_size_policy(move |_pool| Nosy(Arc::clone(&inside), 0));
    let source = graph.source(stage).unwrap();
    assert!(shared.set((graph.start().unwrap(), source.clone())).is_ok());
    let (running, _) = shared.get().unwrap();
    wait_until("it grew twice", || running.report().stages[0].workers.now == 3);
    // From here on it panics on every tick; snapshots come from the same thread, and still arrive.
    let (sender, snapshots) = std::sync::mpsc::channel();
    running.snapshots().request(Box::new(move |report| drop(sender.send(report))));
    assert_eq!(snapshots.recv_timeout(LONG).unwrap().graph, "nosy");
    source.send(1).unwrap();
    wait_until("it is handled", || running.report().events.handled == 1);
}

#[test]
fn the_control_plane_survives_a_panic_in_a_snapshot() {
    crate::support::quiet_panics();
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let running = graph.start().unwrap();
    let snapshots = running.snapshots();
    snapshots.request(Box::new(|_report| std::panic::panic_any(crate::support::ON_PURPOSE)));
    let (sender, answer) = std::sync::mpsc::channel();
    snapshots.request(Box::new(move |report| sender.send(report.stages.len()).unwrap()));
    assert_eq!(answer.recv_timeout(LONG), Ok(1));
    assert!(running.drain(LONG).complete);
}

#[test]
fn a_request_for_the_next_snapshot_is_given_another_one_and_all_of_them_the_same() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let running = graph.start().unwrap();
    let snapshots = running.snapshots();
    let (sender, reports) = std::sync::mpsc::channel();
    let ask = || {
        let sender = sender.clone();
        Box::new(move |report| sender.send(report).unwrap())
    };
    snapshots.request(ask());
    let present = reports.recv_timeout(LONG).unwrap();
    snapshots.request_next(ask());
    snapshots.request_next(ask());
    let next = reports.recv_timeout(LONG).unwrap();
    assert!(!snapshots.is_recent(&present), "it is replaced once it is out of date");
    assert!(next.uptime_seconds > present.uptime_seconds);
    assert!(Arc::ptr_eq(&next, &reports.recv_timeout(LONG).unwrap()));
    // The end drops a request that still waits, and its sender with it.
    snapshots.request_next(ask());
    assert!(running.drain(LONG).complete);
    drop(sender);
    while reports.recv_timeout(LONG).is_ok() {}
}
