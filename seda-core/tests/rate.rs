//! The declared limit of a stage's arrival rate, on the manual clock: exact to the nanosecond.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, assert_balanced};
use seda_core::RateConfig;
use seda_core::{
    Balance, Context, Graph, GraphConfig, Manual, ManualClock, RefusalReason, Refused, Replicas,
    Responder, SendOptions, SloConfig, Source, StageConfig,
};
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const NANO: Duration = Duration::from_nanos(1);

fn rate(per_second: f64, burst: u64) -> StageConfig {
    StageConfig { rate: Some(RateConfig { per_second, burst }), ..StageConfig::default() }
}

/// Returns one stage behind a source.
fn bounded(config: StageConfig) -> (Manual, Source<u32>, Arc<ManualClock>) {
    let mut graph = Graph::new("g");
    let mail = graph.stage::<u32>("mail", 4_096);
    graph.attach_each(mail, |_wire| |_event, _cx: &mut Context| {}).unwrap();
    graph.configure(mail, config).unwrap();
    let (source, clock) = (graph.source(mail).unwrap(), Arc::new(ManualClock::new()));
    (graph.start_manual(clock.clone()).unwrap(), source, clock)
}

/// Returns how many of `of` events are accepted; the others are refused for admission.
fn taken(source: &Source<u32>, of: u32) -> usize {
    let sent = (0..of).map(|event| source.send(event));
    sent.filter(|sent| match sent {
        Ok(()) => true,
        Err(refused) => {
            assert_eq!(refused.reason(), RefusalReason::Admission);
            false
        }
    })
    .count()
}

#[test]
fn arrivals_are_bounded_by_the_burst_and_the_tokens_since_to_the_nanosecond() {
    let (mut graph, source, clock) = bounded(rate(500.0, 50));
    assert_eq!(taken(&source, 100), 50);
    clock.advance(MS * 2 - NANO);
    assert_eq!(taken(&source, 1), 0);
    clock.advance(NANO);
    assert_eq!(taken(&source, 9), 1);
    clock.advance(MS * 20);
    assert_eq!(taken(&source, 100), 10);
    // An hour without events allows one burst.
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(taken(&source, 100), 50);
    graph.run_until_idle();
    let report = graph.report();
    assert_balanced(&report);
    assert_eq!((report.stages[0].accepted, report.stages[0].refused["admission"]), (111, 199));
}

#[test]
fn an_unused_permit_costs_no_token() {
    let (_graph, source, _clock) = bounded(rate(1.0, 4));
    drop(source.reserve(4).unwrap());
    let mut permits = source.reserve(3).unwrap();
    permits.send(1).unwrap();
    drop(permits);
    assert_eq!(taken(&source, 9), 3);
}

#[test]
fn a_send_above_the_burst_is_too_large_and_all_or_none_holds() {
    let (_graph, source, _clock) = bounded(rate(1.0, 4));
    let reason = |sent: Result<(), Refused<Vec<u32>>>| sent.unwrap_err().reason();
    assert_eq!(reason(source.send_all(vec![0; 5])), RefusalReason::TooLarge);
    source.send_all(vec![0; 3]).unwrap();
    assert_eq!(reason(source.send_all(vec![0; 2])), RefusalReason::Admission);
    source.send(0).unwrap();
}

#[test]
fn an_event_refused_for_the_budget_uses_no_token() {
    let (mut graph, source, _clock) = bounded(StageConfig::default());
    let mut config: GraphConfig =
        toml::from_str("budget = 2\nstages.mail.rate = { per_second = 1, burst = 4 }").unwrap();
    graph.reconfigure(&config).unwrap();
    assert_eq!((0..9).filter(|event| source.send(*event).is_ok()).count(), 2);
    config.budget = Some(100);
    graph.reconfigure(&config).unwrap();
    assert_eq!(taken(&source, 9), 2);
}

