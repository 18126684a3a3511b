//! A drain against deferred events: the drain ends when the last one is completed, not before.
//!
//! Protocol of the drain:
//! 1. The drain registers as a watcher and takes the lock.
//! 2. It checks whether anything is in use, and waits if so.
//! 3. The thread that credits the last place checks for watchers and notifies them under the same
//!    lock, so the notification never falls between steps 1 and 2.
//!
//! Protocol of a source that waits for space:
//! 1. The source registers as a waiter and reads the generation.
//! 2. It attempts once more, and waits only if the generation is still the same.
//! 3. Each announcement of space increments the generation. A failed attempt announces nothing, or
//!    it would end its own wait.
//!
//! Other threads complete the pending events. The models run whole graphs and the crate's
//! drain up to the end of its workers, under shuttle's random and PCT schedules.

use crate::checker::{Bound, DEADLOCK, LIVELOCK, fails, holds, thread::spawn};
use crate::ledgers::assert_ended;
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};
use seda_core::{Graph, Source};
use std::time::Duration;

const SCHEDULES: Bound = Bound(5_000);

/// Returns a graph with a first stage that defers; another thread sends the event on and completes
/// it.
fn deferring(budget: usize) -> (Graph, Source<u32>) {
    let mut graph = graph(budget);
    let (ask, use_answer) = (graph.stage::<u32>("ask", 4), graph.stage::<u32>("use", 4));
    graph.configure(ask, workers(1, 1)).unwrap();
    graph.configure(use_answer, workers(1, 1)).unwrap();
    graph
        .attach_each(ask, |wire| {
            let use_answer = wire.sink(use_answer);
            move |event, cx| {
                let mut pending = cx.defer().unwrap();
                let use_answer = use_answer.clone();
                spawn(move || {
                    let _ = pending.send(&use_answer, event);
                    pending.complete();
                });
            }
        })
        .unwrap();
    graph.attach_each(use_answer, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(ask).unwrap();
    (graph, source)
}

fn a_drain_meets_deferred_events() {
    let (graph, source) = deferring(8);
    let graph = Modelled::start(graph);
    source.send_all(vec![1, 2]).unwrap();
    graph.finish_all();
    let drained = graph.end();
    assert_ended(&drained.report);
    assert!(drained.complete);
    assert_eq!(drained.report.events.handled, 4);
}

fn a_source_waits_for_the_place_of_a_deferred_event() {
    let (graph, source) = deferring(1);
    let graph = Modelled::start(graph);
    for event in 0..2 {
        source.send_within(event, Duration::from_secs(1)).unwrap();
    }
    graph.finish_all();
    let drained = graph.end();
    assert_ended(&drained.report);
    let asked = &drained.report.stages[0];
    assert_eq!((asked.handled, asked.refused.len()), (2, 0));
}

#[test]
fn a_drain_ends_when_the_last_deferred_event_does() {
    holds(SCHEDULES, a_drain_meets_deferred_events);
}

#[test]
fn if_the_drain_is_notified_without_the_lock_it_waits_for_ever() {
    fails(SCHEDULES, Flaw::ToldWithoutLock, DEADLOCK, a_drain_meets_deferred_events);
}

#[test]
fn a_source_that_waits_for_space_is_notified() {
    holds(SCHEDULES, a_source_waits_for_the_place_of_a_deferred_event);
}

#[test]
fn if_a_failed_attempt_is_announced_the_source_never_sleeps() {
    let model = a_source_waits_for_the_place_of_a_deferred_event;
    fails(SCHEDULES, Flaw::FailureIsNews, LIVELOCK, model);
}

#[test]
fn if_announcements_are_not_counted_the_source_waits_for_ever() {
    let model = a_source_waits_for_the_place_of_a_deferred_event;
    fails(SCHEDULES, Flaw::NoGeneration, DEADLOCK, model);
}
