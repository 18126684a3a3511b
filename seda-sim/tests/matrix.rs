//! The rows of the overload matrix at 64 cores and 100 stages: an entry with a few workers, as a
//! reactor has, and 99 services behind it that share a pool of 64 workers. The promise is the only setting. Virtual time is exact, so that
//! every figure here is the same on every machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_core::control::Mode;
use seda_sim::{SimReport, Spec};
use std::fmt::Write;
use std::time::Duration;

const CORES: f64 = 64.0;
const SERVICES: usize = 99;
/// What a refusal costs.
const REFUSAL: f64 = 6e-6;
const SLO: f64 = 0.2;

/// The machine with its 100 stages, all of this demand, at a multiple of their capacity.
fn spec(demand: &str, load: f64) -> Spec {
    let mut text = String::from(
        "name = 'wide'\ncores = 64\nroutes_known = true\nslo = '200ms'\nrefusal_cpu = '6us'\nwarm_up = '1s'\n\
         window = '1s'\ncool_down = '1s'\n\
         [arrivals]\nrate = 1.0\n[client]\ngives_up_after = '1s'\n\
         [[pool]]\nname = 'pool'\nworkers = 64\n\
         [[stage]]\nname = 'entry'\ncapacity = 65536\nworkers = 4\nbatch = 16\n\
         demand = { kind = 'deterministic', mean = '1us' }\nroutes = [",
    );
    for service in 0..SERVICES {
        write!(text, "{{ to = 's{service}', share = {} }},", 1.0 / SERVICES as f64).unwrap();
    }
    text.push_str("]\n");
    for service in 0..SERVICES {
        write!(
            text,
            "[[stage]]\nname = 's{service}'\ncapacity = 4096\npool = 'pool'\ndemand = {demand}\n"
        )
        .unwrap();
    }
    text.push_str("[graph]\nslo.p99 = '200ms'\n");
    let mut spec: Spec = text.parse().unwrap();
    spec.arrivals.rate = Some(load * capacity(&spec));
    // Long enough for 40 of the longest services, and to have found the limits.
    let mean = spec.stages[1].demand.mean();
    spec.warm_up = Duration::from_secs_f64((mean * 60.0).clamp(0.3, 3.0));
    spec.window = Duration::from_secs_f64((mean * 40.0).clamp(0.2, 2.0));
    spec
}

fn deterministic(mean: &str) -> String {
    format!("{{ kind = 'deterministic', mean = '{mean}' }}")
}

/// s: what a served request costs.
fn served(spec: &Spec) -> f64 {
    spec.stages[0].demand.mean() + spec.stages[1].demand.mean()
}

/// C of the cores, in requests per second.
fn capacity(spec: &Spec) -> f64 {
    CORES / served(spec)
}

/// B = C (1 - (k - 1) c / s).
fn bound(spec: &Spec, load: f64) -> f64 {
    capacity(spec) * (1.0 - (load - 1.0) * REFUSAL / served(spec))
}

fn run(spec: &Spec) -> SimReport {
    seda_sim::run(spec, 1).unwrap()
}

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

/// What came between two moments, in seconds from the beginning.
fn between(spec: &Spec, from: f64, to: f64) -> SimReport {
    let mut spec = spec.clone();
    spec.warm_up = Duration::from_secs_f64(from);
    spec.window = Duration::from_secs_f64(to - from);
    run(&spec)
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
fn behind_a_step_every_50_ms_are_in_time_from_100_ms_on() {
    let mut spec = spec(&deterministic("1ms"), 1.0);
    let rate = spec.arrivals.rate.take().unwrap();
    spec.arrivals.profile = Some(format!("{}/s:1s,{}/s:9s", rate * 0.9, rate * 1.4));
    for bin in 2..20 {
        let from = 1.0 + f64::from(bin) * 0.05;
        let report = between(&spec, from, from + 0.05);
        let p99 = report.response_seconds.p99.unwrap();
        assert!(p99 <= SLO, "from {from} s: {p99}");
    }
}

#[test]
fn behind_a_burst_goodput_is_back_and_nobody_is_refused() {
    for (retries, within) in [(0, 1.0), (3, 2.0)] {
        let mut spec = spec(&deterministic("5ms"), 1.0);
        let rate = spec.arrivals.rate.take().unwrap();
        let profile = format!("{0}/s:1s,{1}/s:5s,{0}/s:9s", rate * 0.9, rate * 5.0);
        spec.arrivals.profile = Some(profile);
        spec.client.retries = retries;
        (spec.client.backoff, spec.client.hangs_up) = (Duration::from_millis(50), true);
        spec.client.most_backoff = Some(Duration::from_secs(1));
        let back = between(&spec, 6.0 + within, 6.5 + within);
        let good = back.goodput_per_second / back.offered_per_second;
        assert!(good >= 0.97, "{retries} retries: {good}");
        let later = between(&spec, 8.0, 12.0);
        assert_eq!(later.ends.refused + later.ends.lost, 0, "{retries} retries");
        // Without control it stays down: the queues are full of what nobody waits for any more.
        spec.graph.control.set_mode(Mode::Off);
        spec.client.hangs_up = false;
        let down = between(&spec, 6.0 + within, 6.5 + within);
        assert!(down.goodput_per_second < 0.5 * down.offered_per_second, "{down}");
    }
}

#[test]
fn gold_is_hardly_refused_and_basic_gets_the_rest() {
    let mut spec = spec(&deterministic("1ms"), 5.0);
    let classes = "[[class]]\nname = 'gold'\nweight = 4\nshare = 0.1\n\
                   [[class]]\nname = 'basic'\nshare = 0.9\n";
    let with: toml::Table = classes.parse().unwrap();
    spec.classes = with["class"].clone().try_into().unwrap();
    let report = overloaded(&spec, 5.0, 0.97);
    let gold = report.classes["gold"];
    let refused = gold.scheduled - gold.good;
    assert!(refused * 100 < gold.scheduled, "{refused} of {}", gold.scheduled);
    assert!(report.classes["basic"].good > 0);
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

#[test]
fn when_demand_steps_by_ten_the_limits_are_there_within_two_seconds() {
    let mut spec = spec(&deterministic("5ms"), 1.5);
    let slow = |service: usize| seda_sim::spec::Fault::Slow {
        stage: format!("s{service}"),
        factor: 10.0,
        from: Duration::from_secs(2),
        to: Some(Duration::from_secs(6)),
    };
    spec.faults = (0..SERVICES).map(slow).collect();
    let limits = |at: f64| {
        let report = between(&spec, at - 0.1, at);
        let limits = report.graph.stages[1..]
            .iter()
            .map(|stage| stage.gate.as_ref().and_then(|gate| gate.limit).unwrap() as f64);
        limits.sum::<f64>()
    };
    // Each is two or three: a mean over four ticks, that of one is a matter of chance.
    let around = |at: f64| (0..4).map(|tick| limits(at + 0.1 * f64::from(tick))).sum::<f64>() / 4.0;
    for (step, end) in [(2.0, 6.0), (6.0, 10.0)] {
        let (soon, last) = (around(step + 2.0), around(end - 0.3));
        assert!((soon / last - 1.0).abs() <= 0.1, "{soon}, in the end {last}");
    }
}

#[test]
fn at_half_load_nobody_is_refused() {
    for demand in ["100us", "1ms", "10ms", "50ms"] {
        let spec = spec(&deterministic(demand), 0.5);
        let ends = run(&spec).ends;
        assert_eq!((ends.good, ends.unfinished), (ends.scheduled, 0), "{demand}: {ends:?}");
    }
}
