//! The same seed gives the same report, to the bit; and tests of faults, clients and long runs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// A spec with everything at once: classes, pools, retries, faults, controllers.
const EVERYTHING: &str = r#"
    cores = 2
    warm_up = "2s"
    window = "10s"
    cool_down = "5s"
    slo = "100ms"
    refusal_cpu = "20us"

    [arrivals]
    process = "on_off"
    rate = 900.0
    on = "300ms"
    off = "100ms"

    [[class]]
    name = "gold"
    weight = 3
    share = 0.2
    [[class]]
    name = "basic"
    share = 0.8
    deadline = "300ms"

    [client]
    gives_up_after = "400ms"
    hangs_up = true
    retries = 2
    backoff = "50ms"
    retry_after = "80ms"
    honours_retry_after = true

    [[pool]]
    name = "front"
    workers = "1..4"

    [[stage]]
    name = "parse"
    capacity = 100
    pool = "front"
    batch = 8
    demand = { kind = "bimodal", fast = "100us", slow = "2ms", slow_share = 0.1 }
    routes = [{ to = "query", share = 0.7 }, { to = "render", share = 0.2 }]
    [[stage]]
    name = "query"
    capacity = 100
    workers = "1..32"
    cpu_share = 0.1
    demand = { kind = "lognormal", mean = "8ms", sigma = 0.8 }
    routes = [{ to = "render" }]
    [[stage]]
    name = "render"
    capacity = 100
    pool = "front"
    demand = { kind = "empirical", seconds = [0.0005, 0.001, 0.002] }

    [[fault]]
    kind = "slow"
    stage = "query"
    factor = 10.0
    from = "4s"
    to = "6s"
    [[fault]]
    kind = "stall"
    stage = "parse"
    at = "8s"
    for = "1s"
    [[fault]]
    kind = "panic"
    stage = "render"
    share = 0.01
    [[fault]]
    kind = "flood"
    class = "basic"
    factor = 3.0
    from = "9s"
    to = "11s"
"#;

fn run(text: &str, seed: u64) -> SimReport {
    let spec: Spec = text.parse().unwrap_or_else(|error| panic!("{error}"));
    seda_sim::run(&spec, seed).unwrap()
}

