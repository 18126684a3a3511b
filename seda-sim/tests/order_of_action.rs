//! Workers first, then refusals; and controllers that do not fight.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_core::Controller;
use seda_sim::spec::{Demand, Fault};
use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// 10 ms, half of it on one of four cores: 800 requests a second fill them, and it takes more than
/// eight workers, as they get into each other's way.
const SPEC: &str = "
    name = 'order'
    cores = 4
    slo = '200ms'
    refusal_cpu = '6us'
    cool_down = '1s'
    [arrivals]
    profile = 'PROFILE'
    [[stage]]
    name = 'work'
    capacity = 4096
    workers = '1..24'
    cpu_share = 0.5
    demand = { kind = 'exponential', mean = '10ms' }
    [graph]
    slo.p99 = '200ms'
";
const STEP: f64 = 10.0;

fn spec(profile: &str) -> Spec {
    SPEC.replace("PROFILE", profile).parse().unwrap()
}

fn between(spec: &Spec, from: f64, to: f64) -> SimReport {
    let mut spec = spec.clone();
    spec.warm_up = Duration::from_secs_f64(from);
    spec.window = Duration::from_secs_f64(to - from);
    seda_sim::run(&spec, 1).unwrap()
}

/// The pool's sizes, as the journal has them, from a moment on.
fn sizes(report: &SimReport, from: f64) -> Vec<i64> {
    let journal = report.graph.journal.iter();
    let sized = journal
        .filter(|entry| entry.controller == Controller::PoolSize && entry.at_seconds >= from);
    let ends = sized.filter_map(|entry| {
        let (before, after) = entry.changed.strip_prefix("workers ")?.split_once(" → ")?;
        Some([before.parse().ok()?, after.parse().ok()?])
    });
    ends.flatten().collect()
}

/// How often a series turns, where less than `band` of it is no change.
fn turns(series: &[f64], band: f64) -> usize {
    let (mut turns, mut direction, mut at) = (0, 0.0, series[0]);
    for value in series {
        let change = value - at;
        if change.abs() <= band * at.abs() {
            continue;
        }
        turns += usize::from(direction != 0.0 && direction != change.signum());
        (direction, at) = (change.signum(), *value);
    }
    turns
}

#[test]
fn nobody_is_refused_while_another_worker_would_help() {
    let spec = spec("80/s:10s,600/s:60s");
    let behind = between(&spec, STEP, STEP + 30.0);
    assert_eq!((behind.ends.refused, behind.ends.lost), (0, 0), "{behind}");
    assert!(behind.graph.stages[0].workers.now >= 8, "{behind}");
}

#[test]
fn when_no_worker_helps_any_more_what_is_too_much_is_refused() {
    let spec = spec("80/s:10s,1200/s:60s");
    let behind = between(&spec, STEP + 1.0, STEP + 30.0);
    let (good, refused) = (behind.goodput_per_second, behind.ends.refused);
    assert!(good >= 0.95 * 800.0, "{good}");
    assert!(behind.response_seconds.p99.unwrap() <= 0.2);
    assert!(refused > 0);
    let began = behind.graph.journal.iter().find(|entry| {
        entry.controller == Controller::Admission && entry.action.starts_with("began")
    });
    // It grew from what the load before had needed before the first was turned away.
    let grown = behind
        .graph
        .journal
        .iter()
        .find(|entry| entry.controller == Controller::PoolSize && entry.at_seconds >= STEP);
    let (began, grown) = (began.unwrap().at_seconds, grown.unwrap().at_seconds);
    assert!(grown <= began, "grown at {grown}, refused from {began} on");
}

#[test]
fn behind_a_step_pool_and_gate_turn_twice_at_most() {
    for profile in ["80/s:10s,600/s:60s", "80/s:10s,1200/s:60s", "1200/s:10s,80/s:60s"] {
        let last = between(&spec(profile), STEP + 29.0, STEP + 30.0);
        let sizes: Vec<f64> = sizes(&last, STEP).iter().map(|size| *size as f64).collect();
        assert!(sizes.is_empty() || turns(&sizes, 0.0) <= 2, "{profile}: {sizes:?}");
        let gate =
            last.graph.journal.iter().filter(|entry| {
                entry.controller == Controller::Admission && entry.at_seconds >= STEP
            });
        assert!(gate.count() <= 2, "{profile}");
    }
}

#[test]
fn behind_a_step_into_overload_the_limit_turns_twice_at_most() {
    let mut spec = spec("80/s:10s,1200/s:60s");
    // A limit is a rate, and follows it: where demands differ as exponential ones do, so does it.
    let mean = Duration::from_millis(10);
    spec.stages[0].demand = Demand::Lognormal { mean, sigma: 0.3 };
    let limit = |half: u32| {
        let at = STEP + f64::from(half) * 0.5;
        let report = between(&spec, at, at + 0.1);
        report.graph.stages[0].gate.as_ref().unwrap().limit.unwrap() as f64
    };
    let limits: Vec<f64> = (0..60).map(limit).collect();
    assert!(turns(&limits, 0.25) <= 2, "{limits:?}");
}

#[test]
fn a_change_of_demand_turns_them_no_more_often() {
    let mut spec = spec("300/s:70s");
    let mean = Duration::from_millis(1);
    spec.stages[0].demand = Demand::Exponential { mean };
    spec.faults.push(Fault::Slow {
        stage: "work".to_owned(),
        factor: 10.0,
        from: Duration::from_secs_f64(STEP),
        to: None,
    });
    let last = between(&spec, STEP + 29.0, STEP + 30.0);
    let sizes: Vec<f64> = sizes(&last, STEP).iter().map(|size| *size as f64).collect();
    assert!(sizes.is_empty() || turns(&sizes, 0.0) <= 2, "{sizes:?}");
    assert!(last.response_seconds.p99.unwrap() <= 0.2, "{last}");
}
