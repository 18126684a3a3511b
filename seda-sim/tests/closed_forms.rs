//! Simulated queues against the closed forms of queueing theory: means within 2 %, tails within
//! 5 %. The seeds are fixed, so what holds once holds always. All controllers are off.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{SimReport, Spec};

const OFF: &str = r#"
    [graph.control]
    pool_size = "off"
    batch_size = "off"
    valve = "off"
"#;

/// One stage; `rest` is of the stage, behind its demand.
fn single(rate: f64, window: &str, capacity: usize, demand: &str, rest: &str) -> SimReport {
    let text = format!(
        "warm_up = \"60s\"\nwindow = \"{window}\"\narrivals = {{ rate = {rate:?} }}\n[[stage]]\nname = \"serve\"\n\
         capacity = {capacity}\ndemand = {demand}\n{rest}\n[graph]\nbudget = {capacity}\n{OFF}"
    );
    run(&text)
}

fn run(text: &str) -> SimReport {
    let spec: Spec = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    seda_sim::run(&spec, 1).unwrap()
}

fn mean(report: &SimReport) -> f64 {
    report.response_seconds.mean.unwrap()
}

fn assert_close(what: &str, found: f64, expected: f64, share: f64) {
    let off = found / expected - 1.0;
    assert!(off.abs() <= share, "{what}: {found} is {:.2} % off {expected}", off * 100.0);
}

/// Erlang's C: the probability that one has to wait for c servers with a offered Erlangs.
fn erlang_c(c: u32, a: f64) -> f64 {
    let mut inverse_b = 1.0;
    for k in 1..=c {
        inverse_b = 1.0 + inverse_b * f64::from(k) / a;
    }
    let b = 1.0 / inverse_b;
    b / (1.0 - a / f64::from(c) * (1.0 - b))
}

#[test]
fn an_m_m_1_queue_has_the_mean_and_the_tail_of_theory() {
    let exponential = r#"{ kind = "exponential", mean = "1ms" }"#;
    let report = single(700.0, "1000s", 20_000, exponential, "");
    // Sojourn is exponential with rate mu - lambda = 300/s.
    assert_close("mean", mean(&report), 1.0 / 300.0, 0.02);
    let p99 = report.response_seconds.p99.unwrap();
    assert_close("p99", p99, 100.0_f64.ln() / 300.0, 0.05);
    assert_close("N", report.in_flight_mean, 0.7 / 0.3, 0.02);
    assert_close("Little", report.in_flight_mean, report.offered_per_second * mean(&report), 0.001);
    let stage = &report.graph.stages[0];
    assert_close("U", stage.utilization, 0.7, 0.02);
    assert_close("wait", stage.wait_seconds.mean.unwrap(), 0.7 / 300.0, 0.02);
    assert_close("service", stage.service_seconds.quantiles.mean.unwrap(), 0.001, 0.02);
    assert_eq!(report.ends.good, report.ends.scheduled);
}

#[test]
fn an_m_m_c_queue_waits_as_erlang_says() {
    let exponential = r#"{ kind = "exponential", mean = "4ms" }"#;
    let report = single(800.0, "500s", 20_000, exponential, "workers = 4");
    let wait = erlang_c(4, 3.2) / (4.0 * 250.0 - 800.0);
    assert_close("mean", mean(&report), wait + 0.004, 0.02);
}

#[test]
fn an_m_d_1_queue_waits_half_as_long() {
    let deterministic = r#"{ kind = "deterministic", mean = "1ms" }"#;
    let report = single(800.0, "500s", 20_000, deterministic, "");
    assert_close("mean", mean(&report), 0.001 + 0.8 * 0.001 / (2.0 * 0.2), 0.02);
}

#[test]
fn an_m_g_1_queue_waits_as_pollaczek_and_khinchine_say() {
    let bimodal = r#"{ kind = "bimodal", fast = "500us", slow = "5500us", slow_share = 0.1 }"#;
    let report = single(600.0, "1000s", 20_000, bimodal, "");
    let second = 0.9 * 0.0005_f64.powi(2) + 0.1 * 0.0055_f64.powi(2);
    assert_close("bimodal", mean(&report), 0.001 + 600.0 * second / (2.0 * 0.4), 0.02);
    let lognormal = r#"{ kind = "lognormal", mean = "1ms", sigma = 1.0 }"#;
    let report = single(600.0, "1000s", 20_000, lognormal, "");
    let second = 1e-6 * 1.0_f64.exp();
    assert_close("lognormal", mean(&report), 0.001 + 600.0 * second / (2.0 * 0.4), 0.02);
}

#[test]
fn an_m_m_1_k_queue_refuses_the_share_of_theory() {
    // One in service and four that wait: K = 5, at a load of 1.2. The event in hand keeps its
    // place in the budget, not in the queue.
    let text = format!(
        "window = \"500s\"\narrivals = {{ rate = 1200.0 }}\n[[stage]]\nname = \"serve\"\n\
         capacity = 4\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\n[graph]\nbudget = 5\n{OFF}"
    );
    let report = run(&text);
    let (load, k): (f64, i32) = (1.2, 5);
    let loss = (1.0 - load) * load.powi(k) / (1.0 - load.powi(k + 1));
    let refused = report.ends.refused as f64 / report.ends.scheduled as f64;
    assert_close("loss", refused, loss, 0.02);
    let n: f64 = (0..=k).map(|i| f64::from(i) * load.powi(i)).sum::<f64>() * (1.0 - load)
        / (1.0 - load.powi(k + 1));
    assert_close("mean", mean(&report), n / (1200.0 * (1.0 - loss)), 0.02);
}

#[test]
fn a_tandem_of_queues_is_as_if_each_were_alone() {
    let text = format!(
        r#"
        warm_up = "60s"
        window = "1000s"
        arrivals = {{ rate = 500.0 }}
        [[stage]]
        name = "first"
        capacity = 20000
        demand = {{ kind = "exponential", mean = "1ms" }}
        routes = [{{ to = "second" }}]
        [[stage]]
        name = "second"
        capacity = 20000
        demand = {{ kind = "exponential", mean = "1400us" }}
        routes = [{{ to = "third", share = 0.4 }}]
        [[stage]]
        name = "third"
        capacity = 20000
        demand = {{ kind = "exponential", mean = "3ms" }}
        {OFF}"#
    );
    let report = run(&text);
    let alone = |rate: f64, mean: f64| 1.0 / (1.0 / mean - rate);
    let expected = alone(500.0, 0.001) + alone(500.0, 0.0014) + 0.4 * alone(200.0, 0.003);
    assert_close("mean", mean(&report), expected, 0.02);
}

#[test]
fn cores_that_are_too_few_are_shared_and_the_price_is_time_on_the_run_queue() {
    // Four workers on one core: M/M/1 with processor sharing has the mean of M/M/1.
    let text = format!(
        r#"
        cores = 1
        warm_up = "60s"
        window = "500s"
        arrivals = {{ rate = 600.0 }}
        [[stage]]
        name = "serve"
        capacity = 20000
        workers = 64
        demand = {{ kind = "exponential", mean = "1ms" }}
        {OFF}"#
    );
    let report = run(&text);
    assert_close("mean", mean(&report), 1.0 / 400.0, 0.02);
    assert_close("cores", report.utilization, 0.6, 0.02);
    let stage = &report.graph.stages[0];
    assert_close("cpu share", stage.cpu_share.unwrap(), 0.4, 0.02);
    assert_close("run queue", stage.runqueue_share.unwrap(), 0.6, 0.02);
}
