//! A drain's call to finish must reach every handler, also those that are made while it goes round.

use crate::graph::Graph;
use crate::platform::ManualClock;
use crate::runtime::manual::Manual;
use crate::stage::ports::Source;
use crate::worker::Handler;
use crate::worker::context::Context;
use std::sync::Arc;

struct Holds;

impl Handler<u32> for Holds {
    fn handle(&mut self, _event: u32, _cx: &mut Context) {}
}

fn holding() -> (Manual, Source<u32>) {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("holds", 8);
    graph.attach(stage, |_wire| || Ok(Holds)).unwrap();
    let source = graph.source(stage).unwrap();
    (graph.start_manual(Arc::new(ManualClock::new())).unwrap(), source)
}

#[test]
fn a_call_is_answered_after_what_is_queued_so_that_the_handler_it_makes_is_not_missed() {
    let (mut manual, source) = holding();
    // Sent by a retiring worker, say, between the drain's look at the budget and its call.
    source.send(1).unwrap();
    let call = manual.plane().topology.core.finish_barrier.advance();
    manual.step();
    manual.step();
    let finishing = &manual.plane().topology.core.finish_barrier;
    assert_eq!((finishing.epoch(), finishing.finished()), (call, 1));
}

#[test]
fn a_worker_that_retires_during_a_call_says_how_many_handlers_it_finished() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("holds", 8);
    graph.attach(stage, |_wire| || Ok(Holds)).unwrap();
    let workers = Some(crate::config::WorkerRange::new(1, 2));
    graph.configure(stage, crate::config::StageConfig { workers, ..Default::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    let mut manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    manual.set_workers("holds", 2);
    source.send_all(vec![1, 2]).unwrap();
    manual.step();
    manual.plane().topology.core.finish_barrier.advance();
    // The first to turn retires, the other one answers: both had a handler.
    manual.set_workers("holds", 1);
    manual.step();
    assert_eq!(manual.plane().topology.core.finish_barrier.finished(), 2);
}
