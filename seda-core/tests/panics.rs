//! Invariant 7: a panic costs one event (or its batch), never a worker, a stage or the process;
//! a handler that does not return is reported, replaced, and does not keep a drain from ending.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use seda_core::{
    Batch, Context, Controller, Graph, GraphConfig, Handler, LossReason, ManualClock,
    RefusalReason, Source, Stage, StageConfig, WorkerRange, each,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn one_worker<E: Send + 'static>(graph: &mut Graph, stage: Stage<E>) {
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
}

#[test]
fn a_panic_costs_its_event_and_the_worker_goes_on_with_a_new_handler() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("fragile", 64);
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    graph
        .attach(stage, |_wire| {
            move || {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(each(|event: u32, _cx: &mut Context| assert!(event != 5, "on purpose")))
            }
        })
        .unwrap();
    one_worker(&mut graph, stage);
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    source.send_all((0..10).collect()).unwrap();
    wait_until("all are handled", || running.report().events.handled == 9);
    let report = running.report();
    assert_eq!((report.stages[0].failed, report.stages[0].workers.now), (1, 1));
    assert_eq!(made.load(Ordering::SeqCst), 2);
    assert_balanced(&running.drain(LONG).report);
}

/// Takes whole batches, and panics over those with an odd event.
struct Cohort;

impl Handler<u32> for Cohort {
    fn handle(&mut self, _event: u32, _cx: &mut Context) {
        unreachable!("batches only");
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, u32>, cx: &mut Context) {
        let events = batch.take_all(cx);
        assert!(events.iter().all(|event| event % 2 == 0), "on purpose");
    }
}

#[test]
fn a_panic_over_a_batch_costs_that_batch_and_nothing_else() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("cohort", 64);
    graph.attach(stage, |_wire| || Ok(Cohort)).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    graph.set_workers("cohort", 1);
    source.send(0).unwrap();
    graph.run_until_idle();
    // The service is now known to be short, so the next batch is taken whole.
    source.send_all(vec![2, 3, 4]).unwrap();
    graph.run_until_idle();
    source.send_all(vec![6, 8]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].handled, report.stages[0].failed), (3, 3));
    assert_balanced(&report);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

#[test]
fn panics_in_drop_in_on_lost_and_in_finish_are_survived() {
    struct Last;
    impl Handler<Bomb> for Last {
        fn handle(&mut self, bomb: Bomb, _cx: &mut Context) {
            std::mem::forget(bomb);
        }
        fn finish(&mut self, _cx: &mut Context) {
            panic!("on purpose");
        }
    }
    let mut graph = Graph::new("g");
    let dropping = graph.stage::<Bomb>("dropping", 8);
    let telling = graph.stage::<u32>("telling", 8);
    graph.attach(dropping, |_wire| || Ok(Last)).unwrap();
    graph.attach_each(telling, |_wire| |_event, _cx| {}).unwrap();
    graph.on_lost(telling, |_event, _reason: LossReason| panic!("on purpose")).unwrap();
    let (bombs, numbers) = (graph.source(dropping).unwrap(), graph.source(telling).unwrap());
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    bombs.send(Bomb).unwrap();
    graph.run_until_idle();
    bombs.send(Bomb).unwrap();
    numbers.send_all(vec![1, 2]).unwrap();
    // No event may be begun, so both queues are shed, and `finish` runs.
    let drained = graph.drain(0);
    assert_eq!(drained.given_up, 3);
    assert_eq!(drained.report.stages[0].shed["drain"], 1);
    assert_eq!(drained.report.stages[1].shed["drain"], 2);
    assert_balanced(&drained.report);
}

