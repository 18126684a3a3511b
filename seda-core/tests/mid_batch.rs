//! A scrape in the middle of a batch: the budget covers every event in it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced};
use seda_core::{Context, Graph, Report, Sink};
use std::time::Duration;

/// Returns a report taken while the second event of a batch of two is in hand, after `send` ran
/// for both.
fn amid_two(send: impl Fn(&mut Context, &Sink<u32>) + Clone + Send + Sync + 'static) -> Report {
    let mut graph = Graph::new("g");
    let pool = graph.hosted_pool("hosted", 1);
    let (first, second) = (graph.stage::<u32>("first", 64), graph.stage::<u32>("second", 64));
    let gate = Gate::default();
    let held = gate.clone();
    graph
        .attach_each_in(&pool, first, |wire| {
            let second = wire.sink(second);
            move |event: u32, cx: &mut Context| {
                if event > 0 {
                    send(cx, &second);
                }
                if event == 2 {
                    held.pass();
                }
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(first).unwrap();
    let running = graph.start().unwrap();
    let mut worker = running.hosted_workers(pool).pop().unwrap();
    // The first batch has one event, because the service time is still unknown.
    source.send(0).unwrap();
    let _ran = worker.turn();
    source.send_all(vec![1, 2]).unwrap();
    let report = std::thread::scope(|scope| {
        let (turning, gate) = (&mut worker, gate.clone());
        scope.spawn(move || while turning.turn() == seda_core::Turn::Ran(1) {});
        gate.wait_for(1);
        let report = running.report();
        gate.open();
        report
    });
    drop(worker);
    assert_balanced(&running.drain(LONG).report);
    report
}

#[test]
fn a_flushed_event_has_a_place_besides_those_of_its_unfinished_batch() {
    assert_balanced(&amid_two(|cx, second| {
        cx.send(second, 0).unwrap();
        cx.flush();
    }));
}

#[test]
fn a_delayed_event_has_a_place_besides_those_of_its_unfinished_batch() {
    assert_balanced(&amid_two(|cx, second| {
        cx.send_after(Duration::from_secs(3_600), second, 0).unwrap();
    }));
}
