//! New settings for a graph on threads: workers are added and retired, caps hold, and under load
//! every scrape keeps its bounds through all changes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use seda_core::control::{PoolObservation, PoolSizePolicy};
use seda_core::{Context, Graph, GraphConfig, Running, Source, StageConfig, WorkerRange};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn config(text: &str) -> GraphConfig {
    toml::from_str(text).unwrap()
}

fn set(running: &Running, text: &str) {
    running.reconfigure(&config(text)).unwrap();
}

/// Returns a stage with a pool of its own, where each handler waits at a gate.
fn gated(workers: WorkerRange, text: &str) -> (Running, Source<u32>, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 4_096);
    graph.attach_each(stage, |_wire| move |_event, _cx| held.pass()).unwrap();
    let config_of = StageConfig { workers: Some(workers), ..StageConfig::default() };
    graph.configure(stage, config_of).unwrap();
    graph.apply(config(text)).unwrap();
    let source = graph.source(stage).unwrap();
    (graph.start().unwrap(), source, gate)
}

fn workers_now(running: &Running) -> usize {
    running.report().stages[0].workers.now
}

#[test]
fn a_higher_minimum_adds_workers_at_once_and_a_lower_maximum_retires_them() {
    // Ticks every ten seconds do not interfere, and no controller sizes the pool.
    let quiet = "control = { tick = \"10s\", pool_size = \"off\" }";
    let (running, source, gate) = gated(WorkerRange::exactly(1), quiet);
    source.send_all(vec![0; 4]).unwrap();
    gate.wait_for(1);
    set(&running, &format!("{quiet}\nstages.s.workers = \"4..6\""));
    assert_eq!(workers_now(&running), 4);
    // All four workers reach the gate: the added ones work.
    gate.wait_for(4);
    set(&running, &format!("{quiet}\nstages.s.workers = \"1..2\""));
    // Four events are in hand, and no worker leaves in the middle of one.
    assert_eq!((workers_now(&running), running.report().events.in_hand), (4, 4));
    gate.open();
    wait_until("two retire", || workers_now(&running) == 2);
    source.send_all(vec![0; 100]).unwrap();
    let drained = running.drain(LONG);
    assert_eq!(drained.report.events.handled, 104);
    assert_balanced(&drained.report);
}

#[test]
fn a_shorter_tick_and_a_shorter_limit_of_stuck_handlers_take_effect() {
    struct Count(Arc<AtomicUsize>);
    impl PoolSizePolicy for Count {
        fn decide(&mut self, _seen: &PoolObservation) -> Option<(usize, String)> {
            self.0.fetch_add(1, Ordering::SeqCst);
            None
        }
    }
    let gate = Gate::default();
    let held = gate.clone();
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| move |_event, _cx| held.pass()).unwrap();
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ticks);
    graph.pool_size_policy(move |_pool| Count(Arc::clone(&counted)));
    let workers = "stages.s.workers = \"1..2\"";
    let slow = format!("{workers}\ncontrol = {{ tick = \"10s\", stuck_after = \"1h\" }}");
    graph.apply(config(&slow)).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    source.send(0).unwrap();
    gate.wait_for(1);
    set(&running, &format!("{workers}\ncontrol = {{ tick = \"10ms\", stuck_after = \"10ms\" }}"));
    // At ten seconds per tick the wait below would time out first.
    wait_until("ticks come", || ticks.load(Ordering::SeqCst) >= 20);
    wait_until("it is stuck", || running.report().stages[0].workers.stuck == 1);
    gate.open();
    assert!(running.drain(LONG).complete);
}

/// Counts the workers inside a handler, and the most at once.
#[derive(Clone, Default)]
struct SlotGuard(Arc<(AtomicUsize, AtomicUsize)>);

