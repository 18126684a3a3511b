//! Simulated queues agree with the closed forms of queueing theory: means within 2 %, tails within
//! 5 %. The seeds are fixed, so a test that passes once passes always. All controllers are off.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{SimReport, Spec};

const OFF: &str = r#"
    [graph.control]
    admission = "off"
    pool_size = "off"
    batch_size = "off"
    valve = "off"
"#;

/// Runs one stage; `rest` is more settings of the stage.
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

/// Returns the seconds at which a tail falls to 1 %, by bisection to the microsecond. A tail is the
/// probability to exceed some seconds.
fn p99(tail: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    while high - low > 1e-6 {
        let middle = f64::midpoint(low, high);
        *(if tail(middle) > 0.01 { &mut low } else { &mut high }) = middle;
    }
    high
}

fn assert_p99(report: &SimReport, tail: impl Fn(f64) -> f64) {
    assert_close("p99", report.response_seconds.p99.unwrap(), p99(tail), 0.05);
}

/// Returns the tail of a sum of exponential times with these rates, all of them different.
fn hypoexponential(rates: &[f64], t: f64) -> f64 {
    let part = |(i, rate): (usize, &f64)| {
        let others = rates.iter().enumerate().filter(|(j, _)| *j != i);
        (-rate * t).exp() * others.map(|(_, other)| other / (other - rate)).product::<f64>()
    };
    rates.iter().enumerate().map(part).sum()
}

/// Returns n!.
fn factorial(n: u32) -> f64 {
    (1..=n).map(f64::from).product()
}

/// Returns Erlang's C: the probability of a wait for c servers, at an offered load of a Erlangs.
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
fn an_m_m_c_queue_has_the_wait_of_erlang() {
    let exponential = r#"{ kind = "exponential", mean = "4ms" }"#;
    let report = single(800.0, "500s", 20_000, exponential, "workers = 4");
    let waits = erlang_c(4, 3.2);
    let leaves = 4.0 * 250.0 - 800.0;
    assert_close("mean", mean(&report), waits / leaves + 0.004, 0.02);
    // A request that has to wait does so for an exponential time: 4 µ - λ is its rate.
    assert_p99(&report, |t| {
        (1.0 - waits) * hypoexponential(&[250.0], t) + waits * hypoexponential(&[250.0, leaves], t)
    });
}

#[test]
fn an_m_d_1_queue_waits_half_as_long() {
    let deterministic = r#"{ kind = "deterministic", mean = "1ms" }"#;
    let report = single(800.0, "500s", 20_000, deterministic, "");
    assert_close("mean", mean(&report), 0.001 + 0.8 * 0.001 / (2.0 * 0.2), 0.02);
    assert_p99(&report, |t| if t < 0.001 { 1.0 } else { 1.0 - waits_at_most(t * 1e3 - 1.0) });
}

/// Returns the probability that the wait of an M/D/1 queue at a load of 0.8 is at most `t` services
/// (Erlang 1909).
fn waits_at_most(t: f64) -> f64 {
    // The terms alternate and grow: far out the sum has no correct digits left, and the tail is 0.
    if t >= 29.0 {
        return 1.0;
    }
    let mut sum = 0.0;
    for k in 0..=t as u32 {
        let x = 0.8 * (t - f64::from(k));
        sum += (-x).powi(k.cast_signed()) / factorial(k) * x.exp();
    }
    0.2 * sum
}

/// Returns the tail of the wait of an M/G/1 queue at a load of 0.6, with services of 500 us and one
/// in ten of 5.5 ms. The wait is a geometric sum of residual services (Pollaczek and Khinchine),
/// computed by Panjer's recursion on a grid of 50 us up to 200 ms.
fn bimodal_wait() -> impl Fn(f64) -> f64 {
    const STEP: f64 = 50e-6;
    const POINTS: usize = 4_000;
    let grid = (0..POINTS).map(|k| k as f64 * STEP);
    let masses = grid.map(|x| residual(x + STEP / 2.0) - residual(x - STEP / 2.0));
    let masses: Vec<f64> = masses.take_while(|mass| *mass > 0.0).collect();
    let again = 0.6 / (1.0 - 0.6 * masses[0]);
    let mut waits = vec![0.4 / (1.0 - 0.6 * masses[0])];
    for k in 1..POINTS {
        let sums = (1..masses.len().min(k + 1)).map(|j| masses[j] * waits[k - j]);
        waits.push(again * sums.sum::<f64>());
    }
    let mut within = 0.0;
    let tails: Vec<f64> = waits
        .iter()
        .map(|wait| {
            within += wait;
            1.0 - within
        })
        .collect();
    move |t: f64| {
        if t < 0.0 { 1.0 } else { tails.get((t / STEP) as usize).copied().unwrap_or(0.0) }
    }
}

