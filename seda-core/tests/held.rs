//! Events that handlers hold: they count in the ledgers and bounds, and are sent on at the end.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, ON_PURPOSE, assert_balanced, quiet_panics};
use seda_core::{
    Class, Context, DeferError, Graph, Handler, Held, Manual, ManualClock, SendOptions, Sink,
    Source, Stage, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

/// Holds events and sends them on in groups, the rest at its end; panics at zero.
struct Collect {
    size: usize,
    kept: Vec<(u32, Held)>,
    batches: Sink<Vec<u32>>,
}

impl Collect {
    fn flush(&mut self, cx: &mut Context) {
        let (numbers, mut kept): (Vec<u32>, Vec<Held>) = self.kept.drain(..).unzip();
        if let Some(last) = kept.last_mut() {
            last.send(cx, &self.batches, numbers).unwrap();
        }
        kept.into_iter().for_each(Held::release);
    }
}

impl Handler<u32> for Collect {
    fn handle(&mut self, number: u32, cx: &mut Context) {
        if number == 0 {
            std::panic::panic_any(ON_PURPOSE);
        }
        match cx.hold() {
            Ok(held) => self.kept.push((number, held)),
            Err(error) => {
                assert!(matches!(error, DeferError::Limit { .. }), "{error}");
                return;
            }
        }
        if self.kept.len() > self.size {
            self.flush(cx);
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        self.flush(cx);
    }
}

fn collecting(size: usize, workers: usize) -> (Graph, Source<u32>, Stage<u32>) {
    let mut graph = Graph::new("held");
    let collect = graph.stage::<u32>("collect", 64);
    let batches = graph.stage::<Vec<u32>>("batches", 64);
    graph.classes(&[("gold", 3), ("basic", 1)]);
    graph
        .attach(collect, |wire| {
            let batches = wire.sink(batches);
            move || Ok(Collect { size, kept: Vec::new(), batches: batches.clone() })
        })
        .unwrap();
    graph.attach_each(batches, |_wire| |_batch, _cx| {}).unwrap();
    let workers = Some(WorkerRange::new(1, workers));
    graph.configure(collect, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(collect).unwrap();
    (graph, source, collect)
}

fn manual(graph: Graph) -> Manual {
    graph.start_manual(Arc::new(ManualClock::new())).unwrap()
}

#[test]
fn a_held_event_is_pending_and_in_the_budget_until_it_is_released() {
    let (graph, source, _) = collecting(3, 1);
    let mut graph = manual(graph);
    source.send_all(vec![1, 2, 3]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    let collect = &report.stages[0];
    assert_eq!((collect.held, collect.pending, collect.handled), (3, 3, 0));
    assert_eq!(report.budget.used, 3);
    assert_balanced(&report);
    source.send(4).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    let collect = &report.stages[0];
    assert_eq!((collect.held, collect.pending, collect.handled), (0, 0, 4));
    assert_eq!((report.stages[1].handled, report.budget.used), (1, 0));
    assert_balanced(&report);
}

#[test]
fn a_drain_collects_held_events_and_is_complete() {
    let (graph, source, _) = collecting(100, 1);
    let running = graph.start().unwrap();
    source.send_all(vec![1, 2, 3]).unwrap();
    let drained = running.drain(LONG);
    assert!(drained.complete, "{}", drained.report);
    assert_eq!((drained.report.stages[0].handled, drained.report.stages[1].handled), (3, 1));
    assert_eq!(drained.report.budget.used, 0);
    assert_balanced(&drained.report);
}

#[test]
fn a_worker_that_retires_sends_on_its_held_events() {
    let (graph, source, _) = collecting(100, 3);
    let mut graph = manual(graph);
    graph.set_workers("collect", 3);
    // One event per turn, so each of the three workers holds some.
    for number in 1..=9 {
        source.send(number).unwrap();
    }
    graph.run_until_idle();
    assert_eq!(graph.report().stages[0].held, 9);
    graph.set_workers("collect", 1);
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!(report.stages[0].held + report.stages[0].handled, 9);
    assert_eq!(report.stages[0].workers.now, 1);
    assert_balanced(&report);
    let drained = graph.drain(usize::MAX);
    assert_eq!((drained.complete, drained.report.stages[0].handled), (true, 9));
    assert_balanced(&drained.report);
}

#[test]
fn a_panic_costs_the_held_events_of_its_handler() {
    quiet_panics();
    let (graph, source, _) = collecting(100, 1);
    let mut graph = manual(graph);
    source.send_all(vec![1, 2, 0, 4]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    let collect = &report.stages[0];
    assert_eq!((collect.failed, collect.held, collect.pending), (3, 1, 1));
    assert_eq!(report.budget.used, 1);
    assert_balanced(&report);
}

#[test]
fn held_events_are_bounded_by_the_pending_limit() {
    let (mut graph, source, collect) = collecting(100, 1);
    graph.configure(collect, StageConfig { pending: Some(2), ..StageConfig::default() }).unwrap();
    let mut graph = manual(graph);
    source.send_all(vec![1, 2, 3]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].held, report.stages[0].handled), (2, 1));
    assert_balanced(&report);
}

#[test]
fn a_send_for_a_held_event_inherits_from_it() {
    let mut graph = Graph::new("held");
    let first = graph.stage::<u32>("first", 8);
    let second = graph.stage::<u32>("second", 8);
    graph.classes(&[("gold", 3), ("basic", 1)]);
    graph
        .attach(first, |wire| {
            let second = wire.sink(second);
            move || {
                let (second, mut kept) = (second.clone(), None::<Held>);
                Ok(seda_core::each(move |number: u32, cx: &mut Context| match kept.take() {
                    None => kept = Some(cx.hold().unwrap()),
                    Some(mut held) => {
                        held.send(cx, &second, number).unwrap();
                        held.release();
                        // The event in hand keeps its own label.
                        assert_eq!(cx.meta().class(), Class::new(1));
                    }
                }))
            }
        })
        .unwrap();
    graph
        .attach_each(second, |_wire| {
            |_number, cx: &mut Context| {
                assert_eq!(cx.meta().class(), Class::HIGHEST);
                assert_eq!(cx.meta().deadline().as_nanos(), 1_000_000_000);
            }
        })
        .unwrap();
    let source = graph.source(first).unwrap();
    let mut graph = manual(graph);
    let deadline = Some(Duration::from_secs(1));
    source
        .with_options(SendOptions { class: Class::HIGHEST, deadline, ..SendOptions::default() })
        .send(1)
        .unwrap();
    graph.run_until_idle();
    source
        .with_options(SendOptions { class: Class::new(1), ..SendOptions::default() })
        .send(2)
        .unwrap();
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].handled, report.stages[1].handled), (2, 1), "{report}");
    assert_balanced(&report);
}

#[test]
fn held_events_are_pending_in_every_scrape() {
    let (graph, source, _) = collecting(3, 2);
    let running = graph.start().unwrap();
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            (1..=20_000).for_each(|number| source.send_within(number, LONG).unwrap());
        });
        while !sending.is_finished() {
            assert_balanced(&running.report());
        }
    });
    assert!(running.drain(LONG).complete);
}
