//! A report is enough to simulate its graph again: spec → run → report → spec → run gives the same
//! throughput and nearly the same p99, for each kind of bound that a graph can have.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_core::Report;
use seda_sim::spec::Process;
use seda_sim::{Capacity, SimReport, Spec};

/// Only measured parts act, and a tick of 100 ms makes the report's windows.
const CONTROL: &str = r#"
    [graph.control]
    admission = "off"
    pool_size = "off"
    batch_size = "observe"
    valve = "off"
    outstanding = "off"
"#;

/// A run, the spec from its report, and the run of that.
struct RoundTrip {
    measured: SimReport,
    spec: Spec,
    simulated: SimReport,
}

impl RoundTrip {
    fn of(text: &str) -> Self {
        Self::changed(text, |_| {})
    }

    /// Changes the report before it is read, for what no simulated graph has.
    fn changed(text: &str, change: impl FnOnce(&mut Report)) -> Self {
        let spec: Spec = format!("window = \"30s\"\nslo = \"10s\"\n{text}{CONTROL}")
            .parse()
            .unwrap_or_else(|error| panic!("{error}"));
        let mut measured = seda_sim::run(&spec, 1).unwrap();
        change(&mut measured.graph);
        let mut back = Spec::from_report(&measured.graph, spec.cores).unwrap();
        back.graph.control = spec.graph.control.clone();
        back.window = spec.window;
        let simulated = seda_sim::run(&back, 2).unwrap();
        Self { measured, spec: back, simulated }
    }

    /// Asserts the throughput within 10 %, and the p99 within a factor.
    #[track_caller]
    fn holds(&self, p99: f64) {
        let (before, after) = (&self.measured, &self.simulated);
        let throughput = after.throughput_per_second / before.throughput_per_second;
        assert!((throughput - 1.0).abs() < 0.1, "throughput x {throughput}");
        let tails = (after.response_seconds.p99.unwrap(), before.response_seconds.p99.unwrap());
        let ratio = tails.0 / tails.1;
        assert!((1.0 / p99..=p99).contains(&ratio), "p99 x {ratio}: {tails:?}");
    }
}

#[test]
fn full_cores() {
    let full = r#"
        cores = 1
        arrivals = { rate = 300.0 }
        [[stage]]
        name = "serve"
        capacity = 200
        workers = 8
        demand = { kind = "exponential", mean = "4ms" }
    "#;
    // Overloaded: each service takes eight times its demand.
    let over = RoundTrip::of(full);
    assert!((over.spec.stages[0].demand.mean() / 0.004 - 1.0).abs() < 0.05);
    assert_eq!(Capacity::of(&over.spec).limit, "the cores");
    over.holds(1.2);
    RoundTrip::of(&full.replace("300.0", "200.0")).holds(1.4);
}

#[test]
fn a_deferring_stage() {
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
        pending = 16
    "#;
    let over = RoundTrip::of(deferring);
    assert_eq!(over.spec.graph.stages["ask"].outstanding, Some(8));
    over.holds(1.2);
    RoundTrip::of(&deferring.replace("rate = 100.0", "rate = 60.0")).holds(1.4);
}

#[test]
fn a_cap_and_weights_in_a_shared_pool() {
    let shared = r#"
        arrivals = { rate = 120.0 }
        pool = [{ name = "both", workers = 4 }]
        [[stage]]
        name = "parse"
        capacity = 100
        pool = "both"
        weight = 3
        demand = { kind = "exponential", mean = "5ms" }
        routes = [{ to = "render" }]
        [[stage]]
        name = "render"
        capacity = 100
        pool = "both"
        cap = 1
        demand = { kind = "exponential", mean = "10ms" }
    "#;
    let trip = RoundTrip::of(shared);
    let stages = &trip.spec.stages;
    assert_eq!((stages[0].weight, stages[1].cap), (Some(3), Some(1)));
    assert_eq!(Capacity::of(&trip.spec).limit, "render");
    trip.holds(1.2);
}

#[test]
fn a_declared_rate() {
    let trip = RoundTrip::of(
        r#"
        arrivals = { rate = 200.0 }
        [[stage]]
        name = "mail"
        capacity = 100
        workers = 2
        demand = { kind = "exponential", mean = "2ms" }
        [graph.stages.mail]
        rate = { per_second = 80.0, burst = 4 }
        "#,
    );
    let rate = trip.spec.graph.stages["mail"].rate.unwrap();
    assert_eq!((rate.per_second, rate.burst), (80.0, 4));
    trip.holds(1.4);
}

#[test]
fn a_hot_key() {
    let keyed = r#"
        arrivals = { rate = 200.0 }
        [[stage]]
        name = "apply"
        capacity = 100
        workers = 4
        hot_key = 0.8
        demand = { kind = "exponential", mean = "10ms" }
    "#;
    let over = RoundTrip::of(keyed);
    assert!((over.spec.stages[0].hot_key.unwrap() - 0.8).abs() < 0.05);
    over.holds(1.3);
    RoundTrip::of(&keyed.replace("200.0", "90.0")).holds(1.6);
}

