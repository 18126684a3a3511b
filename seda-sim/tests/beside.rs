//! What a stage can do beside serving one event after the other: defer, copy, keep keys in order,
//! tick; and what a request needs outside of all stages. Each is held against its closed form.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{Capacity, SimReport, Spec};

const NO_CONTROL: &str = r#"
    [graph.control]
    admission = "off"
    pool_size = "off"
    batch_size = "off"
    valve = "off"
    outstanding = "off"
"#;

fn run(text: &str) -> (Spec, SimReport) {
    let text = format!("{text}{NO_CONTROL}");
    let spec: Spec = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let report = seda_sim::run(&spec, 1).unwrap();
    (spec, report)
}

#[track_caller]
fn close(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{found} is not {expected}");
}

#[test]
fn places_outside_bound_the_throughput_of_a_deferring_stage() {
    let deferring = r#"
        arrivals = { rate = 100.0 }
        [[stage]]
        name = "ask"
        capacity = 50
        workers = 2
        demand = { kind = "deterministic", mean = "1ms" }
        outside = { kind = "exponential", mean = "100ms" }
        routes = [{ to = "tell" }]
        [[stage]]
        name = "tell"
        capacity = 50
        demand = { kind = "deterministic", mean = "1ms" }
        [graph]
        budget = 1000
        [graph.stages.ask]
        outstanding = 8
    "#;
    let (spec, report) = run(deferring);
    // Eight places for 100 ms each.
    close(Capacity::of(&spec).per_second, 80.0, 1e-6);
    close(report.throughput_per_second, 80.0, 0.03);
    assert_eq!(report.ends.unfinished, 0);
    assert!(report.graph.events.pending <= 8);
    // Below that, a request takes 100 ms and two services of 1 ms: few wait.
    let (_, light) = run(&deferring.replace("rate = 100.0", "rate = 20.0"));
    close(light.response_seconds.mean.unwrap(), 0.102, 0.1);
    assert_eq!(light.ends.scheduled, light.ends.good);
}

#[test]
fn a_request_ends_with_the_last_of_its_copies() {
    let copying = r#"
        arrivals = { rate = 10.0 }
        [[stage]]
        name = "split"
        capacity = 50
        demand = { kind = "deterministic", mean = "1ms" }
        routes = [{ to = "fast" }, { to = "slow", share = 1.5, copies = true }]
        [[stage]]
        name = "fast"
        capacity = 50
        demand = { kind = "deterministic", mean = "1ms" }
        [[stage]]
        name = "slow"
        capacity = 50
        workers = 8
        demand = { kind = "deterministic", mean = "20ms" }
    "#;
    let (spec, report) = run(copying);
    assert_eq!(Capacity::of(&spec).visits, [1.0, 1.0, 1.5]);
    close(report.response_seconds.p50.unwrap(), 0.021, 0.02);
    let handled: Vec<f64> = report.graph.stages.iter().map(|stage| stage.handled as f64).collect();
    close(handled[2] / handled[0], 1.5, 0.03);
    assert_eq!(report.ends.scheduled, report.ends.good);
    // A refused copy refuses the request.
    let (_, full) = run(&copying.replace("workers = 8", "workers = 1").replace("10.0", "100.0"));
    assert!(full.ends.refused > full.ends.good && full.ends.unfinished == 0, "{:?}", full.ends);
}

#[test]
fn one_worker_at_a_time_serves_the_hottest_key() {
    let keyed = r#"
        arrivals = { rate = 200.0 }
        [[stage]]
        name = "apply"
        capacity = 100
        workers = 4
        hot_key = 0.8
        demand = { kind = "exponential", mean = "10ms" }
    "#;
    let (spec, report) = run(keyed);
    // Of each request 8 ms are for one worker.
    close(Capacity::of(&spec).per_second, 125.0, 0.01);
    close(report.throughput_per_second, 125.0, 0.05);
    let even = keyed.replace("hot_key = 0.8", "hot_key = 0.0");
    close(run(&even).1.throughput_per_second, 200.0, 0.03);
}

#[test]
fn a_timer_takes_time_and_is_no_request() {
    let timed = r#"
        arrivals = { rate = 50.0, timers = [{ stage = "beat", rate = 40.0 }] }
        [[pool]]
        name = "shared"
        workers = 1
        [[stage]]
        name = "serve"
        capacity = 100
        pool = "shared"
        demand = { kind = "deterministic", mean = "10ms" }
        [[stage]]
        name = "beat"
        capacity = 100
        pool = "shared"
        demand = { kind = "deterministic", mean = "10ms" }
    "#;
    let (spec, report) = run(timed);
    close(Capacity::of(&spec).per_second, 60.0, 1e-6);
    close(report.offered_per_second, 50.0, 0.05);
    close(report.graph.stages[1].handled as f64 / report.graph.uptime_seconds, 40.0, 0.05);
    // M/D/1 at 0.9: the mean wait is 45 ms.
    close(report.response_seconds.mean.unwrap(), 0.055, 0.25);
}

#[test]
fn time_and_cores_outside_the_stages_are_added() {
    let (spec, report) = run(r#"
        cores = 1
        arrivals = { rate = 400.0, cpu = "1ms" }
        client = { latency = "5ms" }
        [[stage]]
        name = "serve"
        capacity = 100
        workers = 64
        demand = { kind = "deterministic", mean = "1ms" }
    "#);
    close(Capacity::of(&spec).per_second, 500.0, 1e-6);
    close(report.utilization, 0.8, 0.05);
    // Both parts of a request share the core at once: above 1 ms of service, and below the 15 ms
    // that a queue in order would give.
    let mean = report.response_seconds.mean.unwrap();
    assert!((0.0065..0.020).contains(&mean), "{mean}");
}

#[test]
fn an_unknown_stage_and_a_circle_that_multiplies_are_refused() {
    let text = "arrivals = { rate = 1.0, timers = [{ stage = 'beat', rate = 1.0 }] }
        [[stage]]\nname = 'a'\ncapacity = 1\ndemand = { kind = 'exponential', mean = '1ms' }";
    let error = text.parse::<Spec>().unwrap_err().to_string();
    assert_eq!(error, "`arrivals.timers.stage` is beat; allowed: one of a");
    let circle = "arrivals = { rate = 1.0 }
        [[stage]]\nname = 'a'\ncapacity = 1\ndemand = { kind = 'exponential', mean = '1ms' }
        routes = [{ to = 'a', share = 1.1, copies = true }]";
    let error = circle.parse::<Spec>().unwrap_err().to_string();
    assert!(error.contains("`stage.a.routes`") && error.contains("multiplies"), "{error}");
}
