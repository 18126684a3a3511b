//! `Source::check`: it says what the next request would get, and counts a refusal only.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{assert_balanced, class};
use seda_core::control::{AdmissionLaw, AdmissionObservation};
use seda_core::{
    Balance, Graph, GraphConfig, Manual, ManualClock, OverloadPolicy, RateConfig, RefusalReason,
    Replicas, Responder, SendOptions, SloConfig, Source, Stage, StageConfig,
};
use std::sync::Arc;
use std::time::Duration;

type Upload = Responder<u32>;

const SECOND: Duration = Duration::from_secs(1);

/// Returns stage `store` with this capacity and classes gold and basic. No worker runs unless it is
/// stepped.
fn store(
    capacity: usize,
    change: impl FnOnce(&mut Graph, Stage<Upload>),
) -> (Manual, Source<Upload>, Arc<ManualClock>) {
    let mut graph = Graph::new("uploads");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let store = graph.stage::<Upload>("store", capacity);
    graph.attach_each(store, |_wire| |reply: Upload, _cx| reply.respond(1)).unwrap();
    change(&mut graph, store);
    let (source, clock) = (graph.source(store).unwrap(), Arc::new(ManualClock::new()));
    (graph.start_manual(clock.clone()).unwrap(), source, clock)
}

/// Checks and sends one request; both must get the same verdict. Returns the refusal's reason.
#[track_caller]
fn send(source: &Source<Upload>, options: SendOptions) -> Option<RefusalReason> {
    let source = source.with_options(options);
    let checked = source.check(options).map_err(|refusal| refusal.reason());
    let sent = source.request(|reply| reply).map(std::mem::forget);
    assert_eq!(checked, sent.map_err(|refusal| refusal.reason()));
    checked.err()
}

/// Returns how many requests were admitted, and how many refusals were counted.
fn counts(graph: &Manual) -> (u64, u64) {
    let report = graph.report();
    assert_balanced(&report);
    (report.requests.admitted, report.events.refused)
}

#[test]
fn a_success_counts_and_reserves_nothing() {
    let (graph, source, _clock) = store(1, |_graph, _store| {});
    for _ in 0..100 {
        source.check(class(1)).unwrap();
    }
    assert_eq!(counts(&graph), (0, 0));
    assert_eq!(graph.report().budget.used, 0);
    assert_eq!(send(&source, class(1)), None);
}

#[test]
fn a_full_queue_refuses_and_each_refusal_counts_once() {
    let (graph, source, _clock) = store(2, |_graph, _store| {});
    let verdicts: Vec<_> = (0..4).map(|_| send(&source, class(1))).collect();
    assert_eq!(verdicts, [None, None, Some(RefusalReason::Full), Some(RefusalReason::Full)]);
    // Two refused requests, each with a refused check before it.
    assert_eq!(counts(&graph), (2, 4));
}

#[test]
fn a_used_up_budget_refuses_unless_the_valve_has_a_victim() {
    let (graph, source, _clock) = store(8, |graph, _store| {
        graph.budget(2);
    });
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(send(&source, class(1)), Some(RefusalReason::Budget));
    // The check evicts nothing; the request takes the place of one of basic.
    source.check(class(0)).unwrap();
    assert_eq!(graph.report().events.shed, 0);
    assert_eq!(send(&source, class(0)), None);
    assert_eq!(send(&source, class(0)), None);
    assert_eq!(send(&source, class(0)), Some(RefusalReason::Budget));
    assert_eq!((counts(&graph), graph.report().events.shed), ((4, 4), 2));
}

#[test]
fn at_the_budget_a_valve_that_is_off_has_no_victim() {
    let (graph, source, _clock) = store(8, |graph, _store| {
        let mut config = GraphConfig { budget: Some(1), ..GraphConfig::default() };
        config.control.overload = OverloadPolicy::None;
        graph.apply(config).unwrap();
    });
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(send(&source, class(0)), Some(RefusalReason::Budget));
    assert_eq!(counts(&graph), (1, 2));
}