fn json(report: &SimReport) -> String {
    serde_json::to_string(report).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_report_to_the_bit_and_another_seed_another_one() {
    let first = json(&run(EVERYTHING, 1));
    assert_eq!(first, json(&run(EVERYTHING, 1)));
    assert_ne!(first, json(&run(EVERYTHING, 2)));
}

#[test]
fn every_request_has_one_end_under_all_faults() {
    let report = run(EVERYTHING, 1);
    let ends = report.ends;
    assert_eq!(
        ends.scheduled,
        ends.good + ends.late + ends.refused + ends.timed_out + ends.lost + ends.unfinished
    );
    assert_eq!(ends.unfinished, 0);
    assert!(ends.good > 0 && ends.late > 0 && ends.refused > 0 && ends.timed_out > 0);
    let render = &report.graph.stages[2];
    let failed = render.failed as f64 / render.accepted as f64;
    assert!((0.005..0.015).contains(&failed), "{failed}");
    let requests = &report.graph.requests;
    let lost: u64 = requests.lost.values().sum();
    assert_eq!(requests.admitted, requests.answered + lost + requests.open);
    assert!(requests.lost["abandoned"] > 0 && requests.lost["expired"] > 0);
}

#[test]
fn a_refusal_costs_the_core_time_in_the_spec() {
    let text = |cost: &str| {
        format!(
            r#"
            cores = 1
            warm_up = "1s"
            window = "20s"
            refusal_cpu = "{cost}"
            arrivals = {{ rate = 3000.0, process = "uniform" }}
            [[stage]]
            name = "serve"
            capacity = 1
            demand = {{ kind = "deterministic", mean = "1ms" }}
            [graph.control]
            admission = "off"
            pool_size = "off"
            batch_size = "off"
            "#
        )
    };
    let free = run(&text("0s"), 1);
    let costly = run(&text("200us"), 1);
    // 1 = X·1 ms + (3000 − X)·200 µs: beside its refusals, the core serves 500 requests a second.
    assert!((free.throughput_per_second - 1000.0).abs() < 5.0, "{}", free.throughput_per_second);
    assert!((costly.throughput_per_second - 500.0).abs() < 5.0, "{}", costly.throughput_per_second);
    assert!(costly.utilization > 0.99);
}

#[test]
fn a_day_at_low_load_is_simulated_to_its_end() {
    let mut spec: Spec = r#"
        arrivals = { rate = 1.0 }
        [[stage]]
        name = "serve"
        capacity = 100
        demand = { kind = "exponential", mean = "50ms" }
        [graph.control]
        tick = "10s"
    "#
    .parse()
    .unwrap();
    spec.window = Duration::from_secs(24 * 60 * 60);
    let report = seda_sim::run(&spec, 1).unwrap();
    assert_eq!(report.ends.scheduled, report.ends.good);
    assert!((report.ends.scheduled as f64 / 86_400.0 - 1.0).abs() < 0.02);
    // The controllers ticked every ten seconds, all day.
    assert!(report.events > 2 * report.ends.scheduled + 8_600);
}

#[test]
fn a_simulation_from_a_report_has_the_response_times_of_the_measured_graph() {
    let text = r#"
        cores = 4
        window = "100s"
        arrivals = { rate = 300.0 }
        [[stage]]
        name = "parse"
        capacity = 500
        demand = { kind = "exponential", mean = "1ms" }
        routes = [{ to = "query", share = 0.5 }]
        [[stage]]
        name = "query"
        capacity = 200
        workers = 4
        cpu_share = 0.25
        demand = { kind = "exponential", mean = "12ms" }
        [graph.control]
        admission = "off"
        pool_size = "off"
        batch_size = "off"
        valve = "off"
    "#;
    let measured = run(text, 1);
    let spec = Spec::from_report(&measured.graph, 4).unwrap();
    assert_eq!((spec.stages[0].name.as_str(), spec.stages[1].capacity), ("parse", 200));
    assert!((spec.stages[0].routes[0].share - 0.5).abs() < 0.02);
    assert!((spec.stages[1].cpu_share - 0.25).abs() < 0.02);
    assert!((spec.stages[1].demand.mean() - 0.012).abs() < 0.0003);
    assert_eq!(spec.stages[1].workers, Some(seda_core::WorkerRange::exactly(4)));
    let simulated = seda_sim::run(&spec, 2).unwrap();
    let ratio = simulated.response_seconds.mean.unwrap() / measured.response_seconds.mean.unwrap();
    assert!((ratio - 1.0).abs() < 0.1, "{ratio}");
}

/// Returns the message of the spec with one of its lines replaced.
fn error(from: &str, to: &str) -> String {
    let text = EVERYTHING.replacen(from, to, 1);
    assert_ne!(text, EVERYTHING, "{from}");
    text.parse::<Spec>().unwrap_err().to_string()
}

#[test]
fn an_invalid_value_is_named_with_the_values_that_are_allowed() {
    let unknown = error("cores = 2", "kores = 2");
    assert!(unknown.contains("kores"), "{unknown}");
    assert_eq!(error("cores = 2", "cores = 0"), "`cores` is 0; allowed: 1 to 1024");
    assert_eq!(
        error("to = \"query\"", "to = \"quarry\""),
        "`stage.parse.routes.to` is quarry; allowed: one of parse, query, render"
    );
    assert_eq!(
        error("cpu_share = 0.1", "cpu_share = 1.5"),
        "`stage.query.cpu_share` is 1.5; allowed: 0 to 1"
    );
    assert_eq!(
        error("share = 0.7", "share = 0.9"),
        "`stage.parse.routes` is 1.1; allowed: shares that add up to 1 at most, where the routes are not of copies"
    );
    assert_eq!(
        error("stage = \"render\"\n    share = 0.01", "stage = \"rander\"\n    share = 0.01"),
        "`fault.stage` is rander; allowed: one of parse, query, render"
    );
}

#[test]
fn watching_a_run_changes_nothing_and_its_slices_add_up() {
    let mut spec: Spec = EVERYTHING.parse().unwrap();
    let unwatched = seda_sim::run(&spec, 1).unwrap();
    let mut moments = Vec::new();
    let every = Duration::from_millis(2_500);
    let watched = seda_sim::watch(&spec, 1, every, |at, graph| {
        moments.push((at, (graph.uptime_seconds - at).abs() < 1e-9));
    });
    assert_eq!(moments, [4.5, 7.0, 9.5, 12.0].map(|at| (at, true)));
    assert_eq!(json(&watched.unwrap()), json(&unwatched));
    spec.slice = Some(Duration::from_secs(3));
    let sliced = seda_sim::run(&spec, 1).unwrap();
    let begins: Vec<f64> = sliced.slices.iter().map(|slice| slice.from_seconds).collect();
    assert_eq!(begins, [2.0, 5.0, 8.0, 11.0]);
    let sum = |end: fn(&seda_sim::report::Ends) -> u64| -> u64 {
        sliced.slices.iter().map(|slice| end(&slice.ends)).sum()
    };
    assert_eq!(sum(|ends| ends.scheduled), unwatched.ends.scheduled);
    assert_eq!(sum(|ends| ends.good), unwatched.ends.good);
}
