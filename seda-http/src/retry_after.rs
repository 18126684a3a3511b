//! How long a client that was refused should wait, by what was measured.

use crate::config::RetryAfterRange;
use parking_lot::Mutex;
use seda_core::{Clock, Report, Snapshots, Time};
use std::sync::Arc;
use std::time::Duration;

/// How old the figure may be: as old as snapshots are at most.
const KEPT: Duration = Duration::from_millis(250);

/// Clients that were refused together shall not come back together: each is told between half and
/// one and a half times the figure.
const JITTER: f64 = 0.5;

/// Says when to come back: how long the slowest queue takes to drain at the rate it drains now.
pub(crate) struct RetryAfter {
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    range: RetryAfterRange,
    measured: Arc<Mutex<Measured>>,
    asked_at: Option<Time>,
    /// The state of the jitter's sequence.
    jitter: u64,
}

/// The last figure, in seconds; unknown until the first snapshot.
#[derive(Debug, Default)]
struct Measured(Option<f64>);

impl RetryAfter {
    /// `seed` tells the reactors' jitters apart.
    pub(crate) fn new(
        snapshots: Snapshots,
        clock: Arc<dyn Clock>,
        range: RetryAfterRange,
        seed: u64,
    ) -> Self {
        let measured = Arc::default();
        Self { snapshots, clock, range, measured, asked_at: None, jitter: seed }
    }

    /// Whole seconds for the next client. Never blocks; asks for a new figure when the last one
    /// is old, which then comes in time for later clients.
    pub(crate) fn seconds(&mut self) -> u64 {
        let now = self.clock.now();
        if self.asked_at.is_none_or(|asked_at| now.since(asked_at) >= KEPT) {
            self.asked_at = Some(now);
            let measured = Arc::clone(&self.measured);
            self.snapshots.request(Box::new(move |report| {
                measured.lock().0 = Some(drain_seconds(&report));
            }));
        }
        let unknown = self.range.least.as_secs_f64();
        let seconds = self.measured.lock().0.unwrap_or(unknown);
        said(seconds, next_fraction(&mut self.jitter), self.range)
    }
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