#[test]
fn a_stage_that_sends_several_events_for_one() {
    let trip = RoundTrip::of(
        r#"
        arrivals = { rate = 40.0 }
        [[stage]]
        name = "split"
        capacity = 100
        demand = { kind = "deterministic", mean = "1ms" }
        routes = [{ to = "part", share = 3.0, copies = true }]
        [[stage]]
        name = "part"
        capacity = 100
        workers = 2
        demand = { kind = "exponential", mean = "12ms" }
        "#,
    );
    assert!((trip.spec.stages[0].routes[0].share - 3.0).abs() < 0.05);
    trip.holds(1.4);
}

#[test]
fn a_circle_that_feeds_itself() {
    let trip = RoundTrip::changed(
        r#"
        cores = 1
        arrivals = { rate = 50.0, timers = [{ stage = "beat", rate = 100.0 }] }
        [[stage]]
        name = "serve"
        capacity = 100
        demand = { kind = "exponential", mean = "8ms" }
        [[stage]]
        name = "beat"
        capacity = 100
        demand = { kind = "deterministic", mean = "4ms" }
        "#,
        // No simulated stage sends to itself for ever: count the events of the timer as its own.
        |report| {
            let edge = report.edges.iter_mut().find(|edge| edge.to == "beat").unwrap();
            edge.from = Some("beat".to_owned());
        },
    );
    let [timer] = trip.spec.arrivals.timers.as_slice() else { panic!("one timer") };
    assert!(timer.stage == "beat" && (timer.rate / 100.0 - 1.0).abs() < 0.1, "{timer:?}");
    assert!((trip.spec.arrivals.rate.unwrap() / 50.0 - 1.0).abs() < 0.1);
    // At a load of 0.8 of the cores ten seconds know the demand within a tenth.
    trip.holds(2.0);
}

#[test]
fn bursts() {
    let bursty = r#"
        arrivals = { process = "on_off", rate = 400.0, on = "200ms", off = "400ms" }
        [[stage]]
        name = "serve"
        capacity = 1000
        demand = { kind = "exponential", mean = "4ms" }
    "#;
    let trip = RoundTrip::of(bursty);
    assert_eq!(trip.spec.arrivals.process, Process::OnOff, "{:?}", trip.spec.arrivals);
    // The last ten seconds have a few dozen bursts.
    let rate = trip.spec.mean_rate() / trip.measured.offered_per_second;
    assert!((rate - 1.0).abs() < 0.3, "{rate}");
    let mut same = trip.spec.at_rate(trip.measured.offered_per_second).unwrap();
    same.window = std::time::Duration::from_secs(100);
    let simulated = seda_sim::run(&same, 3).unwrap();
    RoundTrip { simulated, ..trip }.holds(2.0);
}

#[test]
fn time_outside_the_stages() {
    let serve = r#"
        cores = 1
        arrivals = { rate = 400.0 }
        [[stage]]
        name = "serve"
        capacity = 100
        demand = { kind = "exponential", mean = "1ms" }
    "#;
    let trip = RoundTrip::of(serve);
    assert!(trip.spec.client.latency.as_micros() < 60, "{:?}", trip.spec.client.latency);
    // What the server's own clock counts beyond its stages is added to each response.
    let slower = |report: &mut Report| {
        for class in &mut report.classes {
            class.last_ten_seconds.mean = class.last_ten_seconds.mean.map(|mean| mean + 0.0007);
        }
        report.machine.process = Some(0.4 + 400.0 * 0.000_2);
    };
    let later = RoundTrip::changed(serve, slower);
    let added = later.spec.client.latency - trip.spec.client.latency;
    assert!((690..=710).contains(&added.as_micros()), "{added:?}");
    let cpu = later.spec.arrivals.cpu.as_micros();
    assert!((100..300).contains(&cpu), "{cpu}");
}

#[test]
fn an_edge_that_waits() {
    let line = r#"
        arrivals = { rate = 150.0 }
        [[stage]]
        name = "read"
        capacity = 60
        demand = { kind = "deterministic", mean = "2ms" }
        routes = [{ to = "write" }]
        [[stage]]
        name = "write"
        capacity = 40
        demand = { kind = "exponential", mean = "10ms" }
        [graph]
        budget = 1000
    "#;
    let waits = |report: &mut Report| {
        report
            .edges
            .iter_mut()
            .filter(|edge| edge.from.is_some())
            .for_each(|edge| edge.waits = true);
    };
    let trip = RoundTrip::changed(line, waits);
    let capacities: Vec<usize> = trip.spec.stages.iter().map(|stage| stage.capacity).collect();
    assert_eq!(capacities, [60, 40 + 60 + 1]);
    // A full line has both queues full: 101 events in front of ten milliseconds each.
    assert!((trip.simulated.throughput_per_second - 100.0).abs() < 5.0);
    let p50 = trip.simulated.response_seconds.p50.unwrap();
    assert!((0.9..1.15).contains(&p50), "{p50}");
}
