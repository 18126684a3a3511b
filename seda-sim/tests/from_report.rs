//! A measured graph is simulated as it was: its classes and their SLOs, arrivals as they were
//! offered, services as their quantiles. The measured graph here is a simulated one, because its
//! report has the same form.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// Twice the load of one worker, in two classes with an SLO each.
const OVERLOADED: &str = r#"
    cores = 2
    window = "20s"
    routes_known = true
    slo = "200ms"
    arrivals = { rate = 2000.0 }
    class = [{ name = "gold", share = 0.2 }, { name = "basic", share = 0.8 }]
    [client]
    gives_up_after = "1s"
    [[stage]]
    name = "parse"
    capacity = 4096
    demand = { kind = "deterministic", mean = "10us" }
    routes = [{ to = "work" }]
    [[stage]]
    name = "work"
    capacity = 4096
    demand = { kind = "lognormal", mean = "1ms", sigma = 1.0 }
    [graph]
    budget = 6000
    slo.classes.gold.p99 = "100ms"
    slo.classes.basic.p99 = "200ms"
    control.pool_size = "off"
"#;

fn run(text: &str) -> SimReport {
    let spec: Spec = text.parse().unwrap_or_else(|error| panic!("{error}"));
    seda_sim::run(&spec, 1).unwrap()
}

/// Asserts that a value is within a share of the expected one.
#[track_caller]
fn close(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{found} is not {expected}");
}

fn p99(report: &SimReport) -> f64 {
    report.response_seconds.p99.unwrap()
}

#[test]
fn a_spec_from_an_overloaded_server_has_its_load_and_its_goodput() {
    let measured = run(OVERLOADED);
    let spec = Spec::from_report(&measured.graph, 2).unwrap();
    close(spec.arrivals.rate.unwrap(), 2_000.0, 0.03);
    assert!(spec.routes_known);
    let slos: Vec<_> = spec
        .graph
        .slo
        .classes
        .iter()
        .map(|(name, slo)| (name.as_str(), slo.p99.as_millis()))
        .collect();
    assert_eq!(slos, [("basic", 200), ("gold", 100)]);
    let classes: Vec<_> = spec.classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!((classes, spec.graph.budget), (vec!["gold", "basic"], Some(6_000)));
    close(spec.classes[0].share, 0.2, 0.05);
    let simulated = seda_sim::run(&spec, 2).unwrap();
    close(simulated.goodput_per_second, measured.goodput_per_second, 0.03);
    close(p99(&simulated), p99(&measured), 0.3);
}

#[test]
fn services_follow_their_quantiles_and_are_not_exponential() {
    let text = OVERLOADED.replace("2000.0", "600.0").replace("\"20s\"", "\"300s\"");
    let measured = run(&text);
    let spec = Spec::from_report(&measured.graph, 2).unwrap();
    let work = &spec.stages[1].demand;
    close(work.mean(), 0.001, 0.02);
    // E[S²] is e, in ms²; that of an exponential service would be 2.
    close(work.moments().mean_square, 1.0_f64.exp() * 1e-6, 0.15);
    let mut simulated = spec.clone();
    (simulated.arrivals.rate, simulated.window) = (Some(600.0), Duration::from_secs(300));
    // With exponential services the p99 would be half of that: ln 100 / 400 per second.
    close(p99(&seda_sim::run(&simulated, 2).unwrap()), p99(&measured), 0.25);
}

#[test]
fn a_spec_that_is_written_reads_back_the_same() {
    let spec = Spec::from_report(&run(OVERLOADED).graph, 2).unwrap();
    let text = spec.to_toml().unwrap();
    let read: Spec = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read.to_toml().unwrap(), text);
    assert_eq!(seda_sim::run(&read, 1).unwrap(), seda_sim::run(&spec, 1).unwrap());
}

#[test]
fn every_entry_gets_its_share_of_the_arrivals() {
    let replicated = r#"
        window = "60s"
        arrivals = { rate = 300.0 }
        [[stage]]
        name = "app"
        capacity = 100
        replicas = 3
        balance = "round_robin"
        demand = { kind = "deterministic", mean = "1ms" }
        routes = [{ to = "out", share = 0.5 }]
        [[stage]]
        name = "out"
        capacity = 100
        demand = { kind = "deterministic", mean = "1ms" }
        [graph.control]
        admission = "off"
        pool_size = "off"
        batch_size = "off"
        valve = "off"
    "#;
    let measured = run(replicated);
    let spec = Spec::from_report(&measured.graph, 4).unwrap();
    close(spec.arrivals.rate.unwrap(), 300.0, 0.1);
    let routes: Vec<_> = spec.stages[0].routes.iter().map(|route| route.to.as_str()).collect();
    assert_eq!(
        (spec.stages[0].name.as_str(), routes),
        ("outside", vec!["app-1", "app-2", "app-3"])
    );
    let simulated = seda_sim::run(&spec, 2).unwrap();
    for app in &simulated.graph.stages[1..4] {
        close(app.offered as f64 / simulated.graph.uptime_seconds, 100.0, 0.05);
    }
    assert_eq!(simulated.ends.scheduled, simulated.ends.good);
}

#[test]
fn a_report_without_arrivals_is_refused_with_the_remedy() {
    let mut report = run(OVERLOADED).graph;
    for edge in report.edges.iter_mut().filter(|edge| edge.from.is_none()) {
        (edge.last_ten_seconds.sent, edge.last_ten_seconds.refused) = (29, 0);
    }
    let idle = Spec::from_report(&report, 2).unwrap_err().to_string();
    assert!(idle.contains("is 29 requests at parse") && idle.contains("30 at least"), "{idle}");
    report.edges.clear();
    let unused = Spec::from_report(&report, 2).unwrap_err().to_string();
    assert!(unused.contains("take the report when requests have come"), "{unused}");
    // The report of an older version has no windows.
    report.stages.iter_mut().for_each(|stage| stage.last_ten_seconds.seconds = 0.0);
    let old = Spec::from_report(&report, 2).unwrap_err().to_string();
    assert!(old.contains("missing, at parse, work") && old.contains("this version"), "{old}");
}
