//! When a refused client may come back.

use parking_lot::Mutex;
use seda_core::{Clock, Snapshots, Time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The oldest estimate that is used without a new request: a report costs about a millisecond.
const ESTIMATE_AGE_MOST: Duration = Duration::from_secs(1);

/// The bounds of the answer. Retry-After has whole seconds, and a client that is told to wait for
/// longer than half a minute does not come back.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// Spreads the clients that are refused together over half to one and a half times the estimate.
const JITTER: f64 = 0.5;

/// Estimates when a refused client may come back: the time that the queue takes to drain at its
/// present rate.
pub(super) struct RetryAfter {
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    asked_at: Mutex<Option<Time>>,
    drain_millis: Arc<AtomicU64>,
    /// The state of the jitter's sequence.
    jitter: AtomicU64,
}

impl RetryAfter {
    pub(super) fn new(snapshots: Snapshots, clock: Arc<dyn Clock>) -> Self {
        Self {
            snapshots,
            clock,
            asked_at: Mutex::new(None),
            drain_millis: Arc::default(),
            jitter: AtomicU64::new(0),
        }
    }

    /// Returns the time after which the client may come back. Never blocks: an old estimate is
    /// renewed for later clients.
    pub(super) fn next(&self) -> Duration {
        if self.is_old() {
            let millis = Arc::clone(&self.drain_millis);
            self.snapshots.request(Box::new(move |report| {
                // An endless time saturates in the cast.
                millis.store((report.drain_seconds() * 1e3) as u64, Ordering::Relaxed);
            }));
        }
        let estimate = Duration::from_millis(self.drain_millis.load(Ordering::Relaxed));
        with_jitter(estimate, self.next_fraction())
    }

    /// Returns true once in [`ESTIMATE_AGE_MOST`].
    fn is_old(&self) -> bool {
        let now = self.clock.now();
        let mut asked_at = self.asked_at.lock();
        let is_old = asked_at.is_none_or(|at| now.since(at) >= ESTIMATE_AGE_MOST);
        if is_old {
            *asked_at = Some(now);
        }
        is_old
    }

    /// Returns the next number of an evenly spread sequence in 0..1: the multiples of the golden
    /// ratio, modulo 1.
    fn next_fraction(&self) -> f64 {
        let state = self.jitter.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn with_jitter(estimate: Duration, fraction: f64) -> Duration {
    let seconds = estimate.clamp(LEAST, MOST).mul_f64(1.0 - JITTER + 2.0 * JITTER * fraction);
    seconds.clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stays_in_its_bounds_and_is_spread_over_half_to_one_and_a_half_times_the_estimate() {
        let ten = Duration::from_secs(10);
        assert_eq!(with_jitter(ten, 0.0), Duration::from_secs(5));
        assert_eq!(with_jitter(ten, 1.0), Duration::from_secs(15));
        assert_eq!(with_jitter(Duration::ZERO, 0.0), LEAST);
        assert_eq!(with_jitter(Duration::from_millis(u64::MAX), 1.0), MOST);
    }
}
