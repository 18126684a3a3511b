//! The statements of `docs/lab.md` hold for the specs of the lab, each for some virtual seconds.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_sim::{Capacity, SimReport, Spec};
use std::path::Path;
use std::time::Duration;

fn spec(name: &str) -> Spec {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab");
    Spec::read(&lab.join(format!("{name}.toml"))).unwrap()
}

/// Runs a spec and checks the conservation of requests and of events.
fn run(spec: &Spec) -> SimReport {
    let report = seda_sim::run(spec, spec.seed).unwrap();
    let ends = report.ends;
    let ended = ends.good + ends.late + ends.refused + ends.timed_out + ends.lost;
    assert_eq!(ends.scheduled, ended + ends.unfinished);
    let events = report.graph.events;
    assert_eq!(events.offered, events.accepted + events.refused);
    let inside = events.queued + events.in_hand + events.pending;
    assert_eq!(events.accepted, events.handled + events.shed + events.failed + inside);
    report
}

#[test]
fn littles_law_holds_for_mm1() {
    let report = run(&spec("mm1"));
    let predicted = report.offered_per_second * report.sojourn_mean.unwrap();
    assert!((report.in_flight_mean / predicted - 1.0).abs() < 0.01);
}

#[test]
fn a_hot_spot_hurts_round_robin_and_hardly_the_shortest_queue() {
    let mut spec = spec("hot_spot");
    let round_robin = run(&spec);
    spec.stages[0].balance = Some(seda_core::Balance::ShortestQueue);
    let shortest = run(&spec);
    assert!(round_robin.response_seconds.p99.unwrap() > 1.0);
    assert!(shortest.response_seconds.p99.unwrap() < 0.05);
    assert_eq!(round_robin.graph.bottleneck.stage.as_deref(), Some("app-2"));
}

#[test]
fn a_blocking_stage_gets_more_workers_than_there_are_cores() {
    let report = run(&spec("blocking_stage"));
    let query = &report.graph.stages[1];
    assert!((12..=64).contains(&query.workers.now), "{:?}", query.workers);
    assert!(query.blocked_share.unwrap() > 0.9);
    assert!(report.ends.good * 100 > report.ends.scheduled * 99);
}

#[test]
fn without_control_retries_keep_the_overload_alive_after_its_cause_has_gone() {
    let mut spec = spec("congestion_collapse");
    // The window begins 20 s after the burst, with the load below the capacity again.
    (spec.warm_up, spec.window) = (Duration::from_secs(40), Duration::from_secs(20));
    let collapsed = run(&spec);
    assert!(collapsed.goodput_per_second < 0.05 * collapsed.offered_per_second);
    assert!(collapsed.amplification > 3.0);
    // A queue that is served within the clients' timeout keeps the server upright.
    spec.stages[0].capacity = 100;
    spec.graph.budget = Some(200);
    let bounded = run(&spec);
    assert!(bounded.goodput_per_second > 0.95 * bounded.offered_per_second);
}

#[test]
fn the_valve_evicts_from_the_longest_queue_for_gold_and_without_it_gold_is_refused() {
    let mut spec = spec("longest_queue_drop");
    let valve = run(&spec);
    assert_eq!(valve.classes["gold"].refused, 0);
    let slow = &valve.graph.stages[1];
    assert!(slow.shed["valve"] > 100);
    spec.graph.control.overload = seda_core::OverloadPolicy::None;
    let none = run(&spec);
    let gold = none.classes["gold"];
    assert!(gold.refused > gold.scheduled / 10, "{gold:?}");
}

#[test]
fn the_serial_part_bounds_the_speedup_by_cores() {
    let mut spec = spec("amdahl");
    for cores in [1, 2, 4, 8] {
        spec.cores = cores;
        spec.stages[1].workers = Some(seda_core::WorkerRange::exactly(cores));
        let capacity = Capacity::of(&spec).per_second;
        // One core does both parts; from four cores on the serial part is full first.
        let law = (1000.0_f64).min(cores as f64 * 250.0);
        assert!((capacity - law).abs() < 1e-6, "{cores}: {capacity}");
        let below = run(&spec.at_rate(0.9 * capacity).unwrap());
        assert_eq!(below.ends.refused, 0, "{cores} cores");
        // Serial work for requests that the parallel part refuses is wasted.
        let beyond = run(&spec.at_rate(1.5 * capacity).unwrap()).throughput_per_second;
        assert!((0.75..1.01).contains(&(beyond / law)), "{cores} cores: {beyond} of {law}");
    }
}

#[test]
fn the_slo_is_met_at_every_load_and_only_with_admission() {
    for times in [1.2, 2.0, 5.0, 10.0] {
        let mut spec = spec("admission");
        spec.window = Duration::from_secs(5);
        spec.arrivals.rate = Some(times * 1_000.0);
        let report = run(&spec);
        // The core time of refusals is not available for services.
        let bound = 1_000.0 * (1.0 - (times - 1.0) * 6e-6 / 1e-3);
        assert!(
            report.goodput_per_second >= 0.97 * bound,
            "{times}: {}",
            report.goodput_per_second
        );
        assert!(report.response_seconds.p99.unwrap() <= 0.2);
        assert_eq!((report.ends.late, report.ends.timed_out, report.ends.lost), (0, 0, 0));
    }
    let mut spec = spec("admission");
    spec.graph.control.admission = seda_core::Mode::Off;
    assert_eq!(run(&spec).ends.good, 0);
}
