//! Invariant 12: illegal graphs do not start, and the error names the stage and the remedy.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use seda_core::{
    Context, FactoryError, Graph, GraphConfig, GraphError, GraphWarning, ManualClock,
    SettingsError, Stage, StageConfig, WorkerRange, each,
};
use std::sync::Arc;
use std::time::Duration;

fn attach(graph: &mut Graph, stage: Stage<u32>) {
    graph.attach(stage, |_wire| || Ok(each(|_event: u32, _cx: &mut Context| {}))).unwrap();
}

fn fault(graph: Graph) -> GraphError {
    graph.start_manual(Arc::new(ManualClock::new())).expect_err("must not start")
}

#[test]
fn a_graph_without_stages_does_not_start() {
    assert!(matches!(fault(Graph::new("empty")), GraphError::NoStages { .. }));
}

#[test]
fn a_stage_without_a_handler_is_named() {
    let mut graph = Graph::new("g");
    graph.stage::<u32>("parse", 8);
    let error = fault(graph).to_string();
    assert_eq!(error, "stage `parse` has no handler: attach one with `graph.attach`");
}

#[test]
fn two_stages_with_the_same_name_are_refused() {
    let mut graph = Graph::new("g");
    for _ in 0..2 {
        let stage = graph.stage("twin", 8);
        attach(&mut graph, stage);
    }
    assert!(matches!(fault(graph), GraphError::StageNameTwice { stage } if stage == "twin"));
}

#[test]
fn a_capacity_of_zero_is_refused() {
    let mut graph = Graph::new("g");
    let stage = graph.stage("none", 0);
    attach(&mut graph, stage);
    assert!(
        matches!(fault(graph), GraphError::Settings(SettingsError::ZeroCapacity { stage }) if stage == "none")
    );
}

#[test]
fn an_empty_worker_range_is_refused_for_own_and_shared_pools() {
    for range in [WorkerRange::new(0, 1), WorkerRange::new(3, 2), WorkerRange::new(1, 99_999)] {
        let mut graph = Graph::new("g");
        let stage = graph.stage("s", 8);
        attach(&mut graph, stage);
        let config = StageConfig { workers: Some(range), ..StageConfig::default() };
        graph.configure(stage, config).unwrap();
        assert!(
            matches!(fault(graph), GraphError::Settings(SettingsError::EmptyRange { pool, .. }) if pool == "s")
        );

        let mut graph = Graph::new("g");
        let stage = graph.stage::<u32>("s", 8);
        let pool = graph.pool("shared", range);
        let wire = |_wire: &mut seda_core::Wire<'_>| || Ok(each(|_: u32, _: &mut Context| {}));
        graph.attach_in(&pool, stage, wire).unwrap();
        assert!(
            matches!(fault(graph), GraphError::Settings(SettingsError::EmptyRange { pool, .. }) if pool == "shared")
        );
    }
}

/// Attaches `from` with a waiting edge to `to`, in `pool` if there is one.
fn waiting(graph: &mut Graph, from: Stage<u32>, to: Stage<u32>, pool: Option<&seda_core::Pool>) {
    let wire = |wire: &mut seda_core::Wire<'_>| {
        let sink = wire.waiting_sink(to, Duration::from_secs(1));
        move || -> Result<_, FactoryError> {
            let sink = sink.clone();
            Ok(each(move |event: u32, cx: &mut Context| {
                let _ = cx.send_waiting(&sink, event);
            }))
        }
    };
    match pool {
        Some(pool) => graph.attach_in(pool, from, wire).unwrap(),
        None => graph.attach(from, wire).unwrap(),
    }
}

#[test]
fn a_waiting_edge_on_a_cycle_is_refused_and_both_ends_are_named() {
    let mut graph = Graph::new("g");
    let (a, b) = (graph.stage("a", 8), graph.stage("b", 8));
    waiting(&mut graph, a, b, None);
    graph
        .attach(b, |wire| {
            let back = wire.sink(a);
            move || {
                let back = back.clone();
                Ok(each(move |event: u32, cx: &mut Context| drop(cx.send(&back, event))))
            }
        })
        .unwrap();
    let error = fault(graph);
    assert!(
        matches!(&error, GraphError::WaitingOnCycle { from, to } if (from, to) == (&"a".to_owned(), &"b".to_owned())),
        "{error}"
    );
}

