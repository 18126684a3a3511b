//! The harness for users' tests shows exactly what the graph does, and fails with a reason.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use seda_core::testing::{Probe, Stepped, Timeline, probe};
use seda_core::{
    Class, Context, Graph, GraphError, LossReason, RefusalReason, Refused, Responder, SendOptions,
    Source, Time,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

/// Returns a graph where `entry` sends each number to `next`, a probe with four places.
fn relay() -> (Stepped, Source<u32>, Probe<u32>) {
    let mut graph = Graph::new("relay");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let entry = graph.stage::<u32>("entry", 8);
    let (next, kept) = probe(&mut graph, "next", 4).unwrap();
    graph
        .attach_each(entry, |wire| {
            let next = wire.sink(next);
            move |n, cx: &mut Context| cx.send(&next, n).unwrap_or_else(Refused::give_up)
        })
        .unwrap();
    let source = graph.source(entry).unwrap();
    (Stepped::start(graph).unwrap(), source, kept)
}

/// Returns a stage that answers even numbers, drops odd ones, and keeps those from ten on.
fn desk() -> (Stepped, Source<(u32, Responder<u32>)>) {
    let mut graph = Graph::new("desk");
    let desk = graph.stage("desk", 8);
    graph
        .attach_each(desk, |_wire| {
            |(n, reply): (u32, Responder<u32>), cx: &mut Context| match n {
                10.. => std::mem::forget((cx.defer().unwrap(), reply)),
                _ if n % 2 == 0 => reply.respond(n),
                _ => {}
            }
        })
        .unwrap();
    let source = graph.source(desk).unwrap();
    (Stepped::start(graph).unwrap(), source)
}

/// Returns the message of an assertion that must fail.
fn complaint<T>(assertion: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(assertion()))).unwrap_err();
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap()
}

