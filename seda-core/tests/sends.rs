//! Invariant 3: a handler's send never blocks, and its answer is final when it returns.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::assert_balanced;
use seda_core::testing::{Stepped, Timeline, probe};
use seda_core::{
    Class, Context, Graph, LossReason, Manual, ManualClock, RefusalReason, SendOptions, Sink,
    Source, Stage, each,
};
use std::sync::Arc;
use std::time::Duration;

type Send2 = fn(&mut Context, &Sink<u32>, &Sink<u32>, u32);

/// Returns a graph where `entry` runs `send`, which sends to `left` (capacity 4) and `right`
/// (capacity 2).
fn fan(send: Send2) -> (Manual, Source<u32>, Arc<ManualClock>) {
    let mut graph = Graph::new("fan");
    let entry = graph.stage::<u32>("entry", 64);
    let left = graph.stage::<u32>("left", 4);
    let right = graph.stage::<u32>("right", 2);
    graph
        .attach(entry, |wire| {
            let (left, right) = (wire.sink(left), wire.sink(right));
            move || {
                let (left, right) = (left.clone(), right.clone());
                Ok(each(move |event: u32, cx: &mut Context| send(cx, &left, &right, event)))
            }
        })
        .unwrap();
    hold(&mut graph, left);
    hold(&mut graph, right);
    let source = graph.source(entry).unwrap();
    let clock = Arc::new(ManualClock::new());
    let manual = graph.start_manual(clock.clone()).unwrap();
    // Only the worker of `entry` runs in these tests: the other factories fail.
    (manual, source, clock)
}

/// Attaches a factory that fails, so the queue keeps its events.
fn hold(graph: &mut Graph, stage: Stage<u32>) {
    let handler = |_event: u32, _cx: &mut Context| {};
    graph
        .attach(stage, move |_wire| {
            move || if false { Ok(each(handler)) } else { Err("not yet".into()) }
        })
        .unwrap();
}

fn depths(manual: &Manual) -> Vec<usize> {
    manual.report().stages.iter().map(|stage| stage.queue.depth).collect()
}

#[test]
fn a_send_to_a_full_queue_comes_back_and_is_counted_although_ignored() {
    let (mut manual, source, _) = fan(|cx, left, _, event| {
        if let Err(refused) = cx.send(left, event) {
            assert_eq!((refused.reason(), refused.into_event()), (RefusalReason::Full, event));
        }
    });
    source.send_all((0..10).collect()).unwrap();
    manual.run(10);
    let report = manual.report();
    assert_eq!(report.stages[1].queue.depth, 4);
    assert_eq!(report.stages[1].refused["full"], 6);
    assert_eq!(report.edges.iter().find(|e| e.to == "left").unwrap().refused, 6);
    assert_balanced(&report);
}

#[test]
fn send_all_takes_all_or_none() {
    let (mut manual, source, _) = fan(|cx, left, _, event| {
        drop(cx.send_all(left, vec![event; 3]));
    });
    source.send_all(vec![1, 2]).unwrap();
    manual.run(2);
    assert_eq!(depths(&manual), [0, 3, 0]);
    assert_eq!(manual.report().stages[1].refused["full"], 3);
}

#[test]
fn send_both_takes_both_or_neither() {
    let (mut manual, source, _) = fan(|cx, left, right, event| {
        drop(cx.send_both((left, event), (right, event)));
    });
    source.send_all(vec![1, 2, 3]).unwrap();
    manual.run(3);
    assert_eq!(depths(&manual), [0, 2, 2]);
    let report = manual.report();
    assert_eq!(report.stages[2].refused["full"], 1);
    assert!(report.stages[1].refused.is_empty());
    assert_balanced(&report);
}

#[test]
fn more_than_the_queue_can_ever_hold_is_too_large_not_full() {
    let (mut manual, source, _) = fan(|cx, left, _, event| {
        let refused = cx.send_all(left, vec![event; 5]).unwrap_err();
        assert_eq!(refused.reason(), RefusalReason::TooLarge);
    });
    source.send(1).unwrap();
    manual.run(1);
    assert_eq!(manual.report().stages[1].refused["too_large"], 5);
    let refused = source.send_all(vec![0; 65]).unwrap_err();
    assert_eq!((refused.reason(), refused.into_event().len()), (RefusalReason::TooLarge, 65));
}

