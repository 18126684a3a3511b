//! Lost wake-ups: no event waits beside a parked worker.

use crate::checker::thread::spawn;
use crate::checker::{DEADLOCK, fails, holds};
use crate::support::{Bell, graph, workers};
use seda_core::running::modelled::{Flaw, Modelled};
use std::sync::Arc;

fn sent_from(senders: usize) {
    let mut graph = graph(4);
    let stage = graph.stage::<u32>("s", 4);
    graph.configure(stage, workers(1, 1)).unwrap();
    let handled = Bell::new();
    let bell = Arc::clone(&handled);
    graph.attach_each(stage, move |_wire| move |_event, _cx| bell.ring()).unwrap();
    let sources: Vec<_> = (0..senders).map(|_| graph.source(stage).unwrap()).collect();
    let graph = Modelled::start(graph);
    let senders: Vec<_> =
        sources.into_iter().map(|source| spawn(move || source.send(1).unwrap())).collect();
    handled.wait_for(senders.len());
    for sender in senders {
        sender.join().unwrap();
    }
    graph.end();
}

#[test]
fn no_event_waits_beside_a_parked_worker() {
    holds(|| sent_from(if cfg!(feature = "loom") { 1 } else { 2 }));
}

#[cfg(feature = "loom")]
#[test]
fn without_the_senders_fence_one_does() {
    fails(Flaw::NoFenceInWake, DEADLOCK, || sent_from(1));
}

#[cfg(feature = "loom")]
#[test]
fn without_the_workers_fence_one_does() {
    fails(Flaw::NoFenceInEnter, DEADLOCK, || sent_from(1));
}