impl SlotGuard {
    fn pass(&self, hold: impl FnOnce()) {
        let now = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.1.fetch_max(now, Ordering::SeqCst);
        hold();
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns the most since the last call.
    fn take_peak(&self) -> usize {
        self.0.1.swap(0, Ordering::SeqCst)
    }
}

/// Returns a stage in a pool of four; each event blocks its handler at its gate.
fn capped(inside: &SlotGuard, gates: Vec<Gate>) -> (Running, Source<usize>) {
    let mut graph = Graph::new("g");
    let pool = graph.pool("four", WorkerRange::exactly(4));
    let stage = graph.stage::<usize>("s", 4_096);
    let inside = inside.clone();
    let handle = move |gate: usize, _cx: &mut Context| {
        inside.pass(|| gates.get(gate).map_or_else(std::thread::yield_now, Gate::pass));
    };
    graph.attach_each_in(&pool, stage, |_wire| handle).unwrap();
    // A batch of one: each worker has one event, and no other waits behind it.
    graph.configure(stage, StageConfig { batch: Some(1), ..StageConfig::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    (graph.start().unwrap(), source)
}

/// Gives idle workers time to park. No result depends on it: a missing wake-up only shows when
/// one is needed.
fn let_park() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv_timeout(Duration::from_millis(50));
}

/// Handles many events without a gate, and returns the most workers inside at once.
fn peak(running: &Running, source: &Source<usize>, inside: &SlotGuard) -> usize {
    let quiet = || running.report().events.queued + running.report().events.in_hand == 0;
    wait_until("it is quiet", quiet);
    inside.take_peak();
    (0..500).for_each(|_| source.send_within(usize::MAX, LONG).unwrap());
    wait_until("all are handled", quiet);
    inside.take_peak()
}

#[test]
fn a_cap_changed_while_workers_are_inside_holds_once_they_leave() {
    let gates: Vec<Gate> = (0..4).map(|_| Gate::default()).collect();
    let inside = SlotGuard::default();
    let (running, source) = capped(&inside, gates.clone());
    // A stuck worker would be replaced, and hide a missing wake-up.
    let cap = |text: &str| set(&running, &format!("control.stuck_after = \"1h\"\n{text}"));
    cap("");
    // Without a cap no worker is counted on entry; all four leave under a cap.
    source.send_all(vec![0; 4]).unwrap();
    gates[0].wait_for(4);
    cap("stages.s.cap = 2");
    gates[0].open();
    let most = peak(&running, &source, &inside);
    assert!((1..=2).contains(&most), "{most}");
    // Two are counted on entry, and leave without a cap.
    source.send_all(vec![1; 4]).unwrap();
    gates[1].wait_for(2);
    let_park();
    cap("");
    // The two workers outside the cap enter as soon as it is removed.
    gates[1].wait_for(4);
    gates[1].open();
    wait_until("all have left", || running.report().events.in_hand == 0);
    cap("stages.s.cap = 1");
    assert_eq!(peak(&running, &source, &inside), 1);
    // Raised while one is inside: the next enter at once.
    source.send_all(vec![2; 3]).unwrap();
    gates[2].wait_for(1);
    cap("stages.s.cap = 3");
    gates[2].wait_for(3);
    // Lowered while three are inside: no worker enters before they leave.
    cap("stages.s.cap = 1");
    source.send(3).unwrap();
    gates[2].open();
    gates[3].wait_for(1);
    gates[3].open();
    assert_eq!(peak(&running, &source, &inside), 1);
    let drained = running.drain(LONG);
    assert!(drained.complete);
    assert_balanced(&drained.report);
}

/// Returns three stages in a row, the last two in one pool; every event visits all of them or is
/// refused on the way.
fn row() -> (Running, Source<u32>) {
    let mut graph = Graph::new("row");
    graph.classes(&[("gold", 2), ("basic", 1)]);
    let pool = graph.pool("both", WorkerRange::new(1, 4));
    let [first, second, third] = ["first", "second", "third"].map(|name| graph.stage(name, 256));
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |event: u32, cx: &mut Context| drop(cx.send(&second, event))
        })
        .unwrap();
    graph
        .attach_each_in(&pool, second, |wire| {
            let third = wire.sink(third);
            move |event: u32, cx: &mut Context| drop(cx.send_all(&third, vec![event, event]))
        })
        .unwrap();
    graph.attach_each_in(&pool, third, |_wire| |_event: u32, _cx| {}).unwrap();
    let source = graph.source(first).unwrap();
    (graph.start().unwrap(), source)
}

/// Returns settings that all differ between consecutive numbers.
fn settings(n: usize) -> String {
    let pick = |values: &[usize]| values[n % values.len()];
    format!(
        "budget = {}\nstatistics = {}\n[control]\ntick = \"10ms\"\nvalve = \"{}\"\n\
         [classes]\ngold = {}\n[pools.both]\nworkers = \"{}..4\"\n\
         [stages.first]\ncapacity = {}\nworkers = \"1..{}\"\n\
         [stages.second]\ncapacity = {}\nsoft = {}\ncap = {}\nbatch = {}\n\
         [stages.third]\ncapacity = {}\nweight = {}\n",
        pick(&[400, 7, 90]),
        !n.is_multiple_of(5),
        if n.is_multiple_of(2) { "on" } else { "off" },
        pick(&[1, 4, 2]),
        pick(&[1, 3]),
        pick(&[256, 3, 40]),
        pick(&[1, 3, 2]),
        pick(&[64, 9]),
        pick(&[8, 5, 2]),
        pick(&[1, 3, 2, 4]),
        pick(&[32, 1, 6]),
        pick(&[128, 2, 512]),
        pick(&[1, 5]),
    )
}

/// Ends the threads of a test, also when it fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn under_load_every_scrape_balances_within_its_bounds_through_all_changes() {
    const CHANGES: usize = 400;
    let (running, source) = row();
    let done = AtomicBool::new(false);
    let sent: u64 = std::thread::scope(|scope| {
        let running = &running;
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_balanced(&running.report());
            }
        });
        let sending: Vec<_> = (0..2)
            .map(|n| {
                let source = source.with_options(crate::support::class(n));
                let done = &done;
                scope.spawn(move || {
                    let mut sent = 0;
                    while !done.load(Ordering::Relaxed) {
                        sent += u64::from(source.send(0).is_ok());
                    }
                    sent
                })
            })
            .collect();
        let ending = Ending(&done);
        for n in 0..CHANGES {
            let changes = running.reconfigure(&config(&settings(n))).unwrap();
            assert!(!changes.is_empty());
            assert_balanced(&running.report());
        }
        drop(ending);
        sending.into_iter().map(|sending| sending.join().unwrap()).sum()
    });
    let drained = running.drain(LONG);
    assert!(drained.complete, "{}", drained.report);
    assert_balanced(&drained.report);
    let first = &drained.report.stages[0];
    assert_eq!(first.accepted, sent);
    assert_eq!(drained.report.budget.used, 0);
}
