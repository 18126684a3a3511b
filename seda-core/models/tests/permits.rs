//! Reserved and leased places against a close and an end: no place is lost, no event is stranded.
//!
//! Protocol. A reserved place stays valid after its stage is closed or the graph has ended. No
//! worker takes an event that is sent after the end, so its sender sheds it:
//! 1. The graph sets the end, then empties the queues for the last time.
//! 2. A sender pushes its event, then checks for the end.
//!
//! The stage's lock orders the two, so at least one sees the other. A worker returns the places it
//! leased ahead when it has nothing to send.
//!
//! The models run whole graphs under shuttle's random and PCT schedules.

use crate::checker::{Bound, fails, holds, thread::spawn};
use crate::ledgers::{Count, assert_balanced, assert_ended};
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};
use std::sync::Arc;

const SCHEDULES: Bound = Bound(5_000);

fn a_graph_ends_while_places_are_held() {
    let mut graph = graph(8);
    let stage = graph.stage::<u32>("s", 8);
    graph.configure(stage, workers(1, 1)).unwrap();
    let ends = Arc::new(Count::default());
    let (handled, lost) = (Arc::clone(&ends), Arc::clone(&ends));
    graph.attach_each(stage, |_wire| move |_event, _cx| handled.add(1)).unwrap();
    graph.on_lost(stage, move |_event, _reason| lost.add(1)).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Modelled::start(graph);
    let mut permits = source.reserve(2).unwrap();
    let holder = spawn(move || {
        // One place is used; the other one returns unused.
        permits.send(1).unwrap();
    });
    let sent = Arc::new(Count::default());
    let sends = Arc::clone(&sent);
    let sender = spawn(move || sends.add(usize::from(source.send(2).is_ok())));
    graph.end();
    holder.join().unwrap();
    sender.join().unwrap();
    assert_ended(&graph.report());
    assert_eq!(ends.get(), 1 + sent.get());
}

fn a_stage_closes_while_events_are_sent_on_into_leased_places() {
    let (graph, source, _) = a_chain();
    let sender = spawn(move || source.send_all(vec![1, 2]).unwrap());
    graph.close("b");
    sender.join().unwrap();
    graph.wait_quiet();
    let drained = graph.end();
    assert_ended(&drained.report);
    let [a, b] = drained.report.stages.as_slice() else { panic!("two stages") };
    assert_eq!((a.handled, b.offered), (2, 2));
}

fn events_are_sent_on_into_leased_places() {
    let (graph, source, beside) = a_chain();
    let sender = spawn(move || source.send_all(vec![1, 2]).unwrap());
    let other = beside.clone();
    let rival = spawn(move || drop(other.reserve(2).unwrap()));
    sender.join().unwrap();
    rival.join().unwrap();
    graph.wait_quiet();
    graph.wait_parked("a", 1);
    graph.wait_parked("b", 1);
    assert_balanced(&graph.report());
    drop(beside.reserve(8).expect("every place is free again"));
    assert_ended(&graph.end().report);
}

fn a_chain() -> (Modelled, seda_core::Source<u32>, seda_core::Source<u32>) {
    let mut graph = graph(16);
    let (a, b) = (graph.stage::<u32>("a", 8), graph.stage::<u32>("b", 8));
    graph.configure(a, workers(1, 1)).unwrap();
    graph.configure(b, workers(1, 1)).unwrap();
    graph
        .attach_each(a, |wire| {
            let b = wire.sink(b);
            move |event, cx| drop(cx.send(&b, event))
        })
        .unwrap();
    graph.attach_each(b, |_wire| |_event, _cx| {}).unwrap();
    let sources = (graph.source(a).unwrap(), graph.source(b).unwrap());
    (Modelled::start(graph), sources.0, sources.1)
}

#[test]
fn an_event_sent_after_the_end_is_shed_by_its_sender() {
    holds(SCHEDULES, a_graph_ends_while_places_are_held);
}

#[test]
fn if_the_sender_does_not_check_for_the_end_its_event_is_stranded() {
    fails(SCHEDULES, Flaw::EndUnseen, "stranded", a_graph_ends_while_places_are_held);
}

#[test]
fn if_the_end_is_set_after_the_queues_are_emptied_an_event_is_stranded() {
    fails(SCHEDULES, Flaw::EmptiedBeforeTheEnd, "stranded", a_graph_ends_while_places_are_held);
}

#[test]
fn an_event_sent_into_a_closing_stage_ends_exactly_once() {
    holds(SCHEDULES, a_stage_closes_while_events_are_sent_on_into_leased_places);
}

#[test]
fn leased_places_are_returned() {
    holds(SCHEDULES, events_are_sent_on_into_leased_places);
}

#[test]
fn if_a_worker_keeps_its_lease_places_are_lost() {
    let why = "every place is free again";
    fails(SCHEDULES, Flaw::LeaseKept, why, events_are_sent_on_into_leased_places);
}
