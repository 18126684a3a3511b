//! Eviction against a worker: each event ends once, and the budget stays exact.
//!
//! Protocol. The valve looks at the queues one after the other, chooses a victim, and evicts it
//! under its queue's lock. A worker may have taken the victim in between. The valve therefore gains
//! the events that it evicted, never those that it saw. A victim's place in the budget passes to
//! the sender directly.
//!
//! The model has two senders of different classes at a budget of two, one worker, and a scrape in
//! between. It runs the crate's queue, valve, budget and worker loop, under shuttle's random and
//! PCT schedules.

use crate::checker::{Bound, fails, holds, thread::spawn, thread::yield_now};
use crate::ledgers::{Count, assert_balanced, assert_ended};
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};
use seda_core::{Class, SendOptions};
use std::sync::Arc;

const SCHEDULES: Bound = Bound(5_000);
/// The message of the ledgers when the budget and the events differ.
const WRONG: &str = "the budget";

fn the_valve_meets_a_worker() {
    let mut graph = graph(2);
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let stage = graph.stage::<usize>("s", 4);
    graph.configure(stage, workers(1, 1)).unwrap();
    let ends: Arc<[Count; 4]> = Arc::default();
    let (handled, lost) = (Arc::clone(&ends), Arc::clone(&ends));
    graph.attach_each(stage, |_wire| move |event: usize, _cx| handled[event].add(1)).unwrap();
    graph.on_lost(stage, move |event, _reason| lost[event].add(1)).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Modelled::start(graph);
    let senders = [(1, [0, 1]), (0, [2, 3])].map(|(class, events)| {
        let class = SendOptions { class: Class::new(class), ..SendOptions::default() };
        let (source, ends) = (source.with_options(class), Arc::clone(&ends));
        spawn(move || {
            for event in events {
                if source.send(event).is_err() {
                    ends[event].add(1);
                }
            }
        })
    });
    assert_balanced(&graph.report());
    for sender in senders {
        sender.join().unwrap();
    }
    // The budget itself is under test, so the wait does not rely on it.
    while ends.iter().map(Count::get).sum::<usize>() < 4 {
        graph.tell_owners();
        yield_now();
    }
    assert_eq!(ends.each_ref().map(Count::get), [1; 4], "each event ends once");
    graph.wait_parked("s", 1);
    assert_eq!(graph.budget(), (0, 2), "the budget is exact when nothing is inside");
    assert_ended(&graph.end().report);
}

#[test]
fn each_event_ends_once_and_the_budget_is_exact() {
    holds(SCHEDULES, the_valve_meets_a_worker);
}

#[test]
fn if_the_valve_counts_the_events_it_saw_the_budget_is_wrong() {
    fails(SCHEDULES, Flaw::SeenIsGained, WRONG, the_valve_meets_a_worker);
}