/// Returns the probability that a residual service is shorter than `x`. The residual of a constant
/// is uniform; each of the two constants counts by its share of the busy time.
fn residual(x: f64) -> f64 {
    0.45 * (x / 500e-6).clamp(0.0, 1.0) + 0.55 * (x / 5_500e-6).clamp(0.0, 1.0)
}

#[test]
fn an_m_g_1_queue_has_the_wait_of_pollaczek_and_khinchine() {
    let bimodal = r#"{ kind = "bimodal", fast = "500us", slow = "5500us", slow_share = 0.1 }"#;
    let report = single(600.0, "1000s", 20_000, bimodal, "");
    let second = 0.9 * 0.0005_f64.powi(2) + 0.1 * 0.0055_f64.powi(2);
    assert_close("bimodal", mean(&report), 0.001 + 600.0 * second / (2.0 * 0.4), 0.02);
    let wait = bimodal_wait();
    assert_p99(&report, |t| 0.9 * wait(t - 0.0005) + 0.1 * wait(t - 0.0055));
    let lognormal = r#"{ kind = "lognormal", mean = "1ms", sigma = 1.0 }"#;
    let report = single(600.0, "1000s", 20_000, lognormal, "");
    let second = 1e-6 * 1.0_f64.exp();
    assert_close("lognormal", mean(&report), 0.001 + 600.0 * second / (2.0 * 0.4), 0.02);
}

#[test]
fn an_m_m_1_k_queue_refuses_the_share_of_theory() {
    // K = 5 at a load of 1.2: one event in service and four in the queue. The event in service
    // counts in the budget, not in the queue.
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
    // An admitted request finds n others with the probability of n, given that it is admitted, and
    // stays for n + 1 exponential services.
    let finds = |n: i32| (1.0 - load) * load.powi(n) / (1.0 - load.powi(k + 1)) / (1.0 - loss);
    let longer = |n: u32, t: f64| {
        let services = (0..=n).map(|j| (1e3 * t).powi(j.cast_signed()) / factorial(j));
        (-1e3 * t).exp() * services.sum::<f64>()
    };
    assert_p99(&report, |t| (0..5_u32).map(|n| finds(n.cast_signed()) * longer(n, t)).sum());
}

#[test]
fn queues_in_tandem_behave_as_if_each_were_alone() {
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
    // Sojourn times in a row of M/M/1 queues are independent (Reich, 1957).
    let rates = [500.0, 1.0 / 0.0014 - 500.0, 1.0 / 0.003 - 200.0];
    assert_p99(&report, |t| {
        0.6 * hypoexponential(&rates[..2], t) + 0.4 * hypoexponential(&rates, t)
    });
}

#[test]
fn workers_share_too_few_cores_and_wait_on_the_run_queue() {
    // 64 workers on one core: M/M/1 with processor sharing has the mean of M/M/1.
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

#[test]
fn the_shard_of_a_hot_key_has_one_worker() {
    // Half of the events, and a 64th of the others, share a shard: 100/s of them, of 10 ms each.
    let demand = "{ kind = \"exponential\", mean = \"10ms\" }";
    let report = single(190.0, "100s", 1_000, demand, "workers = 8\nhot_key = 0.5");
    let share = report.graph.stages[0].busiest_shard_share.unwrap();
    assert_close("share of the shard", share, 0.5 + 0.5 / 64.0, 0.03);
    let full = single(300.0, "100s", 1_000, demand, "workers = 8\nhot_key = 1.0");
    assert_close("answers per second", full.throughput_per_second, 100.0, 0.03);
}

#[test]
fn a_deferring_stage_serves_as_many_as_may_be_outside() {
    // Ten places of 50 ms, and one worker of 1 ms.
    let demand = "{ kind = \"deterministic\", mean = \"1ms\" }";
    let rest = "outside = { kind = \"exponential\", mean = \"50ms\" }";
    let places = "[graph.stages.serve]\noutstanding = 10\npending = 10";
    let spec = |rate: f64| {
        format!(
            "warm_up = \"5s\"\nwindow = \"50s\"\narrivals = {{ rate = {rate:?} }}\n[[stage]]\n\
             name = \"serve\"\ncapacity = 100\ndemand = {demand}\n{rest}\n{places}\n{OFF}"
        )
    };
    let idle = run(&spec(20.0));
    assert_close("mean response", mean(&idle), 0.051, 0.05);
    let full = run(&spec(400.0));
    assert_close("answers per second", full.throughput_per_second, 10.0 / 0.050, 0.03);
    assert!(full.graph.stages[0].utilization < 0.5, "its worker waits for none of them");
}
