//! The laws of admission behind a step: the second after arrivals, or what requests demand, have
//! jumped. Virtual time is exact, so that every figure is the same on every machine.
//! `cargo test -p seda-sim --test laws -- --nocapture` prints the table of `docs/control.md`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_core::Law;
use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// `examples/lab/admission.toml` with a step after three seconds, and for some one back after nine.
fn spec(demand: &str, profile: &str, law: Law) -> Spec {
    let text = include_str!("../../examples/lab/admission.toml");
    let mut spec: Spec = text.replace("1ms\"", &format!("{demand}\"")).parse().unwrap();
    spec.arrivals.rate = None;
    spec.arrivals.profile = Some(profile.to_owned());
    spec.graph.control.law = law;
    spec
}

/// What came within a second from a moment on, over ten seeds.
fn second_from(spec: &Spec, from: u64) -> Second {
    let mut spec = spec.clone();
    (spec.warm_up, spec.window) = (Duration::from_secs(from), Duration::from_secs(1));
    let runs: Vec<_> = (1..=10).map(|seed| seda_sim::run(&spec, seed).unwrap()).collect();
    let mean = |figure: &dyn Fn(&SimReport) -> f64| runs.iter().map(figure).sum::<f64>() / 10.0;
    let worst = runs.iter().filter_map(|run| run.response_seconds.p99).fold(0.0, f64::max);
    Second {
        good: mean(&|run| run.goodput_per_second),
        lost: mean(&|run| run.ends.lost as f64 / run.ends.scheduled.max(1) as f64),
        worst_p99: worst,
    }
}

#[derive(Clone, Copy, Debug)]
struct Second {
    /// Good answers per second.
    good: f64,
    /// Share that was taken and given up: refused late.
    lost: f64,
    /// Of the seeds' 99th percentiles.
    worst_p99: f64,
}

/// The second behind a step, by law in the order of [`Law::ALL`].
fn compared(what: &str, from: u64, spec: impl Fn(Law) -> Spec) -> Vec<Second> {
    let seconds: Vec<_> = Law::ALL.iter().map(|law| second_from(&spec(*law), from)).collect();
    let cell = |second: &Second| {
        let Second { good, lost, worst_p99 } = second;
        format!("{good:.1}, {:.1} %, {:.0} ms", lost * 100.0, worst_p99 * 1e3)
    };
    let cells: Vec<_> = seconds.iter().map(cell).collect();
    println!("| {what} | {} |", cells.join(" | "));
    seconds
}

/// The default keeps its promise, and no other law has more than so much more goodput.
#[track_caller]
fn default_is_best(seconds: &[Second], within: f64) {
    let (default, others) = seconds.split_first().unwrap();
    assert!(default.worst_p99 <= 0.2, "{default:?}");
    for other in others {
        assert!(default.good >= other.good * (1.0 - within), "{default:?}, {other:?}");
    }
}

#[test]
fn behind_a_step_of_arrivals() {
    let small = compared("1 ms, 0.9x to 5x", 3, |law| spec("1ms", "900/s:3s,5000/s:9s", law));
    default_is_best(&small, 0.01);
    let large = compared("50 ms, 0.9x to 2x", 3, |law| spec("50ms", "18/s:3s,40/s:9s", law));
    // It keeps a limit of three where others find four now and then.
    default_is_best(&large, 0.05);
}

#[test]
fn behind_a_step_of_demand_up_and_down() {
    let slow = |law| {
        let mut spec = spec("1ms", "900/s:14s", law);
        spec.faults = vec![seda_sim::spec::Fault::Slow {
            stage: "work".to_owned(),
            factor: 10.0,
            from: Duration::from_secs(3),
            to: Some(Duration::from_secs(9)),
        }];
        spec
    };
    let up = compared("900/s, 1 ms to 10 ms", 3, slow);
    default_is_best(&up, 0.05);
    let down = compared("900/s, 10 ms back to 1 ms", 9, slow);
    // Whose queue was long from before answers more than come.
    assert!(down[0].good >= 890.0 && down[0].worst_p99 <= 0.2, "{:?}", down[0]);
}
