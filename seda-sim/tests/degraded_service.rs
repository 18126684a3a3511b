//! Services that depend on the state of the server: a cache that was lost, requests that lengthen
//! each other, and a limit of concurrency in front.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_sim::{SimReport, Spec};

fn run(text: &str) -> SimReport {
    let spec: Spec = text.parse().unwrap();
    seda_sim::run(&spec, 1).unwrap()
}

#[test]
fn a_lost_cache_is_slow_until_misses_have_refilled_it() {
    let report = run("window = '60s'\nwarm_up = '0s'\nslice = '10s'\narrivals.rate = 50.0\n\
         [[stage]]\nname = 'a'\ncapacity = 100\nworkers = 4\n\
         demand = { kind = 'cached', hit = '1ms', miss = '20ms', keys = 200 }\n\
         [[fault]]\nkind = 'cold'\nstage = 'a'\nshare = 1.0\nat = '10s'\nfor = '10s'\n\
         [graph.control]\nadmission = 'off'\npool_size = 'off'");
    let means: Vec<_> =
        report.slices.iter().map(|slice| slice.response_seconds.mean.unwrap() * 1e3).collect();
    assert!((0.8..1.3).contains(&means[0]), "full: {means:?}");
    assert!((17.0..24.0).contains(&means[1]), "lost: {means:?}");
    // 50 a second refill 200 keys like exp(-t / 4 s): 63 % are there after 4 s.
    assert!((5.0..14.0).contains(&means[2]), "refilled: {means:?}");
    assert!(means[5] < 1.5, "full again: {means:?}");
}

#[test]
fn contended_services_have_the_throughput_of_the_universal_scalability_law() {
    // Always n requests inside: n clients that think for a microsecond, and a worker for each.
    for n in [1, 8, 16, 32] {
        let report = run(&format!(
            "window = '60s'\nwarm_up = '5s'\n[client]\nclients = {n}\nthink = '1us'\n\
             [[stage]]\nname = 'a'\ncapacity = 100\nworkers = {n}\n\
             demand = {{ kind = 'contended', alone = '10ms', contention = 0.02, coherence = 0.004 }}\n\
             [graph.control]\nadmission = 'off'\npool_size = 'off'\nbatch_size = 'off'"
        ));
        let inside = f64::from(n);
        let stretch = 1.0 + 0.02 * (inside - 1.0) + 0.004 * inside * (inside - 1.0);
        let law = inside / (0.010 * stretch);
        let ratio = report.throughput_per_second / law;
        assert!((0.98..1.03).contains(&ratio), "{n} inside: {ratio} of {law}");
    }
}

#[test]
fn a_limit_of_concurrency_in_front_refuses_what_the_graph_would_take() {
    let report = run("window = '20s'\narrivals.rate = 2000.0\n\
         client.limiter = { kind = 'aimd', initial = 5, least = 5, most = 5 }\n\
         [[stage]]\nname = 'a'\ncapacity = 100000\nworkers = 1\n\
         demand = { kind = 'deterministic', mean = '1ms' }\n[graph]\nbudget = 100000");
    // Five inside: four wait and one is served, so the longest answer takes 5 ms.
    assert!(report.response_seconds.max.unwrap() < 0.005_1, "{:?}", report.response_seconds);
    assert!((0.48..0.52).contains(&(report.ends.refused as f64 / report.ends.scheduled as f64)));
    assert_eq!(report.graph.events.refused, 0);
}

#[test]
fn the_attempts_of_a_slice_are_those_of_its_own_requests() {
    let report = run("window = '20s'\nslice = '5s'\nwarm_up = '0s'\narrivals.rate = 2000.0\n\
         client = { retries = 2, backoff = '10ms' }\n\
         [[stage]]\nname = 'a'\ncapacity = 10\nworkers = 1\n\
         demand = { kind = 'deterministic', mean = '1ms' }\n[graph.control]\nadmission = 'off'\npool_size = 'off'");
    let attempts: u64 = report.slices.iter().map(|slice| slice.attempts).sum();
    let scheduled: u64 = report.slices.iter().map(|slice| slice.ends.scheduled).sum();
    assert_eq!(scheduled, report.ends.scheduled);
    let amplification = attempts as f64 / scheduled as f64;
    assert!((1.5..=3.0).contains(&amplification), "{amplification}");
}