#[test]
fn a_waiting_edge_into_its_own_pool_is_refused() {
    let mut graph = Graph::new("g");
    let (a, b) = (graph.stage("a", 8), graph.stage("b", 8));
    let pool = graph.pool("both", WorkerRange::exactly(2));
    waiting(&mut graph, a, b, Some(&pool));
    let wire = |_wire: &mut seda_core::Wire<'_>| || Ok(each(|_: u32, _: &mut Context| {}));
    graph.attach_in(&pool, b, wire).unwrap();
    assert!(matches!(fault(graph), GraphError::WaitingOnCycle { .. }));
}

#[test]
fn a_waiting_edge_on_no_cycle_is_accepted() {
    let mut graph = Graph::new("g");
    let (a, b) = (graph.stage("a", 8), graph.stage("b", 8));
    waiting(&mut graph, a, b, None);
    attach(&mut graph, b);
    let source = graph.source(a).unwrap();
    let running = graph.start().unwrap();
    for n in 0..100 {
        source.send_within(n, Duration::from_secs(60)).unwrap();
    }
    let drained = running.drain(Duration::from_secs(60));
    assert_eq!(drained.report.stages[1].handled, 100);
}

#[test]
fn a_second_handler_and_a_foreign_token_are_refused_at_once() {
    let (mut graph, mut other) = (Graph::new("g"), Graph::new("other"));
    let stage = graph.stage("s", 8);
    let foreign = other.stage::<u32>("f", 8);
    attach(&mut graph, stage);
    let twice = graph.attach(stage, |_wire| || Ok(each(|_: u32, _: &mut Context| {})));
    assert!(matches!(twice, Err(GraphError::AttachedTwice { stage }) if stage == "s"));
    assert!(matches!(graph.source(foreign), Err(GraphError::Foreign { token: "stage" })));
    let next = graph.stage::<u32>("next", 8);
    let wired = graph.attach(next, |wire| {
        wire.sink(foreign);
        || Ok(each(|_: u32, _: &mut Context| {}))
    });
    assert!(matches!(wired, Err(GraphError::Foreign { token: "stage" })));
}

#[test]
fn a_setting_out_of_bounds_is_named_with_its_value_and_its_bounds() {
    let cases = [
        ("budget = 0", "`budget` is 0; allowed: 1 or more events"),
        ("stages.s.soft = 9", "`stages.s.soft` is 9; allowed: 1 to the capacity, 8"),
        ("stages.s.batch = 0", "`stages.s.batch` is 0; allowed: 1 to 4096 events"),
        ("stages.s.cap = 0", "`stages.s.cap` is 0; allowed: 1 or more workers"),
        ("control.tick = \"1ms\"", "`control.tick` is 1ms; allowed: 10ms to 10s"),
    ];
    for (text, expected) in cases {
        let mut graph = Graph::new("g");
        let stage = graph.stage("s", 8);
        attach(&mut graph, stage);
        graph.apply(toml::from_str::<GraphConfig>(text).unwrap()).unwrap();
        assert_eq!(fault(graph).to_string(), expected);
    }
}

#[test]
fn the_error_of_an_unknown_stage_lists_the_known_ones() {
    let mut graph = Graph::new("g");
    let stage = graph.stage("parse", 8);
    attach(&mut graph, stage);
    let config = toml::from_str::<GraphConfig>("stages.prase.batch = 4").unwrap();
    let error = graph.apply(config).unwrap_err().to_string();
    assert_eq!(error, "`stages.prase` names no stage of this graph; it has `parse`");
}

#[test]
fn a_budget_that_never_binds_and_an_unreachable_stage_are_warnings() {
    let mut graph = Graph::new("g");
    let (fed, lonely) = (graph.stage("fed", 8), graph.stage("lonely", 8));
    attach(&mut graph, fed);
    attach(&mut graph, lonely);
    let _source = graph.source(fed).unwrap();
    graph.budget(16);
    let manual = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    assert_eq!(
        manual.warnings(),
        [
            GraphWarning::BudgetNeverBinds { budget: 16, capacities: 16 },
            GraphWarning::Unreachable { stage: "lonely".to_owned() }
        ]
    );
}

#[test]
fn an_ordinary_graph_has_no_warnings() {
    let mut graph = Graph::new("g");
    let stage = graph.stage("s", 8);
    attach(&mut graph, stage);
    let _source = graph.source(stage).unwrap();
    assert!(graph.start_manual(Arc::new(ManualClock::new())).unwrap().warnings().is_empty());
}