#[test]
fn a_probe_keeps_its_events_in_order_with_their_options() {
    let (mut test, source, kept) = relay();
    let terms =
        SendOptions { class: Class::new(1), deadline: Some(MILLI), ..SendOptions::default() };
    let basic = source.with_options(terms);
    (1..=3).for_each(|n| basic.send(n).unwrap());
    assert_eq!(test.run_until_idle(), 6);
    assert_eq!(kept.len(), 3);
    let received = kept.take_with_meta();
    assert_eq!(received.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(received.iter().all(|(_, meta)| meta.class() == Class::new(1)));
    assert!(received.iter().all(|(_, meta)| meta.deadline() == meta.birth().after(MILLI)));
    assert!(kept.is_empty() && kept.take().is_empty());
    test.assert_finished();
}

#[test]
fn a_probe_refuses_as_full_or_closed_and_accepts_again() {
    let (mut test, source, kept) = relay();
    source.send(1).unwrap();
    test.run_until_idle();
    kept.refuse();
    source.send_all(vec![2, 3]).unwrap();
    test.run_until_idle();
    kept.close();
    source.send(4).unwrap();
    test.run_until_idle();
    kept.accept();
    source.send(5).unwrap();
    test.run_until_idle();
    assert_eq!(kept.take(), [1, 5]);
    assert_eq!(test.refused("next", RefusalReason::Full), 2);
    assert_eq!(test.refused("next", RefusalReason::Closed), 1);
    assert_eq!(test.refused("next", RefusalReason::Budget), 0);
    test.assert_finished();
}

#[test]
fn events_queued_before_a_probe_refuses_or_closes_still_reach_it() {
    for shut in [Probe::refuse, Probe::close] {
        let mut graph = Graph::new("queued");
        let (stage, kept) = probe::<u32>(&mut graph, "s", 4).unwrap();
        let source = graph.source(stage).unwrap();
        let mut test = Stepped::start(graph).unwrap();
        source.send(1).unwrap();
        shut(&kept);
        assert!(source.send(2).is_err());
        test.run_until_idle();
        assert_eq!(kept.take(), [1]);
    }
}

#[test]
fn shutting_a_probe_before_the_start_fails_with_the_reason() {
    let mut graph = Graph::new("early");
    let (_stage, kept) = probe::<u32>(&mut graph, "next", 4).unwrap();
    for call in [Probe::refuse, Probe::close, Probe::accept] {
        assert!(complaint(|| call(&kept)).contains("probe `next`: start the graph first"));
    }
}

#[test]
fn a_probe_takes_the_place_of_a_declared_stage_once() {
    let mut graph = Graph::new("twice");
    let stage = graph.stage::<u32>("s", 4);
    let kept = Probe::attach(&mut graph, stage).unwrap();
    let twice = Probe::attach(&mut graph, stage);
    assert!(matches!(twice, Err(GraphError::AttachedTwice { stage }) if stage == "s"));
    let mut other = Graph::new("other");
    assert!(matches!(Probe::attach(&mut other, stage), Err(GraphError::Foreign { .. })));
    let source = graph.source(stage).unwrap();
    let mut test = Stepped::start(graph).unwrap();
    source.send(7).unwrap();
    test.run_until_idle();
    assert_eq!(kept.take(), [7]);
}

#[test]
fn expecting_an_answer_for_a_loss_or_the_reverse_fails_with_the_outcome() {
    let (mut test, source) = desk();
    let ask = |n| source.request(|reply| (n, reply)).unwrap();
    assert_eq!(test.answer(&ask(4)), 4);
    assert_eq!(test.loss(&ask(5)), LossReason::Forgotten);
    test.assert_finished();
    assert!(complaint(|| test.answer(&ask(5))).contains("the request was lost: forgotten"));
    assert!(complaint(|| test.loss(&ask(4))).contains("the request was answered"));
    let kept = ask(10);
    assert!(complaint(|| test.answer(&kept)).contains("the request is still open"));
    let unfinished = complaint(|| test.assert_finished());
    assert!(unfinished.contains("not finished: 1 pending in `desk`, 1 requests open"));
    test.assert_balanced();
}

#[test]
fn the_graph_works_while_time_advances_and_its_queues_wait_while_it_stalls() {
    let (mut test, source, kept) = relay();
    let hurried =
        source.with_options(SendOptions { deadline: Some(MILLI), ..SendOptions::default() });
    hurried.send(1).unwrap();
    assert_eq!(test.advance(MILLI), 2);
    hurried.send(2).unwrap();
    test.stall(MILLI);
    assert_eq!(test.stage("entry").queued, 1);
    assert_eq!(test.run_until_idle(), 0);
    assert_eq!(test.shed("entry", LossReason::Expired), 1);
    assert_eq!(kept.take(), [1]);
    assert_eq!(test.now().since(Time::ZERO), 2 * MILLI);
    test.assert_finished();
}

#[test]
fn actions_run_at_their_moments_while_the_graph_stalls() {
    let (mut test, source, _kept) = relay();
    for n in [2, 1] {
        let source = source.clone();
        test.timeline().after(MILLI * n, move || source.send(n).unwrap());
    }
    test.stall(MILLI * 3);
    assert_eq!((test.stage("entry").queued, test.stage("entry").handled), (2, 0));
    test.run_until_idle();
    assert_eq!(test.stage("entry").wait_seconds.max, Some(0.002));
}

#[test]
fn an_advance_stops_at_each_action_and_the_graph_handles_its_events() {
    let mut graph = Graph::new("timeline");
    let (stage, kept) = probe::<u32>(&mut graph, "s", 4).unwrap();
    let source = graph.source(stage).unwrap();
    let timeline = Timeline::new();
    let mut test = Stepped::start_on(graph, &timeline).unwrap();
    for n in [3, 1, 2] {
        let source = source.clone();
        timeline.after(MILLI * n, move || source.send(n).unwrap());
    }
    assert_eq!(test.advance(MILLI * 2), 2);
    let seen: Vec<_> =
        kept.take_with_meta().iter().map(|(n, meta)| (*n, meta.birth().as_nanos())).collect();
    assert_eq!(seen, [(1, 1_000_000), (2, 2_000_000)]);
    // No event waited: each is handled at its own moment.
    assert_eq!(test.stage("s").wait_seconds.max, Some(0.0));
    assert_eq!((test.timeline().left(), test.advance(MILLI)), (1, 1));
}

#[test]
fn a_graph_that_sends_in_circles_fails_its_test_and_does_not_hang_it() {
    let mut graph = Graph::new("circle");
    let around = graph.stage::<u32>("around", 4);
    graph
        .attach_each(around, |wire| {
            let sink = wire.sink(around);
            move |n, cx: &mut Context| cx.send(&sink, n).unwrap_or_else(Refused::give_up)
        })
        .unwrap();
    let source = graph.source(around).unwrap();
    let mut test = Stepped::start(graph).unwrap();
    source.send(1).unwrap();
    assert!(complaint(|| test.run_until_idle()).contains("the graph sends in an endless cycle"));
}

#[test]
fn the_error_of_an_unknown_stage_lists_all_stages() {
    let (test, _source, _kept) = relay();
    assert_eq!(complaint(|| test.stage("nxt")), "no stage `nxt`; the stages are `entry`, `next`");
}

#[test]
fn a_drain_handles_all_queued_events_and_reports() {
    let (test, source, kept) = relay();
    source.send_all(vec![1, 2]).unwrap();
    let drained = test.drain();
    assert!(drained.complete);
    assert_eq!((drained.report.events.handled, kept.len()), (4, 2));
}

#[test]
fn a_delayed_event_arrives_at_its_moment() {
    let mut graph = Graph::new("later");
    let retry = graph.stage::<u32>("retry", 8);
    let (done, kept) = probe::<(u32, u64)>(&mut graph, "done", 8).unwrap();
    graph
        .attach_each(retry, |wire| {
            let (again, done) = (wire.sink(retry), wire.sink(done));
            move |n, cx: &mut Context| {
                let millis = cx.now().as_nanos() / 1_000_000;
                cx.send(&done, (n, millis)).unwrap_or_else(Refused::give_up);
                if n < 3 {
                    let delay = Duration::from_millis(10 << n);
                    cx.send_after(delay, &again, n + 1).unwrap_or_else(Refused::give_up);
                }
            }
        })
        .unwrap();
    let source = graph.source(retry).unwrap();
    let mut test = Stepped::start(graph).unwrap();
    source.send(0).unwrap();
    test.advance(Duration::from_secs(1));
    assert_eq!(kept.take(), [(0, 0), (1, 10), (2, 30), (3, 70)]);
    test.assert_finished();
}
