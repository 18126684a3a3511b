//! Under overload each tenant gets its max-min fair share, and nothing changes without one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use seda_sim::{SimReport, Spec};

/// A server of 1,000 requests a second, and a thousand tenants by Zipf's law. Overload begins after
/// the time in which new keys are admitted freely.
const SPEC: &str = "
    cores = 1
    warm_up = '60s'
    window = '100s'
    cool_down = '1s'
    slo = '200ms'
    arrivals.profile = 'PROFILE'
    tenants = { count = 1000 TENANTS }
    [[stage]]
    name = 'work'
    capacity = 4096
    workers = 1
    demand = { kind = 'deterministic', mean = '1ms' }
    [graph]
    slo.p99 = '200ms'
";

fn spec(profile: &str, tenants: &str) -> Spec {
    SPEC.replace("PROFILE", profile).replace("TENANTS", tenants).parse().unwrap()
}

fn run(spec: &Spec) -> SimReport {
    seda_sim::run(spec, 1).unwrap()
}

#[test]
fn a_tenant_below_the_level_is_served_and_one_above_it_gets_the_level() {
    // One tenant sends twice what the server can do.
    let spec = spec("4000/s:1000s", ", heavy = { rank = 10, times = 100.0 }");
    let shared = run(&spec);
    let tenants = shared.tenants.unwrap();
    assert!(tenants.below.tenants > 900 && tenants.above.tenants > 20, "{tenants}");
    assert!(tenants.below.refused_share <= 0.01, "{tenants}");
    let (least, most) = (tenants.above.least, tenants.above.most);
    assert!(least >= 0.95 && most <= 1.05, "{tenants}");
    // The report has the tenant of rank 10 first, and no key is the label of a metric.
    let heaviest = &shared.graph.heaviest_tenants;
    assert_eq!((heaviest.len(), heaviest[0].tenant.as_str()), (5, "0000000000000009"));
    assert!(heaviest[0].offered_per_second > 1_000.0 && heaviest[0].refused_share > 0.9);
    // The capacity is that of a server whose requests have no tenant.
    let mut without = spec;
    without.tenants = None;
    let without = run(&without);
    let capacity = without.goodput_per_second;
    assert!(shared.goodput_per_second >= 0.999 * capacity, "{tenants}, {capacity}");
}

#[test]
fn a_new_key_with_each_request_gains_nothing() {
    // From the 40th second on four of five requests have a new key: 240,000 in the window.
    let new = ", new_keys = { share = 0.8, from = '40s' }";
    let tenants = run(&spec("1200/s:40s,6000/s:1000s", new)).tenants.unwrap();
    assert!(tenants.new_keys.unwrap() <= 1.05, "{tenants}");
    assert!(tenants.below.tenants > 900 && tenants.below.refused_share <= 0.01, "{tenants}");
    assert!(tenants.above.least >= 0.95 && tenants.above.most <= 1.05, "{tenants}");
}

#[test]
fn tenants_share_fairly_without_an_slo() {
    let heavy = ", heavy = { rank = 10, times = 100.0 }";
    let text = SPEC.replace("slo = '200ms'\n", "").replace("[graph]\n    slo.p99 = '200ms'", "");
    let mut spec: Spec =
        text.replace("PROFILE", "4000/s:1000s").replace("TENANTS", heavy).parse().unwrap();
    let shared = run(&spec);
    let tenants = shared.tenants.unwrap();
    assert!(tenants.below.tenants > 900 && tenants.below.refused_share <= 0.01, "{tenants}");
    assert!(tenants.above.least >= 0.95 && tenants.above.most <= 1.05, "{tenants}");
    spec.tenants = None;
    let without = run(&spec);
    let (answers, capacity) = (shared.goodput_per_second, without.goodput_per_second);
    assert!(answers >= 0.999 * capacity, "{answers} {capacity} {tenants}");
}

#[test]
fn without_an_overload_no_tenant_is_refused() {
    let report = run(&spec("800/s:1000s", ", heavy = { rank = 500, times = 100.0 }"));
    assert_eq!(report.ends.refused, 0);
    assert_eq!(report.ends.good, report.ends.scheduled);
}

#[test]
fn a_run_with_tenants_repeats_to_the_bit() {
    let mut spec = spec("3000/s:1000s", ", new_keys = { share = 0.3 }");
    spec.warm_up = std::time::Duration::from_secs(1);
    spec.window = std::time::Duration::from_secs(5);
    assert_eq!(run(&spec), run(&spec));
}
