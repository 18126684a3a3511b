//! The first requests of a graph: it knows no service time yet, and may start under an overload.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::{SimReport, Spec};

/// Runs a stage from the first request on. `arrivals` is a profile, `stage` its further settings.
fn run(arrivals: &str, stage: &str, graph: &str) -> SimReport {
    let spec: Spec = format!(
        "name = 'cold'\ncores = 1\nwarm_up = '0s'\nwindow = '2s'\nslo = '500ms'\n\
         refusal_cpu = '10us'\n[arrivals]\nprofile = '{arrivals}'\n\
         [client]\ngives_up_after = '1s'\n\
         [[stage]]\nname = 'work'\ncapacity = 1024\n{stage}\n{graph}"
    )
    .parse()
    .unwrap();
    seda_sim::run(&spec, 1).unwrap()
}

#[test]
fn a_start_under_ten_times_the_capacity_admits_no_more_than_the_horizon_serves() {
    for kind in ["deterministic", "exponential"] {
        let stage = format!(
            "workers = '1..4'\ncpu_share = 1.0\ndemand = {{ kind = '{kind}', mean = '10ms' }}"
        );
        let report = run("1000/s:2s", &stage, "");
        let slowest = report.response_seconds.max.unwrap();
        // The horizon of 0.5 s, and what four services do not tell of the mean.
        let most = if kind == "exponential" { 0.8 } else { 0.55 };
        assert!(slowest < most, "{kind}: {slowest:.3} s");
        assert_eq!(report.ends.lost, 0, "{kind}: nothing is admitted in vain");
    }
}

#[test]
fn up_to_sixty_four_requests_at_once_are_served_as_the_first_ones() {
    for mean in ["1ms", "40ms", "50ms"] {
        for graph in ["", "[graph]\nslo.p99 = '200ms'"] {
            let stage = format!(
                "workers = '1..64'\ncpu_share = 0.0\n\
                 demand = {{ kind = 'deterministic', mean = '{mean}' }}"
            );
            // They come at any time between two ticks, one of which may see only a few of them.
            for after in 0..100 {
                let report = run(&format!("0/s:{after}ms,50000/s:1ms,0/s:2s"), &stage, graph);
                let ends = &report.ends;
                assert!((40..=64).contains(&ends.scheduled), "{mean} {graph}: {ends:?}");
                assert_eq!(ends.good, ends.scheduled, "{mean} after {after} ms, {graph}");
            }
        }
    }
}
