//! Places at the budget: all or none, with no more victims than needed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{assert_balanced, class};
use seda_core::{
    Context, Graph, GraphConfig, Manual, ManualClock, OverloadPolicy, RefusalReason, Source,
};
use std::sync::Arc;

/// Returns stages `a` and `b` with classes gold and basic, and a budget. No worker runs unless it
/// is stepped.
fn two_stages(budget: usize, policy: OverloadPolicy) -> (Manual, Source<u32>, Source<u32>) {
    let mut graph = Graph::new("g");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let mut config = GraphConfig { budget: Some(budget), ..GraphConfig::default() };
    config.control.overload = policy;
    graph.apply(config).unwrap();
    let [a, b] = ["a", "b"].map(|name| {
        let stage = graph.stage::<u32>(name, 8);
        graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
        graph.source(stage).unwrap()
    });
    (graph.start_manual(Arc::new(ManualClock::new())).unwrap(), a, b)
}

#[test]
fn tail_drop_evicts_nothing_when_its_queue_alone_has_too_few_victims() {
    let (manual, a, b) = two_stages(6, OverloadPolicy::TailDrop);
    a.with_options(class(1)).send_all(vec![0; 2]).unwrap();
    b.with_options(class(1)).send_all(vec![0; 4]).unwrap();
    let refused = a.send_all(vec![1; 3]).unwrap_err();
    assert_eq!(refused.reason(), RefusalReason::Budget);
    let report = manual.report();
    assert_eq!((report.events.shed, report.events.queued), (0, 6));
    // It has enough victims for two.
    a.send_all(vec![1; 2]).unwrap();
    assert_eq!(manual.report().stages[0].shed["valve"], 2);
    assert_balanced(&manual.report());
}

#[test]
fn free_places_count_before_any_victim() {
    let (manual, a, b) = two_stages(4, OverloadPolicy::TailDrop);
    b.send_all(vec![0; 2]).unwrap();
    a.with_options(class(1)).send(0).unwrap();
    // One free place and one victim are enough together.
    a.send_all(vec![1; 2]).unwrap();
    let report = manual.report();
    assert_eq!((report.events.shed, report.budget.used), (1, 4));
    assert_balanced(&report);
}

#[test]
fn a_pair_for_one_stage_fits_into_the_rest_of_the_budget() {
    let mut graph = Graph::new("g");
    let first = graph.stage::<u32>("first", 8);
    let second = graph.stage::<u32>("second", 8);
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |event: u32, cx: &mut Context| {
                cx.send_both((&second, event), (&second, event)).unwrap();
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
    graph.budget(2);
    let source = graph.source(first).unwrap();
    let mut manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send(1).unwrap();
    manual.run_until_idle();
    let report = manual.report();
    assert_eq!((report.stages[1].handled, report.events.failed), (2, 0));
    assert_balanced(&report);
}
