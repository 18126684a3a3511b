//! The admission laws in the second after a step of the arrivals or of the demand. Virtual time is
//! exact, so every figure is the same on every machine.
//! `cargo test -p seda-sim laws:: -- --nocapture` prints the table of `docs/control.md`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_core::Law;
use seda_sim::{SimReport, Spec};
use std::time::Duration;

/// Returns `examples/lab/admission.toml` with another demand, profile and law.
fn spec(demand: &str, profile: &str, law: Law) -> Spec {
    let text = include_str!("../../examples/lab/admission.toml");
    let mut spec: Spec = text.replace("1ms\"", &format!("{demand}\"")).parse().unwrap();
    spec.arrivals.rate = None;
    spec.arrivals.profile = Some(profile.to_owned());
    spec.graph.control.law = law;
    spec
}

/// Returns the figures of the second from a moment on, over ten seeds.
fn second_from(spec: &Spec, from: u64) -> Second {
    let mut spec = spec.clone();
    (spec.warm_up, spec.window) = (Duration::from_secs(from), Duration::from_secs(1));
    let runs: Vec<_> = (1..=10).map(|seed| seda_sim::run(&spec, seed).unwrap()).collect();
    let worst = runs.iter().filter_map(|run| run.response_seconds.p99).fold(0.0, f64::max);
    Second {
        good: mean(&runs, |run| run.goodput_per_second),
        lost: mean(&runs, |run| run.ends.lost as f64 / run.ends.scheduled.max(1) as f64),
        worst_p99: worst,
    }
}

fn mean(runs: &[SimReport], figure: impl Fn(&SimReport) -> f64) -> f64 {
    runs.iter().map(figure).sum::<f64>() / runs.len() as f64
}

/// One second of load, as the mean over the seeds.
#[derive(Clone, Copy, Debug)]
struct Second {
    /// Good answers per second.
    good: f64,
    /// Share of requests that were admitted and shed, that is, refused late.
    lost: f64,
    /// The highest p99 of all seeds, in seconds.
    worst_p99: f64,
}

/// Prints and returns the second after a step, by law in the order of [`Law::ALL`].
fn compare(name: &str, from: u64, spec: impl Fn(Law) -> Spec) -> Vec<Second> {
    let seconds: Vec<_> = Law::ALL.iter().map(|law| second_from(&spec(*law), from)).collect();
    let cells: Vec<_> = seconds.iter().map(Second::cell).collect();
    println!("| {name} | {} |", cells.join(" | "));
    seconds
}

impl Second {
    /// Returns the cell of the table.
    fn cell(&self) -> String {
        let Second { good, lost, worst_p99 } = self;
        format!("{good:.1}, {:.1} %, {:.0} ms", lost * 100.0, worst_p99 * 1e3)
    }
}

/// Checks that the default law meets the SLO, and that no other law has more goodput by the share
/// `within`.
#[track_caller]
fn assert_default_is_best(seconds: &[Second], within: f64) {
    let (default, others) = seconds.split_first().unwrap();
    assert!(default.worst_p99 <= 0.2, "{default:?}");
    for other in others {
        assert!(default.good >= other.good * (1.0 - within), "{default:?}, {other:?}");
    }
}

#[test]
fn the_default_law_is_best_after_a_step_of_arrivals() {
    let small = compare("1 ms, 0.9x to 5x", 3, |law| spec("1ms", "900/s:3s,5000/s:9s", law));
    assert_default_is_best(&small, 0.01);
    let large = compare("50 ms, 0.9x to 2x", 3, |law| spec("50ms", "18/s:3s,40/s:9s", law));
    // The default keeps a limit of three; other laws find four now and then.
    assert_default_is_best(&large, 0.05);
}

#[test]
fn the_default_law_is_best_after_steps_of_demand_up_and_down() {
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
    let up = compare("900/s, 1 ms to 10 ms", 3, slow);
    assert_default_is_best(&up, 0.05);
    let down = compare("900/s, 10 ms back to 1 ms", 9, slow);
    // A long queue before the step gives more answers than there are arrivals. The default law has
    // a short one, and needs half a second to learn that the overload has ended.
    assert!(down[0].good >= 800.0 && down[0].worst_p99 <= 0.2, "{:?}", down[0]);
}
