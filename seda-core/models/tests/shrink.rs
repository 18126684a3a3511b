//! Work in a shared pool against its shrinking: no event is stranded, every handler is finished.
//!
//! Protocol.
//! - At the end of its batch a worker wakes no worker of its own pool, because it looks at all
//!   queues of the pool itself before it parks. It wakes another one for events that it cannot take
//!   at once.
//! - A retiring worker finishes its handlers and does not look at the queues again. It wakes
//!   another one for the events that its handlers sent.
//! - A pool that shrinks wakes all its idle workers. Otherwise a surplus worker would stay,
//!   together with the events its handler holds.
//!
//! The models run a whole graph with two workers and two stages in one pool, under shuttle's random
//! and PCT schedules.

use crate::checker::{Bound, DEADLOCK, LIVELOCK, fails, holds, thread::spawn};
use crate::ledgers::{Count, assert_ended};
use crate::support::{Bell, graph};
use seda_core::modelled::{Flaw, Modelled};
use seda_core::{Context, Handler, Sink, WorkerRange};
use std::sync::Arc;

const SCHEDULES: Bound = Bound(5_000);

/// A handler that holds its events until it is finished.
struct Holds {
    held: Vec<u32>,
    next: Sink<u32>,
    finished: Arc<Count>,
}

impl Handler<u32> for Holds {
    fn handle(&mut self, event: u32, _cx: &mut Context) {
        self.held.push(event);
    }

    fn finish(&mut self, cx: &mut Context) {
        self.finished.add(1);
        for event in self.held.drain(..) {
            cx.send(&self.next, event).unwrap();
        }
    }
}

fn a_pool_shrinks_while_its_workers_hold_events() {
    let mut graph = graph(8);
    let pool = graph.pool("p", WorkerRange::new(1, 2));
    let (hold, next) = (graph.stage::<u32>("hold", 8), graph.stage::<u32>("next", 8));
    let (made, finished, arrived) = <(Arc<Count>, Arc<Count>, Arc<Count>)>::default();
    let (makes, finishes, arrives) = (made.clone(), finished.clone(), arrived.clone());
    graph
        .attach_in(&pool, hold, |wire| {
            let next = wire.sink(next);
            move || {
                makes.add(1);
                let finished = Arc::clone(&finishes);
                Ok(Holds { held: Vec::new(), next: next.clone(), finished })
            }
        })
        .unwrap();
    graph.attach_each_in(&pool, next, |_wire| move |_event, _cx| arrives.add(1)).unwrap();
    let source = graph.source(hold).unwrap();
    let graph = Modelled::start(graph);
    graph.set_workers("p", 2);
    let sender = spawn(move || {
        source.send(1).unwrap();
        source.send(2).unwrap();
    });
    graph.set_workers("p", 1);
    graph.wait_workers("p", 1);
    sender.join().unwrap();
    // The remaining worker takes the events that the other one held.
    graph.wait_quiet();
    graph.finish_all();
    let drained = graph.end();
    assert_ended(&drained.report);
    assert_eq!((made.get(), arrived.get()), (finished.get(), 2));
}

fn a_batch_leaves_two_events_in_its_own_pool_that_need_two_workers() {
    let mut graph = graph(8);
    let pool = graph.pool("p", WorkerRange::exactly(2));
    let (split, meet) = (graph.stage::<u32>("split", 8), graph.stage::<u32>("meet", 8));
    graph
        .attach_each_in(&pool, split, |wire| {
            let meet = wire.sink(meet);
            move |event, cx| cx.send_all(&meet, vec![event, event]).unwrap()
        })
        .unwrap();
    let met = Bell::new();
    let bell = Arc::clone(&met);
    graph
        .attach_each_in(&pool, meet, |_wire| {
            move |_event, _cx| {
                bell.ring();
                bell.wait_for(2);
            }
        })
        .unwrap();
    let source = graph.source(split).unwrap();
    let graph = Modelled::start(graph);
    source.send(1).unwrap();
    graph.wait_quiet();
    let drained = graph.end();
    assert_ended(&drained.report);
    assert_eq!(drained.report.events.handled, 3);
}

#[test]
fn the_events_held_by_a_retiring_worker_are_taken_by_the_remaining_one() {
    holds(SCHEDULES, a_pool_shrinks_while_its_workers_hold_events);
}

#[test]
fn if_a_retiring_worker_wakes_no_other_its_events_are_stranded() {
    let model = a_pool_shrinks_while_its_workers_hold_events;
    fails(SCHEDULES, Flaw::SilentRetirement, DEADLOCK, model);
}

#[test]
fn if_idle_workers_are_not_woken_the_pool_does_not_shrink() {
    fails(SCHEDULES, Flaw::SilentShrink, LIVELOCK, a_pool_shrinks_while_its_workers_hold_events);
}

#[test]
fn no_worker_idles_while_another_leaves_work_in_their_pool() {
    holds(SCHEDULES, a_batch_leaves_two_events_in_its_own_pool_that_need_two_workers);
}

#[test]
fn if_work_is_not_passed_on_a_worker_idles_beside_it() {
    let model = a_batch_leaves_two_events_in_its_own_pool_that_need_two_workers;
    fails(SCHEDULES, Flaw::WorkNotPassedOn, DEADLOCK, model);
}
