//! The rows of the overload matrix at 64 cores and 100 stages, as far as they are about how much
//! comes. Virtual time is exact, so that every figure here is the same on every machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod wide;

use seda_core::Mode;
use seda_sim::{SimReport, Spec};
use std::time::Duration;
use wide::{SERVICES, SLO, bound, capacity, classed, deterministic, run, spec};

/// Runs it, and holds it against the bound and the promise.
fn overloaded(spec: &Spec, load: f64, reach: f64) -> SimReport {
    let report = run(spec);
    let row = format!("{:?} at {load}x", spec.stages[1].demand);
    let good = report.goodput_per_second / bound(spec, load);
    assert!(good >= reach, "{row}: {good} of the bound");
    let (slo, p99) = (spec.slo.unwrap().as_secs_f64(), report.response_seconds.p99.unwrap());
    assert!(p99 <= slo, "{row}: p99 {p99}");
    report
}

fn refused_soon(report: &SimReport) {
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
            refused_soon(&report);
        }
    }
}

#[test]
fn waiting_instead_of_working_it_is_the_same() {
    for load in [1.2, 2.0, 5.0, 10.0] {
        let mut spec = spec(&deterministic("20ms"), load);
        spec.stages[1..].iter_mut().for_each(|service| service.cpu_share = 0.0);
        let report = run(&spec);
        // C is what 64 workers do that each wait so long; refusals take nothing from them.
        let good = report.goodput_per_second / capacity(&spec);
        assert!(good >= 0.97, "{load}x: {good}");
        assert!(report.response_seconds.p99.unwrap() <= SLO);
        refused_soon(&report);
    }
}

#[test]
fn other_promises_are_kept_as_well() {
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
fn services_that_differ_by_a_hundred_leave_nine_tenths() {
    let demand = "{ kind = 'bimodal', fast = '500us', slow = '50ms', slow_share = 0.01 }";
    for load in [1.2, 2.0, 5.0, 10.0] {
        overloaded(&spec(demand, load), load, 0.90);
    }
}

#[test]
fn behind_a_step_every_50_ms_are_in_time_from_100_ms_to_the_end() {
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
fn behind_a_burst_goodput_is_back_and_nobody_is_refused() {
    for (retries, within) in [(0, 1.0), (3, 2.0)] {
        let mut spec = spec(&deterministic("1ms"), 1.0);
        let rate = spec.arrivals.rate.take().unwrap();
        let profile = format!("{0}/s:1s,{1}/s:2s,{0}/s:9s", rate * 0.9, rate * 5.0);
        spec.arrivals.profile = Some(profile);
        spec.client.retries = retries;
        (spec.client.backoff, spec.client.hangs_up) = (Duration::from_millis(50), true);
        spec.client.most_backoff = Some(Duration::from_secs(1));
        // Behind the burst, every half second from when it is to be back.
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
fn without_control_a_burst_is_not_over_when_it_has_ended() {
    let mut spec = spec(&deterministic("5ms"), 1.0);
    let rate = spec.arrivals.rate.take().unwrap();
    spec.arrivals.profile = Some(format!("{0}/s:1s,{1}/s:5s,{0}/s:9s", rate * 0.9, rate * 5.0));
    spec.graph.control.set_mode(Mode::Off);
    // The queues are full of what nobody waits for any more.
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
    let per_second = |good: u64| good as f64 / report.duration_seconds;
    let left = bound(&spec, 5.0) - per_second(gold.good);
    let basic = per_second(report.classes["basic"].good);
    assert!(basic >= 0.9 * left, "{basic} of {left}");
}

#[test]
fn services_beside_overloaded_ones_hardly_notice() {
    // Half of them are overloaded to five times what the machine does; a tenth of that is for the
    // others.
    const OVERLOADED: usize = 49;
    let mut spec = spec(&deterministic("1ms"), 5.1);
    for (service, route) in spec.stages[0].routes.iter_mut().enumerate() {
        let (load, services) =
            if service < OVERLOADED { (5.0, OVERLOADED) } else { (0.1, SERVICES - OVERLOADED) };
        route.share = load / 5.1 / services as f64;
    }
    spec.window = Duration::from_secs(1);
    let report = run(&spec);
    let beside = |service: usize| &report.routes[&format!("s{service}")];
    let mut sums = (0, 0);
    for route in (OVERLOADED..SERVICES).map(beside) {
        let (slow, ends) = (route.response_seconds.p99.unwrap(), route.ends);
        assert!(slow <= 0.020, "{slow}");
        sums = (sums.0 + ends.scheduled - ends.good, sums.1 + ends.scheduled);
    }
    assert!(sums.0 * 100 < sums.1, "{} of {} are not good", sums.0, sums.1);
    let good = report.goodput_per_second / bound(&spec, 5.1);
    assert!(good >= 0.97, "{good}");
}

/// What is seen of a tick: the moment, all limits together, and the pool's workers.
type Seen = (f64, f64, f64);

/// Demand is ten times as much from the second to the sixth second; the pool has a range.
fn behind_steps_of_demand(load: f64) -> Vec<Seen> {
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
    let mut seen = Vec::new();
    let look = |at: f64, graph: &seda_core::Report| {
        let limit = |stage: &seda_core::report::StageReport| stage.gate.as_ref()?.limit;
        let limits: usize = graph.stages[1..].iter().filter_map(limit).sum();
        seen.push((at, limits as f64, graph.stages[1].workers.now as f64));
    };
    seda_sim::watch(&spec, 1, Duration::from_millis(100), look).unwrap();
    seen
}

/// From two seconds behind each step on it stays within a tenth of where it ends.
#[track_caller]
fn settles(seen: &[Seen], what: &str, figure: impl Fn(&Seen) -> f64) {
    // Each limit is two or three: a mean over four ticks, that of one is a matter of chance.
    let around = |at: f64| {
        let ticks = seen.iter().filter(|seen| (at - 0.35..at + 0.05).contains(&seen.0));
        let figures: Vec<f64> = ticks.map(&figure).collect();
        figures.iter().sum::<f64>() / figures.len() as f64
    };
    for (step, end) in [(2.0, 6.0), (6.0, 10.0)] {
        let last = around(end);
        for tick in 0..20 {
            let at = step + 2.0 + f64::from(tick) * 0.1;
            let soon = around(at);
            assert!(
                (soon / last - 1.0).abs() <= 0.1,
                "{what} at {at} s: {soon}, in the end {last}"
            );
        }
    }
}

#[test]
fn when_demand_steps_by_ten_limits_and_pool_are_there_within_two_seconds() {
    let seen = behind_steps_of_demand(1.5);
    settles(&seen, "limits", |seen| seen.1);
    settles(&seen, "workers", |seen| seen.2);
    // At 0.9x the limits have refused nobody before. From so far above they are not there after two
    // seconds, nor after four: only the pool is judged.
    settles(&behind_steps_of_demand(0.9), "workers", |seen| seen.2);
}

#[test]
fn at_half_load_nobody_is_refused() {
    for demand in ["100us", "1ms", "10ms", "50ms"] {
        let spec = spec(&deterministic(demand), 0.5);
        let ends = run(&spec).ends;
        assert_eq!((ends.good, ends.unfinished), (ends.scheduled, 0), "{demand}: {ends:?}");
    }
}
