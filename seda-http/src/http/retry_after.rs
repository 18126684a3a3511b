//! Retry-After: a refusal states its reason, and when to come back by the measured drain time.

use super::config::RetryAfterRange;
use bytes::Bytes;
use parking_lot::Mutex;
use seda_core::report::ClassReport;
use seda_core::{Class, Clock, Report, Snapshots, Time};
use std::sync::Arc;
use std::time::Duration;

/// The oldest estimate that is used without a new request. Retry-After has whole seconds, and a
/// report costs about a millisecond.
const ESTIMATE_AGE_MOST: Duration = Duration::from_secs(1);

/// Spreads the clients that are refused together over half to one and a half times the estimate.
const JITTER: f64 = 0.5;

/// The body of a refusal without measurements.
const BUSY: &str = "the server is busy\n";

/// Estimates when a refused client may come back: the time that the slowest queue takes to drain
/// at its current rate. The body of the refusal says how the SLO of the client's class is met.
pub(super) struct RetryAfter {
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    range: RetryAfterRange,
    estimate: Arc<Mutex<Estimate>>,
    requested_at: Option<Time>,
    /// The state of the jitter's sequence.
    jitter: u64,
}

/// The figures of the last snapshot; empty before the first.
#[derive(Debug, Default)]
struct Estimate {
    drain_seconds: Option<f64>,
    /// The body of a refusal by class, made once per snapshot.
    bodies: Vec<Bytes>,
}

impl RetryAfter {
    /// `seed` differs by reactor, so that their jitters do.
    pub(super) fn new(
        snapshots: Snapshots,
        clock: Arc<dyn Clock>,
        range: RetryAfterRange,
        seed: u64,
    ) -> Self {
        let estimate = Arc::default();
        Self { snapshots, clock, range, estimate, requested_at: None, jitter: seed }
    }

    /// Returns the body of a refusal for `class`, and its Retry-After in whole seconds.
    ///
    /// Never blocks. If the last estimate is old it requests a new one, for later clients.
    pub(super) fn next(&mut self, class: Class) -> (Bytes, u64) {
        let now = self.clock.now();
        if self.requested_at.is_none_or(|at| now.since(at) >= ESTIMATE_AGE_MOST) {
            self.requested_at = Some(now);
            let estimate = Arc::clone(&self.estimate);
            self.snapshots.request(Box::new(move |report| {
                *estimate.lock() = Estimate::of(&report);
            }));
        }
        let estimate = self.estimate.lock();
        let seconds = estimate.drain_seconds.unwrap_or(self.range.least.as_secs_f64());
        let body = estimate.body(class);
        drop(estimate);
        (body, with_jitter(seconds, next_fraction(&mut self.jitter), self.range))
    }
}

impl Estimate {
    fn of(report: &Report) -> Self {
        let bodies = report.classes.iter().map(|class| Bytes::from(refusal_text(class)));
        Self { drain_seconds: Some(report.drain_seconds()), bodies: bodies.collect() }
    }

    fn body(&self, class: Class) -> Bytes {
        // A class beyond the declared ones counts as the lowest.
        let body = self.bodies.get(class.index()).or(self.bodies.last()).cloned();
        body.unwrap_or(Bytes::from_static(BUSY.as_bytes()))
    }
}

/// Returns one line for the clients of a class: its 90th percentile and its SLO, if it has one.
fn refusal_text(class: &ClassReport) -> String {
    let Some(slo_seconds) = class.promised_seconds else { return BUSY.to_owned() };
    let p90 = match class.p90_seconds {
        Some(p90) => format!("p90 {:.0} ms", p90 * 1e3),
        None => "no p90, because no request was answered recently".to_owned(),
    };
    let name = &class.name;
    let target = slo_seconds * 1e3;
    format!("the server is busy; class {name}: {p90}, target {target:.0} ms\n")
}

/// Returns `seconds` shifted by the jitter, rounded up and within the range. A `fraction` of 0
/// shifts to the early end, 1 to the late end.
fn with_jitter(seconds: f64, fraction: f64, range: RetryAfterRange) -> u64 {
    let least = range.least.as_secs_f64();
    let most = range.most.as_secs_f64();
    let shifted = seconds.clamp(least, most) * (1.0 - JITTER + 2.0 * JITTER * fraction);
    // The range makes the cast exact: the value is neither negative nor large.
    shifted.clamp(least, most).ceil() as u64
}

/// Returns the next number of an evenly spread sequence in 0..1: the multiples of the golden
/// ratio, modulo 1.
fn next_fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_states_class_p90_and_target() {
        let mut class = ClassReport::default();
        class.name = "basic".to_owned();
        assert_eq!(refusal_text(&class), BUSY);
        class.promised_seconds = Some(0.2);
        let unknown = "no p90, because no request was answered recently, target 200 ms\n";
        assert_eq!(refusal_text(&class), format!("the server is busy; class basic: {unknown}"));
        class.p90_seconds = Some(0.1814);
        let text = "the server is busy; class basic: p90 181 ms, target 200 ms\n";
        assert_eq!(refusal_text(&class), text);
    }

    #[test]
    fn retry_after_stays_in_range_and_spreads_over_half_to_one_and_a_half_times() {
        let range = RetryAfterRange::default();
        let mut state = 0;
        let mut seconds: Vec<u64> =
            (0..1000).map(|_| with_jitter(10.0, next_fraction(&mut state), range)).collect();
        seconds.sort_unstable();
        assert!(seconds.iter().all(|seconds| (5..=15).contains(seconds)));
        assert_eq!((seconds[0], seconds[999]), (6, 15));
        assert_eq!(with_jitter(f64::INFINITY, 1.0, range), 30);
        assert_eq!(with_jitter(0.0, 0.0, range), 1);
    }
}
