//! Reserved and leased places against closing and ending: no place is lost, no event stranded.
//!
//! Protocol. A place that was given stays good, also when its stage is closed or the graph has
//! ended. An event sent through it beyond the end finds nobody who would take it, so whoever sends
//! it gives it up. For none to fall between the two, the end is set before the queues are emptied
//! for the last time, and a sender looks for it after it has pushed: by the order of the stage's
//! lock one of the two sees the other. What is leased ahead goes back when the worker has nothing
//! to send.
//!
//! Whole graphs. shuttle, random and PCT schedules.

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
        // One place is used, and one goes back unused.
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
fn an_event_sent_beyond_the_end_is_given_up_by_its_sender() {
    holds(SCHEDULES, a_graph_ends_while_places_are_held);
}

#[test]
fn if_the_sender_does_not_look_for_the_end_it_is_stranded() {
    fails(SCHEDULES, Flaw::EndUnseen, "stranded", a_graph_ends_while_places_are_held);
}

#[test]
fn if_the_end_is_set_too_late_it_is_stranded() {
    fails(SCHEDULES, Flaw::EmptiedBeforeTheEnd, "stranded", a_graph_ends_while_places_are_held);
}

#[test]
fn what_was_sent_into_a_closing_stage_ends_in_one_way() {
    holds(SCHEDULES, a_stage_closes_while_events_are_sent_on_into_leased_places);
}

#[test]
fn leased_places_come_back() {
    holds(SCHEDULES, events_are_sent_on_into_leased_places);
}

#[test]
fn if_a_worker_keeps_its_lease_they_do_not() {
    let why = "every place is free again";
    fails(SCHEDULES, Flaw::LeaseKept, why, events_are_sent_on_into_leased_places);
}
