//! The rows of the overload matrix at 64 cores and 100 stages that are about the amount of load.
//! Virtual time is exact, so every figure here is the same on every machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::wide::{SERVICES, SLO, bound, capacity, classed, deterministic, run, spec};
use seda_core::Mode;
use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// Runs a spec, and checks its goodput against the bound and its p99 against the SLO.
fn overloaded(spec: &Spec, load: f64, reach: f64) -> SimReport {
    let report = run(spec);
    let row = format!("{:?} at {load}x", spec.stages[1].demand);
    let good = report.goodput_per_second / bound(spec, load);
    assert!(good >= reach, "{row}: {good} of the bound");
    let (slo, p99) = (spec.slo.unwrap().as_secs_f64(), report.response_seconds.p99.unwrap());
    assert!(p99 <= slo, "{row}: p99 {p99}");
    report
}

/// Checks that a refusal comes within 10 ms.
fn assert_fast_refusals(report: &SimReport) {
    let refusal = report.refusal_seconds.p99.unwrap_or(0.0);
    assert!(refusal <= 0.010, "a refusal takes {refusal}");
}

#[test]
fn goodput_stays_at_the_bound_and_answers_are_in_time() {
    let rows = [
        ("100us", [1.2, 2.0, 5.0].as_slice()),
        ("1ms", &[1.2, 2.0, 5.0, 10.0]),
        ("10ms", &[1.2, 2.0, 5.0, 10.0]),
        ("50ms", &[1.2, 2.0, 5.0, 10.0]),
    ];
    for (demand, loads) in rows {
        for load in loads {
            let report = overloaded(&spec(&deterministic(demand), *load), *load, 0.97);
            assert_fast_refusals(&report);
        }
    }
}

#[test]
fn goodput_stays_at_the_bound_with_blocking_services() {
    for load in [1.2, 2.0, 5.0, 10.0] {
        let mut spec = spec(&deterministic("20ms"), load);
        spec.stages[1..].iter_mut().for_each(|service| service.cpu_share = 0.0);
        let report = run(&spec);
        // The capacity is that of 64 blocked workers; refusals take no time of theirs.
        let good = report.goodput_per_second / capacity(&spec);
        assert!(good >= 0.97, "{load}x: {good}");
        assert!(report.response_seconds.p99.unwrap() <= SLO);
        assert_fast_refusals(&report);
    }
}

#[test]
fn other_slos_are_met_as_well() {
    for (demand, millis) in [("1ms", 50), ("10ms", 1_000)] {
        for load in [1.2, 2.0, 5.0] {
            let mut spec = spec(&deterministic(demand), load);
            let slo = Duration::from_millis(millis);
            spec.slo = Some(slo);
            spec.graph.slo = seda_core::SloConfig::new(slo);
            overloaded(&spec, load, 0.97);
        }
    }
}

#[test]
fn goodput_stays_at_nine_tenths_with_services_that_differ_by_a_hundred() {
    let demand = "{ kind = 'bimodal', fast = '500us', slow = '50ms', slow_share = 0.01 }";
    for load in [1.2, 2.0, 5.0, 10.0] {
        overloaded(&spec(demand, load), load, 0.90);
    }
}

#[test]
fn every_50_ms_slice_is_in_time_from_100_ms_after_a_step() {
    let mut spec = spec(&deterministic("1ms"), 1.0);
    let rate = spec.arrivals.rate.take().unwrap();
    spec.arrivals.profile = Some(format!("{}/s:1s,{}/s:9s", rate * 0.9, rate * 1.4));
    (spec.warm_up, spec.window) = (Duration::from_millis(1_100), Duration::from_millis(2_900));
    spec.slice = Some(Duration::from_millis(50));
    for seed in 1..=5 {
        let report = seda_sim::run(&spec, seed).unwrap();
        assert_eq!(report.slices.len(), 58);
        for slice in &report.slices {
            let p99 = slice.response_seconds.p99.unwrap();
            assert!(p99 <= SLO, "seed {seed}, from {} s: {p99}", slice.from_seconds);
        }
    }
}

#[test]
fn goodput_recovers_after_a_burst_and_refusals_end() {
    for (retries, within) in [(0, 1.0), (3, 2.0)] {
        let mut spec = spec(&deterministic("1ms"), 1.0);
        let rate = spec.arrivals.rate.take().unwrap();
        let profile = format!("{0}/s:1s,{1}/s:2s,{0}/s:9s", rate * 0.9, rate * 5.0);
        spec.arrivals.profile = Some(profile);
        spec.client.retries = retries;
        (spec.client.backoff, spec.client.hangs_up) = (Duration::from_millis(50), true);
        spec.client.most_backoff = Some(Duration::from_secs(1));
        // Slices of half a second, from the moment at which goodput is to be back.
        spec.warm_up = Duration::from_secs_f64(3.0 + within);
        spec.window = Duration::from_secs(2);
        spec.slice = Some(Duration::from_millis(500));
        let report = run(&spec);
        assert_eq!(report.slices.len(), 4);
        for slice in &report.slices {
            let good = slice.ends.good as f64 / slice.ends.scheduled as f64;
            assert!(good >= 0.97, "{retries} retries, from {} s: {good}", slice.from_seconds);
            if slice.from_seconds >= 5.0 {
                assert_eq!(slice.ends.refused + slice.ends.lost, 0, "{retries} retries: {slice:?}");
            }
        }
    }
}

#[test]
fn without_control_goodput_stays_low_after_a_burst() {
    let mut spec = spec(&deterministic("5ms"), 1.0);
    let rate = spec.arrivals.rate.take().unwrap();
    spec.arrivals.profile = Some(format!("{0}/s:1s,{1}/s:5s,{0}/s:9s", rate * 0.9, rate * 5.0));
    spec.graph.control.set_mode(Mode::Off);
    // The queues are full of requests that have timed out.
    (spec.warm_up, spec.window) = (Duration::from_secs(7), Duration::from_millis(500));
    let down = run(&spec);
    assert!(down.goodput_per_second < 0.5 * down.offered_per_second, "{down}");
}

