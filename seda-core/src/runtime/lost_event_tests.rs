//! The ledger check, which all other tests rely on, fails when an event is lost.

#[path = "../../tests/support/mod.rs"]
mod support;

use crate::graph::Graph;
use crate::platform::ManualClock;
use crate::runtime::manual::Manual;
use crate::stage::StageCore;
use std::sync::Arc;
use support::check_ledgers;

fn graph_with_two_queued() -> Manual {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("leaky", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![1, 2]).unwrap();
    manual
}

fn lose_one(manual: &Manual) {
    let stage =
        Arc::clone(&manual.plane().topology.stages.iter().next().expect("a stage").core).into_any();
    let stage = stage.downcast::<StageCore<u32>>().expect("its type");
    stage.lose_one();
}

#[test]
fn a_lost_event_fails_the_ledger_check_before_and_after_a_drain() {
    let manual = graph_with_two_queued();
    assert_eq!(check_ledgers(&manual.report()), Ok(()));
    lose_one(&manual);
    let fault = check_ledgers(&manual.report()).unwrap_err();
    assert!(fault.starts_with("stage `leaky`: depth is 1, but queued is 2"), "{fault}");
    let drained = manual.drain(100);
    assert!(!drained.complete, "the budget still counts the lost event");
    assert!(check_ledgers(&drained.report).is_err());
}
