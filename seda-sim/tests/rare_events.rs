//! Stages with rare events learn their service from those that share their pool.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::wide::{SLO, bound, deterministic, run, spec};
use std::time::Duration;

#[test]
fn stages_with_thirteen_requests_a_second_know_their_service_within_a_second() {
    // 64 workers take services of 50 ms stage by stage, so the last stage waits for seconds.
    for load in [2.0, 10.0] {
        let mut spec = spec(&deterministic("50ms"), load);
        spec.warm_up = Duration::from_secs(1);
        spec.window = Duration::from_secs(1);
        let report = run(&spec);
        let good = report.goodput_per_second / bound(&spec, load);
        assert!(good >= 0.97, "{load}x: {good} of the bound");
        let p99 = report.response_seconds.p99.unwrap();
        assert!(p99 <= SLO, "{load}x: p99 {p99}");
    }
}