#[test]
fn gold_is_hardly_refused_and_basic_gets_the_rest() {
    let mut spec = spec(&deterministic("1ms"), 5.0);
    classed(&mut spec, 0.1);
    let report = overloaded(&spec, 5.0, 0.97);
    let gold = report.classes["gold"];
    let refused = gold.scheduled - gold.good;
    assert!(refused * 100 < gold.scheduled, "{refused} of {}", gold.scheduled);
    let left = bound(&spec, 5.0) - gold.good as f64 / report.duration_seconds;
    let basic = report.classes["basic"].good as f64 / report.duration_seconds;
    assert!(basic >= 0.9 * left, "{basic} of {left}");
}

#[test]
fn services_beside_overloaded_ones_stay_fast() {
    // Half of the services get five times the capacity of the machine, the others a tenth of it.
    const OVERLOADED: usize = 49;
    let mut spec = spec(&deterministic("1ms"), 5.1);
    for (service, route) in spec.stages[0].routes.iter_mut().enumerate() {
        let (load, services) =
            if service < OVERLOADED { (5.0, OVERLOADED) } else { (0.1, SERVICES - OVERLOADED) };
        route.share = load / 5.1 / services as f64;
    }
    spec.window = Duration::from_secs(1);
    let report = run(&spec);
    let mut scheduled = 0;
    let mut bad = 0;
    for service in OVERLOADED..SERVICES {
        let route = &report.routes[&format!("s{service}")];
        let p99 = route.response_seconds.p99.unwrap();
        assert!(p99 <= 0.020, "{p99}");
        scheduled += route.ends.scheduled;
        bad += route.ends.scheduled - route.ends.good;
    }
    assert!(bad * 100 < scheduled, "{bad} of {scheduled} are not good");
    let good = report.goodput_per_second / bound(&spec, 5.1);
    assert!(good >= 0.97, "{good}");
}

/// The state of the controllers after a tick.
#[derive(Clone, Copy, Debug)]
struct Observed {
    /// Seconds since the beginning.
    at: f64,
    /// Sum of the limits of all gates.
    limits: f64,
    /// Workers of the pool.
    workers: f64,
}

/// Returns the ticks of a run with ten times the demand from 2 s to 6 s, and a pool that may grow.
fn observe_steps_of_demand(load: f64) -> Vec<Observed> {
    let mut spec = spec(&deterministic("5ms"), load);
    spec.pools[0].workers = seda_core::WorkerRange::new(1, 96);
    let slow = |service: usize| seda_sim::spec::Fault::Slow {
        stage: format!("s{service}"),
        factor: 10.0,
        from: Duration::from_secs(2),
        to: Some(Duration::from_secs(6)),
    };
    spec.faults = (0..SERVICES).map(slow).collect();
    (spec.warm_up, spec.window) = (Duration::from_secs(1), Duration::from_secs(9));
    let mut ticks = Vec::new();
    seda_sim::watch(&spec, 1, Duration::from_millis(100), |at, graph| {
        let gates = graph.stages[1..].iter().filter_map(|stage| stage.gate.as_ref());
        let limits: usize = gates.filter_map(|gate| gate.limit).sum();
        let workers = graph.stages[1].workers.now as f64;
        ticks.push(Observed { at, limits: limits as f64, workers });
    })
    .unwrap();
    ticks
}

/// Checks that from two seconds after each step on, a figure stays within the part `most` of its
/// last value.
#[track_caller]
fn assert_settles(ticks: &[Observed], name: &str, most: f64, figure: impl Fn(&Observed) -> f64) {
    for (step, end) in [(2.0, 6.0), (6.0, 10.0)] {
        let last = mean_before(ticks, end, &figure);
        for tick in 0..20 {
            let at = step + 2.0 + f64::from(tick) * 0.1;
            let found = mean_before(ticks, at, &figure);
            let error = (found / last - 1.0).abs();
            assert!(error <= most, "{name} at {at} s: {found}, at {end} s {last}");
        }
    }
}

/// Returns the mean of a figure over four ticks up to `at`. Each limit is only two or three, so the
/// figure of one tick is a matter of chance.
fn mean_before(ticks: &[Observed], at: f64, figure: impl Fn(&Observed) -> f64) -> f64 {
    let ticks = ticks.iter().filter(|tick| (at - 0.35..at + 0.05).contains(&tick.at));
    let figures: Vec<f64> = ticks.map(figure).collect();
    figures.iter().sum::<f64>() / figures.len() as f64
}

#[test]
fn limits_and_pool_settle_within_two_seconds_after_demand_steps_by_ten() {
    let ticks = observe_steps_of_demand(1.5);
    // A limit falls as the overload becomes certain: 13 requests a second are few.
    assert_settles(&ticks, "limits", 0.4, |tick| tick.limits);
    assert_settles(&ticks, "workers", 0.1, |tick| tick.workers);
    // At 0.9x the limits refuse nothing before the step and start far above. They need more than
    // four seconds, so only the pool is checked.
    assert_settles(&observe_steps_of_demand(0.9), "workers", 0.1, |tick| tick.workers);
}

#[test]
fn at_half_load_no_request_is_refused() {
    for demand in ["100us", "1ms", "10ms", "50ms"] {
        let spec = spec(&deterministic(demand), 0.5);
        let ends = run(&spec).ends;
        assert_eq!((ends.good, ends.unfinished), (ends.scheduled, 0), "{demand}: {ends:?}");
    }
}