#[test]
fn permits_count_as_places_until_they_are_released() {
    let (mut manual, source, _) = fan(|cx, left, _, event| {
        let mut permits = cx.reserve(left, 3).unwrap();
        assert_eq!(cx.send_all(left, vec![0, 0]).unwrap_err().reason(), RefusalReason::Full);
        permits.send(event).unwrap();
        assert_eq!(permits.left(), 2);
        drop(permits);
        cx.send_all(left, vec![0, 0, 0]).unwrap();
    });
    source.send(7).unwrap();
    manual.run(1);
    assert_eq!(depths(&manual), [0, 4, 0]);
    assert_balanced(&manual.report());
}

#[test]
fn a_permit_that_is_used_up_gives_the_event_back() {
    let (_manual, source, _) = fan(|_, _, _, _| {});
    let mut permits = source.reserve(1).unwrap();
    permits.send(1).unwrap();
    assert_eq!(permits.send(2).unwrap_err().into_event(), 2);
}

#[test]
fn an_expired_event_is_neither_sent_on_nor_admitted() {
    let (mut manual, source, clock) = fan(|cx, left, _, event| drop(cx.send(left, event)));
    let source = source.with_options(SendOptions {
        class: Class::HIGHEST,
        deadline: Some(Duration::from_millis(5)),
        ..SendOptions::default()
    });
    source.send(1).unwrap();
    clock.advance(Duration::from_millis(5));
    manual.run(9);
    let report = manual.report();
    assert_eq!(report.stages[0].shed["expired"], 1);
    assert_eq!(report.stages[0].handled, 0);
    let infeasible = source
        .with_options(SendOptions { deadline: Some(Duration::ZERO), ..SendOptions::default() });
    assert_eq!(infeasible.send(1).unwrap_err().reason(), RefusalReason::Expired);
    assert_balanced(&manual.report());
}

#[test]
fn an_event_that_expires_in_hand_neither_sends_nor_reserves() {
    let timeline = Timeline::new();
    let mut graph = Graph::new("late");
    let stage = graph.stage::<u32>("stage", 8);
    let (next, kept) = probe::<u32>(&mut graph, "next", 8).unwrap();
    graph
        .attach_each(stage, |wire| {
            let (next, clock) = (wire.sink(next), timeline.clock());
            move |n, cx: &mut Context| {
                if n == 0 {
                    return clock.advance(Duration::from_micros(2));
                }
                let reasons = [
                    cx.send(&next, n).err().map(|refused| refused.reason()),
                    cx.reserve(&next, 1).err().map(|refusal| refusal.reason()),
                ];
                // The first is in time; the second, of the same batch, is late.
                let expected = if n == 1 { None } else { Some(RefusalReason::Expired) };
                assert_eq!(reasons, [expected; 2]);
                clock.advance(Duration::from_millis(1));
            }
        })
        .unwrap();
    graph.configure(stage, crate::support::workers(1)).unwrap();
    let source = graph.source(stage).unwrap();
    let mut test = Stepped::start_on(graph, &timeline).unwrap();
    // After some events of 2 µs the worker takes two at once, and times each.
    for _ in 0..4 {
        source.send_all(vec![0; 8]).unwrap();
        test.run_until_idle();
    }
    let deadline = Some(Duration::from_millis(1));
    let hurried = source.with_options(SendOptions { deadline, ..SendOptions::default() });
    hurried.send_all(vec![1, 2]).unwrap();
    test.run_until_idle();
    // The event that the first sent is late when it arrives.
    assert_eq!((test.stage("stage").handled, kept.len()), (4 * 8 + 2, 0));
    assert_eq!(test.shed("next", LossReason::Expired), 1);
    assert_eq!(test.refused("next", RefusalReason::Expired), 2);
    test.assert_finished();
}

