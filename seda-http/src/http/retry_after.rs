//! What a client is told that is refused: why, and when to come back, by what was estimate.

use super::config::RetryAfterRange;
use bytes::Bytes;
use parking_lot::Mutex;
use seda_core::report::ClassReport;
use seda_core::{Class, Clock, Report, Snapshots, Time};
use std::sync::Arc;
use std::time::Duration;

/// How old the figure may be: as old as snapshots are at most.
const ESTIMATE_AGE_MOST: Duration = Duration::from_millis(250);

/// Clients that were refused together shall not come back together: each is told between half and
/// one and a half times the figure.
const JITTER: f64 = 0.5;

/// Why nobody is told more, before anything was estimate.
const BUSY: &str = "the server is busy\n";

/// Says when to come back: how long the slowest queue takes to drain at the rate it drains now; and
/// how the promise to the client's class is kept meanwhile.
pub(crate) struct RetryAfter {
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    range: RetryAfterRange,
    estimate: Arc<Mutex<Estimate>>,
    asked_at: Option<Time>,
    /// The state of the jitter's sequence.
    jitter: u64,
}

/// The last figures; unknown until the first snapshot.
#[derive(Debug, Default)]
struct Estimate {
    seconds: Option<f64>,
    /// By class: made once for all who are refused until the next snapshot.
    why: Vec<Bytes>,
}

impl RetryAfter {
    /// `seed` tells the reactors' jitters apart.
    pub(crate) fn new(
        snapshots: Snapshots,
        clock: Arc<dyn Clock>,
        range: RetryAfterRange,
        seed: u64,
    ) -> Self {
        let estimate = Arc::default();
        Self { snapshots, clock, range, estimate, asked_at: None, jitter: seed }
    }

    /// Why a request of `class` is refused, and whole seconds until it may come back. Never blocks;
    /// asks for new figures when the last ones are old, which then come in time for later clients.
    pub(crate) fn next(&mut self, class: Class) -> (Bytes, u64) {
        let now = self.clock.now();
        if self.asked_at.is_none_or(|asked_at| now.since(asked_at) >= ESTIMATE_AGE_MOST) {
            self.asked_at = Some(now);
            let estimate = Arc::clone(&self.estimate);
            self.snapshots.request(Box::new(move |report| {
                *estimate.lock() = Estimate::of(&report);
            }));
        }
        let (seconds, why) = self.estimate.lock().of_class(class);
        let seconds = seconds.unwrap_or(self.range.least.as_secs_f64());
        (why, said(seconds, next_fraction(&mut self.jitter), self.range))
    }
}

impl Estimate {
    fn of(report: &Report) -> Self {
        let why = report.classes.iter().map(|class| Bytes::from(why(class)));
        Self { seconds: Some(drain_seconds(report)), why: why.collect() }
    }

    fn of_class(&self, class: Class) -> (Option<f64>, Bytes) {
        // What is beyond the declared classes counts as the lowest.
        let why = self.why.get(class.index()).or(self.why.last()).cloned();
        (self.seconds, why.unwrap_or(Bytes::from_static(BUSY.as_bytes())))
    }
}

/// How the promise to a class is kept, in a line for its clients.
fn why(class: &ClassReport) -> String {
    let Some(target) = class.promised_seconds else { return BUSY.to_owned() };
    let (name, target) = (&class.name, target * 1e3);
    let p90 = match class.p90_seconds {
        Some(p90) => format!("p90 {:.0} ms", p90 * 1e3),
        None => "no p90, as nobody was answered lately".to_owned(),
    };
    format!("the server is busy; class {name}: {p90}, target {target:.0} ms\n")
}

/// How long the slowest queue takes to drain; infinite for one that does not.
fn drain_seconds(report: &Report) -> f64 {
    let waits = report.stages.iter().filter(|stage| stage.queue.depth > 0);
    let seconds = waits.map(|stage| stage.queue.depth as f64 / stage.throughput_per_second);
    seconds.fold(0.0, f64::max)
}

/// What a client is told: `seconds`, shifted by a `fraction` from 0 to 1 of the jitter, within
/// the range.
fn said(seconds: f64, fraction: f64, range: RetryAfterRange) -> u64 {
    let (least, most) = (range.least.as_secs_f64(), range.most.as_secs_f64());
    let shifted = seconds.clamp(least, most) * (1.0 - JITTER + 2.0 * JITTER * fraction);
    // In range, so neither negative nor large.
    shifted.clamp(least, most).ceil() as u64
}

/// The next of an even sequence in 0..1: the golden ratio's multiples, which neighbours share
/// least.
fn next_fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_class_p90_and_target() {
        let mut class = ClassReport::default();
        class.name = "basic".to_owned();
        assert_eq!(why(&class), BUSY);
        class.promised_seconds = Some(0.2);
        let unknown = "class basic: no p90, as nobody was answered lately, target 200 ms\n";
        assert_eq!(why(&class), format!("the server is busy; {unknown}"));
        class.p90_seconds = Some(0.1814);
        assert_eq!(why(&class), "the server is busy; class basic: p90 181 ms, target 200 ms\n");
    }

    #[test]
    fn what_is_said_stays_in_range_and_spreads_over_half_to_one_and_a_half() {
        let range = RetryAfterRange::default();
        let mut state = 0;
        let mut told: Vec<u64> =
            (0..1000).map(|_| said(10.0, next_fraction(&mut state), range)).collect();
        told.sort_unstable();
        assert!(told.iter().all(|seconds| (5..=15).contains(seconds)));
        assert_eq!((told[0], told[999]), (6, 15));
        assert_eq!(said(f64::INFINITY, 1.0, range), 30);
        assert_eq!(said(0.0, 0.0, range), 1);
    }
}