#[test]
fn a_factory_that_keeps_failing_closes_its_stage_and_the_journal_names_it() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("broken", 8);
    let lost = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&lost);
    graph
        .attach(stage, |_wire| {
            || {
                if false {
                    return Ok(each(|_event: u32, _cx: &mut Context| {}));
                }
                Err("no database".into())
            }
        })
        .unwrap();
    graph
        .on_lost(stage, move |_event, reason| {
            assert_eq!(reason, LossReason::Closed);
            told.fetch_add(1, Ordering::SeqCst);
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    source.send_all(vec![1, 2, 3]).unwrap();
    for _ in 0..20 {
        graph.step();
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(lost.load(Ordering::SeqCst), 3);
    assert_eq!(source.send(4).unwrap_err().reason(), RefusalReason::Closed);
    let report = graph.report();
    let decision = report.journal.last().unwrap();
    assert_eq!(
        (decision.controller, decision.stage.as_deref()),
        (Controller::Factory, Some("broken"))
    );
    assert!(decision.seen.contains("no database"), "{decision}");
    assert_eq!(report.stages[0].shed["closed"], 3);
    assert_balanced(&report);
    assert!(graph.drain(10).complete);
}

#[test]
fn a_factory_that_recovers_loses_nothing() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("late", 8);
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    graph
        .attach(stage, |_wire| {
            move || match counted.fetch_add(1, Ordering::SeqCst) {
                0..=2 => panic!("on purpose"),
                _ => Ok(each(|_event: u32, _cx: &mut Context| {})),
            }
        })
        .unwrap();
    one_worker(&mut graph, stage);
    let source = graph.source(stage).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    source.send_all(vec![1, 2, 3]).unwrap();
    for _ in 0..8 {
        graph.step();
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(graph.report().events.handled, 3);
    assert_eq!(tries.load(Ordering::SeqCst), 4);
}

/// Returns a stage with one worker, where event 0 waits at a closed gate.
fn stuck(gate: &Gate) -> (Graph, Source<u32>) {
    let mut graph = Graph::new("g");
    let mut config = GraphConfig::default();
    config.control.stuck_after = Duration::from_millis(50);
    config.control.tick = Duration::from_millis(10);
    graph.apply(config).unwrap();
    let stage = graph.stage::<u32>("loops", 64);
    let gate = gate.clone();
    graph
        .attach_each(stage, |_wire| {
            move |event, _cx| {
                if event == 0 {
                    gate.pass();
                }
            }
        })
        .unwrap();
    one_worker(&mut graph, stage);
    let source = graph.source(stage).unwrap();
    (graph, source)
}

#[test]
fn a_handler_that_does_not_return_is_reported_and_replaced() {
    let gate = Gate::default();
    let (graph, source) = stuck(&gate);
    let running = graph.start().unwrap();
    let journal = running.journal();
    source.send(0).unwrap();
    gate.wait_for(1);
    source.send_all((1..20).collect()).unwrap();
    wait_until("the others are handled", || running.report().events.handled == 19);
    let report = running.report();
    assert_eq!((report.stages[0].workers.now, report.stages[0].workers.stuck), (1, 1));
    // The pool may be flagged as hot meanwhile, correctly.
    let mut decisions = std::iter::from_fn(|| journal.recv_timeout(LONG).ok());
    let watched = decisions.find(|decision| decision.controller == Controller::Watch);
    assert_eq!(watched.unwrap().stage.as_deref(), Some("loops"));
    // The handler returns after all: its event counts, and the surplus worker retires.
    gate.open();
    wait_until("the stuck worker came back", || {
        let report = running.report();
        report.events.handled == 20 && report.stages[0].workers.stuck == 0
    });
    let drained = running.drain(LONG);
    assert!(drained.complete);
    assert_balanced(&drained.report);
}

#[test]
fn a_drain_ends_despite_a_stuck_handler_and_names_its_stage() {
    let gate = Gate::default();
    let (graph, source) = stuck(&gate);
    let running = graph.start().unwrap();
    source.send(0).unwrap();
    gate.wait_for(1);
    let drained = running.drain(Duration::from_millis(100));
    assert!(!drained.complete);
    assert_eq!((drained.left[0].stage.as_str(), drained.left[0].in_hand), ("loops", 1));
    assert_balanced(&drained.report);
    gate.open();
}
