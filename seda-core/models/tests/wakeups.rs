//! Lost wake-ups: no event waits beside a parked worker.
//!
//! Protocol of the pool's idle list:
//! 1. A sender publishes its event, then checks for an idle worker.
//! 2. A worker registers as idle, checks the queues once more, then parks.
//!
//! Both have a full fence between their steps, so at least one of the two sees the other. While a
//! wake-up is in progress no other one is sent. A wake-up that finds no idle worker is called off
//! before a worker can register that would rely on it.
//!
//! Fences are more than a matter of schedules, so loom checks them: every schedule up to a number
//! of preemptions, with every value that the C11 memory model lets a load return. There are two
//! models: a whole graph with one sender, and the idle list and the parking place alone with two
//! senders. A whole graph with two would take a million schedules.

use crate::checker::thread::spawn;
use crate::checker::{Bound, DEADLOCK, fails, holds};
use crate::support::{Bell, graph, workers};
use seda_core::modelled::{Flaw, Modelled, Wakeups};
use std::sync::Arc;

/// 32,000 schedules.
const GRAPH: Bound = Bound(3);
/// 57,000 schedules. A wake-up that is called off late takes four preemptions to be lost.
const ALONE: Bound = Bound(4);

fn a_worker_of_a_graph_goes_to_sleep_while_an_event_is_sent() {
    let mut graph = graph(4);
    let stage = graph.stage::<u32>("s", 4);
    graph.configure(stage, workers(1, 1)).unwrap();
    let handled = Bell::new();
    let bell = Arc::clone(&handled);
    graph.attach_each(stage, move |_wire| move |_event, _cx| bell.ring()).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Modelled::start(graph);
    let sender = spawn(move || source.send(1).unwrap());
    handled.wait_for(1);
    sender.join().unwrap();
    graph.stop();
}

fn a_worker_goes_to_sleep_while_two_events_are_sent() {
    let wakeups = Arc::new(Wakeups::default());
    let senders = [Arc::clone(&wakeups), Arc::clone(&wakeups)];
    let senders = senders.map(|wakeups| spawn(move || wakeups.send()));
    wakeups.take(2);
    for sender in senders {
        sender.join().unwrap();
    }
}

#[test]
fn no_event_waits_beside_a_parked_worker_of_a_graph() {
    holds(GRAPH, a_worker_of_a_graph_goes_to_sleep_while_an_event_is_sent);
}

#[test]
fn no_event_waits_beside_a_parked_worker() {
    holds(ALONE, a_worker_goes_to_sleep_while_two_events_are_sent);
}

#[test]
fn if_the_sender_has_no_fence_an_event_waits_beside_a_parked_worker() {
    fails(ALONE, Flaw::NoFenceInWake, DEADLOCK, a_worker_goes_to_sleep_while_two_events_are_sent);
}

#[test]
fn if_the_sender_has_no_fence_an_event_waits_beside_a_parked_worker_of_a_graph() {
    let model = a_worker_of_a_graph_goes_to_sleep_while_an_event_is_sent;
    fails(GRAPH, Flaw::NoFenceInWake, DEADLOCK, model);
}

#[test]
fn if_the_worker_has_no_fence_it_parks_beside_an_event() {
    fails(ALONE, Flaw::NoFenceInEnter, DEADLOCK, a_worker_goes_to_sleep_while_two_events_are_sent);
}

#[test]
fn if_a_wake_up_is_called_off_late_an_event_waits_beside_a_parked_worker() {
    fails(ALONE, Flaw::LateCallOff, DEADLOCK, a_worker_goes_to_sleep_while_two_events_are_sent);
}