#[test]
fn a_sent_event_inherits_class_deadline_and_birth() {
    let mut graph = Graph::new("inherit");
    graph.classes(&[("gold", 2), ("basic", 1)]);
    let first = graph.stage::<u32>("first", 8);
    let (second, received) = probe(&mut graph, "second", 8).unwrap();
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |n, cx: &mut Context| cx.send(&second, n).unwrap()
        })
        .unwrap();
    let source = graph.source(first).unwrap();
    let mut test = Stepped::start(graph).unwrap();
    test.advance(Duration::from_secs(1));
    let (birth, deadline) = (test.now(), Duration::from_secs(9));
    // An undeclared class counts as the last one.
    let terms =
        SendOptions { class: Class::new(7), deadline: Some(deadline), ..SendOptions::default() };
    source.with_options(terms).send(1).unwrap();
    test.advance(Duration::from_secs(1));
    let (_, meta) = received.take_with_meta().remove(0);
    assert_eq!((meta.class(), meta.deadline()), (Class::new(1), birth.after(deadline)));
    assert_eq!(meta.birth(), birth);
}

#[test]
fn before_the_start_and_in_a_drain_the_entry_is_closed() {
    let mut graph = Graph::new("closed");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach(stage, |_wire| || Ok(each(|_: u32, _: &mut Context| {}))).unwrap();
    let source = graph.source(stage).unwrap();
    assert_eq!(source.send(1).unwrap_err().reason(), RefusalReason::Closed);
    let manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send(2).unwrap();
    assert!(manual.drain(10).complete);
    assert_eq!(source.send(3).unwrap_err().reason(), RefusalReason::Closed);
}

#[test]
fn a_soft_capacity_can_be_lowered_live_and_queued_events_stay() {
    let (mut manual, source, _) = fan(|cx, left, _, event| drop(cx.send(left, event)));
    source.send_all(vec![1, 2, 3]).unwrap();
    manual.run(3);
    assert!(manual.set_soft_capacity("left", 1));
    source.send(4).unwrap();
    manual.run(1);
    let report = manual.report();
    assert_eq!((report.stages[1].queue.depth, report.stages[1].queue.soft), (3, 1));
    assert_eq!(report.stages[1].refused["full"], 1);
}

#[test]
fn ping_pong_between_full_queues_ends() {
    let mut graph = Graph::new("ping-pong");
    let ping = graph.stage::<u32>("ping", 4);
    let pong = graph.stage::<u32>("pong", 4);
    for (from, to) in [(ping, pong), (pong, ping)] {
        graph
            .attach(from, |wire| {
                let to = wire.sink(to);
                move || {
                    let to = to.clone();
                    // Two sends for each event keep both queues full.
                    Ok(each(move |n: u32, cx: &mut Context| {
                        if n > 0 {
                            drop(cx.send(&to, n - 1));
                            drop(cx.send(&to, n - 1));
                        }
                    }))
                }
            })
            .unwrap();
    }
    let source = graph.source(ping).unwrap();
    let running = graph.start().unwrap();
    source.send_all(vec![10_000; 4]).unwrap();
    let drained = running.drain(crate::support::LONG);
    assert!(drained.complete, "{}", drained.report);
    assert!(drained.report.events.refused > 0);
    assert_balanced(&drained.report);
}

#[test]
fn a_waiting_source_sends_once_a_place_is_free_and_fails_at_its_limit() {
    let gate = crate::support::Gate::default();
    let mut graph = Graph::new("wait");
    let stage = graph.stage::<u32>("s", 1);
    let held = gate.clone();
    graph
        .attach(stage, move |_wire| {
            move || {
                let gate = held.clone();
                Ok(each(move |_: u32, _: &mut Context| gate.pass()))
            }
        })
        .unwrap();
    graph
        .configure(
            stage,
            seda_core::StageConfig {
                workers: Some(seda_core::WorkerRange::exactly(1)),
                ..Default::default()
            },
        )
        .unwrap();
    graph.budget(8);
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    source.send(1).unwrap();
    gate.wait_for(1);
    source.send(2).unwrap();
    let refused = source.send_within(3, Duration::from_millis(1)).unwrap_err();
    assert_eq!((refused.reason(), refused.into_event()), (RefusalReason::Full, 3));
    let waiting = {
        let source = source.clone();
        std::thread::Builder::new()
            .spawn(move || source.send_within(4, crate::support::LONG))
            .unwrap()
    };
    gate.open();
    waiting.join().unwrap().unwrap();
    let drained = running.drain(crate::support::LONG);
    assert_eq!((drained.report.events.handled, drained.report.events.refused), (3, 1));
    assert_balanced(&drained.report);
}