#[test]
fn a_check_takes_no_token_of_the_rate() {
    let (graph, source, clock) = store(64, |graph, store| {
        let rate = Some(RateConfig { per_second: 1.0, burst: 2 });
        graph.configure(store, StageConfig { rate, ..StageConfig::default() }).unwrap();
    });
    for _ in 0..2 {
        (0..10).for_each(|_| source.check(class(1)).unwrap());
        assert_eq!(send(&source, class(1)), None);
    }
    assert_eq!(send(&source, class(1)), Some(RefusalReason::Admission));
    clock.advance(SECOND);
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(counts(&graph), (3, 2));
}

/// A law with a fixed limit of two requests.
struct Two;

impl AdmissionLaw for Two {
    fn decide(&mut self, _seen: &AdmissionObservation) -> Option<f64> {
        Some(2.0)
    }
}

/// Returns a stage whose gate is open for two requests, in this mode of the controller.
fn gated(observes: bool) -> (Manual, Source<Upload>) {
    let (mut graph, source, clock) = store(64, |graph, _store| {
        graph.admission_law(|_stage| Two);
        let mut config = GraphConfig { slo: SloConfig::new(SECOND), ..GraphConfig::default() };
        if observes {
            config.control.admission = seda_core::Mode::Observe;
        }
        graph.apply(config).unwrap();
    });
    clock.advance(SECOND);
    graph.tick();
    (graph, source)
}

#[test]
fn a_closed_gate_refuses_unless_a_lower_class_can_be_preempted() {
    let (graph, source) = gated(false);
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(send(&source, class(1)), None);
    assert_eq!(send(&source, class(1)), Some(RefusalReason::Admission));
    // Gold has a guarantee of one. Its second request needs the place of one of basic.
    assert_eq!(send(&source, class(0)), None);
    source.check(class(0)).unwrap();
    assert_eq!(graph.report().events.shed, 0, "a check preempts nothing");
    assert_eq!(send(&source, class(0)), None);
    assert_eq!(graph.report().events.shed, 1);
    // The other one of basic is within its guarantee.
    assert_eq!(send(&source, class(0)), Some(RefusalReason::Admission));
    let gate = graph.report().stages[0].gate.clone().unwrap();
    assert_eq!((gate.turned_away["basic"], gate.turned_away["gold"]), (2, 2));
    assert_eq!(counts(&graph), (4, 4));
}

#[test]
fn a_gate_that_only_observes_refuses_nothing() {
    let (graph, source) = gated(true);
    (0..9).for_each(|_| assert_eq!(send(&source, class(1)), None));
    assert_eq!(counts(&graph), (9, 0));
}

#[test]
fn a_passed_deadline_and_a_draining_graph_refuse() {
    let (graph, source, _clock) = store(64, |_graph, _store| {});
    let expired = SendOptions { deadline: Some(Duration::ZERO), ..class(1) };
    assert_eq!(send(&source, expired), Some(RefusalReason::Expired));
    let report = graph.drain(10).report;
    assert_eq!(source.check(class(1)).unwrap_err().reason(), RefusalReason::Closed);
    assert_eq!(report.events.refused, 2);
}

#[test]
fn of_replicas_any_with_a_place_counts_and_a_check_takes_no_turn() {
    let mut graph = Graph::new("uploads");
    let replicas = Replicas { count: 2, balance: Balance::RoundRobin };
    let store = graph.replicated_stage::<Upload>("store", 4, replicas);
    graph.attach_each(store, |_wire| |reply: Upload, _cx| reply.respond(1)).unwrap();
    graph.budget(100);
    let source = graph.source(store).unwrap();
    let graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let accepted = || graph.report().stages.iter().map(|it| it.accepted).collect::<Vec<_>>();
    for expected in [[1, 0], [1, 1], [2, 1], [2, 2]] {
        source.check(class(0)).unwrap();
        std::mem::forget(source.request(|reply| reply).unwrap());
        assert_eq!(accepted(), expected);
    }
    assert_eq!(send(&source, class(0)), Some(RefusalReason::Full));
    assert_eq!(counts(&graph), (4, 2));
}