#[test]
fn it_holds_for_sends_of_handlers_and_no_worker_leases_tokens_for_its_batch() {
    let mut graph = Graph::new("g");
    let (split, mail) = (graph.stage::<u32>("split", 64), graph.stage::<u32>("mail", 4_096));
    graph.attach_each(mail, |_wire| |_event, _cx: &mut Context| {}).unwrap();
    graph.configure(mail, rate(1_000.0, 10)).unwrap();
    let (source, beside) = (graph.source(split).unwrap(), graph.source(mail).unwrap());
    graph
        .attach_each(split, |wire| {
            let (mail, beside) = (wire.sink(mail), beside.clone());
            move |n, cx: &mut Context| {
                for part in 0..n {
                    cx.send(&mail, part).unwrap_or_else(Refused::give_up);
                }
                if n == 3 {
                    assert_eq!(taken(&beside, 5), 5, "the batch used a token for each send only");
                }
            }
        })
        .unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    source.send_all(vec![3, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    graph.run_until_idle();
    assert_eq!(taken(&beside, 9), 1);
    clock.advance(MS * 5);
    source.send_all(vec![4, 4]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    assert_balanced(&report);
    assert_eq!((report.events.failed, report.stages[1].accepted), (0, 15));
}

#[test]
fn it_changes_while_the_graph_runs() {
    let (mut graph, source, clock) = bounded(StageConfig::default());
    assert_eq!(taken(&source, 1_000), 1_000);
    let mut set = |text: &str| graph.reconfigure(&toml::from_str(text).unwrap()).unwrap();
    let changes = set("stages.mail.rate = { per_second = 100, burst = 10 }");
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.to_string(), "`stages.mail.rate`: unbounded → 100/s, 10 at once");
    assert_eq!(taken(&source, 100), 10);
    // Tokens from before the change are kept.
    clock.advance(MS * 30);
    set("stages.mail.rate = { per_second = 1000, burst = 20 }");
    assert_eq!(taken(&source, 100), 3);
    clock.advance(MS * 5);
    assert_eq!(taken(&source, 100), 5);
    set("");
    assert_eq!(taken(&source, 1_000), 1_000);
}

#[test]
fn replicas_share_it() {
    let mut graph = Graph::new("g");
    let replicas = Replicas { count: 3, balance: Balance::RoundRobin };
    let mail = graph.replicated_stage::<u32>("mail", 3_000, replicas);
    graph.attach_each(mail, |_wire| |_event, _cx: &mut Context| {}).unwrap();
    graph.configure(mail, rate(300.0, 10)).unwrap();
    let (source, clock) = (graph.source(mail).unwrap(), Arc::new(ManualClock::new()));
    let _graph = graph.start_manual(clock.clone()).unwrap();
    assert_eq!(taken(&source, 100), 10);
    clock.advance(MS * 10);
    assert_eq!(taken(&source, 100), 3);
}

#[test]
fn a_setting_out_of_bounds_is_named() {
    for (wrong, named) in [
        ("per_second = nan, burst = 1", "`stages.mail.rate.per_second` is NaN; allowed: 0.001"),
        ("per_second = 0, burst = 1", "`stages.mail.rate.per_second` is 0; allowed: 0.001"),
        ("per_second = -1, burst = 1", "`stages.mail.rate.per_second` is -1; allowed: 0.001"),
        ("per_second = inf, burst = 1", "`stages.mail.rate.per_second` is inf; allowed: 0.001"),
        ("per_second = 1, burst = 0", "`stages.mail.rate.burst` is 0; allowed: 1 to"),
    ] {
        let (mut graph, _source, _clock) = bounded(StageConfig::default());
        let text = format!("stages.mail.rate = {{ {wrong} }}");
        let error = graph.reconfigure(&toml::from_str(&text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(named), "{wrong}: {error}");
    }
}

#[test]
fn on_threads_a_waiting_source_waits_for_its_token() {
    let mut graph = Graph::new("g");
    let mail = graph.stage::<u32>("mail", 16);
    graph.attach_each(mail, |_wire| |_event, _cx: &mut Context| {}).unwrap();
    graph.configure(mail, rate(1_000.0, 1)).unwrap();
    let source = graph.source(mail).unwrap();
    let running = graph.start().unwrap();
    (0..20).for_each(|event| source.send_within(event, LONG).unwrap());
    let drained = running.drain(LONG);
    assert_eq!(drained.report.events.handled, 20);
    assert!(drained.report.uptime_seconds >= 0.019, "{}", drained.report);
    assert_balanced(&drained.report);
}

#[test]
fn a_request_counted_at_the_gate_pays_one_token_like_any_event() {
    let mut graph = Graph::new("g");
    let mail = graph.stage::<Responder<()>>("mail", 4_096);
    graph.attach_each(mail, |_wire| |reply: Responder<()>, _cx| reply.respond(())).unwrap();
    graph.configure(mail, rate(500.0, 5)).unwrap();
    let route = Some(graph.route([mail.id()]).unwrap());
    let source =
        graph.source(mail).unwrap().with_options(SendOptions { route, ..SendOptions::default() });
    let slo = SloConfig::new(MS * 200);
    graph.apply(GraphConfig { slo, ..GraphConfig::default() }).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    let mut admitted = |requests: usize| {
        let asked: Vec<_> = (0..requests).map(|_| source.request(|reply| reply)).collect();
        while graph.step() > 0 {}
        asked.iter().filter(|asked| asked.is_ok()).count()
    };
    assert_eq!(admitted(8), 5);
    clock.advance(MS * 4);
    assert_eq!(admitted(8), 2);
    let report = graph.report();
    assert_balanced(&report);
    assert_eq!(report.stages[0].gate.as_ref().unwrap().bound, 0);
}
