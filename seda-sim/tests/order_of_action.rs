//! The pool grows before the gate refuses, and the controllers do not fight each other.

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

/// Services of 10 ms, half of it on one of four cores: 800 requests a second fill the cores. More
/// than eight workers are needed for that, because they wait for cores, too.
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
/// The second at which the load steps.
const STEP: f64 = 10.0;

fn spec(profile: &str) -> Spec {
    SPEC.replace("PROFILE", profile).parse().unwrap()
}

/// Runs a spec with its window from one second to another.
fn between(spec: &Spec, from: f64, to: f64) -> SimReport {
    let mut spec = spec.clone();
    spec.warm_up = Duration::from_secs_f64(from);
    spec.window = Duration::from_secs_f64(to - from);
    seda_sim::run(&spec, 1).unwrap()
}

/// Returns the sizes of the pool in the journal, from a moment on.
fn sizes(report: &SimReport, from: f64) -> Vec<i64> {
    let journal = report.graph.journal.iter();
    let resized = journal
        .filter(|entry| entry.controller == Controller::PoolSize && entry.at_seconds >= from);
    resized.filter_map(|entry| read_sizes(&entry.changed)).flatten().collect()
}

/// Reads the sizes before and after a change, as `workers 3 → 5`.
fn read_sizes(changed: &str) -> Option<[i64; 2]> {
    let (before, after) = changed.strip_prefix("workers ")?.split_once(" → ")?;
    Some([before.parse().ok()?, after.parse().ok()?])
}

/// Returns the number of times that a series changes its direction. Changes below the share `band`
/// do not count.
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
fn no_request_is_refused_while_another_worker_would_help() {
    let spec = spec("80/s:10s,600/s:60s");
    let report = between(&spec, STEP, STEP + 30.0);
    assert_eq!((report.ends.refused, report.ends.lost), (0, 0), "{report}");
    assert!(report.graph.stages[0].workers.now >= 8, "{report}");
}

#[test]
fn excess_load_is_refused_when_no_further_worker_helps() {
    let spec = spec("80/s:10s,1200/s:60s");
    let report = between(&spec, STEP + 1.0, STEP + 30.0);
    let good = report.goodput_per_second;
    assert!(good >= 0.95 * 800.0, "{good}");
    assert!(report.response_seconds.p99.unwrap() <= 0.2);
    assert!(report.ends.refused > 0);
    let began = report.graph.journal.iter().find(|entry| {
        entry.controller == Controller::Admission && entry.action.starts_with("began")
    });
    // The pool grew from its size at the low load before the first refusal.
    let grown = report
        .graph
        .journal
        .iter()
        .find(|entry| entry.controller == Controller::PoolSize && entry.at_seconds >= STEP);
    let (began, grown) = (began.unwrap().at_seconds, grown.unwrap().at_seconds);
    assert!(grown <= began, "grown at {grown}, refused from {began} on");
}

#[test]
fn pool_and_gate_change_direction_at_most_twice_after_a_step() {
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
fn the_limit_changes_direction_at_most_twice_after_a_step_into_overload() {
    let mut spec = spec("80/s:10s,1200/s:60s");
    // A limit follows the service rate, so demands that vary less than exponential ones are needed
    // here.
    let mean = Duration::from_millis(10);
    spec.stages[0].demand = Demand::Lognormal { mean, sigma: 0.3 };
    let mut limits = Vec::new();
    for half_second in 0..60 {
        let at = STEP + f64::from(half_second) * 0.5;
        let report = between(&spec, at, at + 0.1);
        limits.push(report.graph.stages[0].gate.as_ref().unwrap().limit.unwrap() as f64);
    }
    assert!(turns(&limits, 0.25) <= 2, "{limits:?}");
}

#[test]
fn the_pool_changes_direction_at_most_twice_after_a_step_of_demand() {
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
