//! The finish barrier reaches every handler, also one made after the epoch began.

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
fn a_worker_reaches_an_epoch_after_its_queue_so_a_handler_made_for_it_is_not_missed() {
    let (mut manual, source) = holding();
    // A retiring worker, for example, sends it between the drain's look at the budget and the
    // epoch.
    source.send(1).unwrap();
    let epoch = manual.plane().topology.core.calls.finish_barrier.advance();
    manual.step();
    manual.step();
    let barrier = &manual.plane().topology.core.calls.finish_barrier;
    assert_eq!((barrier.epoch(), barrier.finished()), (epoch, 1));
}

#[test]
fn a_worker_that_retires_during_an_epoch_reports_its_finished_handlers() {
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
    manual.plane().topology.core.calls.finish_barrier.advance();
    // The first worker retires, the other one reaches the epoch: both had a handler.
    manual.set_workers("holds", 1);
    manual.step();
    assert_eq!(manual.plane().topology.core.calls.finish_barrier.finished(), 2);
}
