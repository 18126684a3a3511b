//! Recorded arrivals.

use std::sync::Arc;

/// The times of a list, divided by a speed.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    times: Arc<[u64]>,
    speed: f64,
    /// The index of the next time.
    next: usize,
}

impl Recorded {
    pub(super) fn new(times: Arc<[u64]>, speed: f64) -> Self {
        // With NaN, 0 or infinity as speed there are no arrivals, rather than all at once.
        let usable = speed > 0.0 && speed.is_finite();
        let next = if usable { 0 } else { times.len() };
        Self { times, speed, next }
    }
}

impl Iterator for Recorded {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.nth(0)
    }

    fn nth(&mut self, skipped: usize) -> Option<u64> {
        let index = self.next.saturating_add(skipped);
        let Some(at) = self.times.get(index).copied() else {
            self.next = self.times.len();
            return None;
        };
        self.next = index + 1;
        // An `f64` would lose nanoseconds above 2⁵³, so times at the speed 1 stay integers.
        Some(if self.speed == 1.0 { at } else { (at as f64 / self.speed).round() as u64 })
    }
}
