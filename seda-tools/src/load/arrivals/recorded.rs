//! Arrivals as they were recorded.

use std::sync::Arc;

/// Times from a list, divided by a speed.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    times: Arc<[u64]>,
    speed: f64,
    /// The index of the next.
    next: usize,
}

impl Recorded {
    pub(super) fn new(times: Arc<[u64]>, speed: f64) -> Self {
        // NaN, 0 and infinity have no meaning as a speed, and must not send everything at once.
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
        let at = self.times.get(index);
        self.next = at.map_or(self.times.len(), |_| index + 1);
        // Division by 1 is exact, but an `f64` would lose nanoseconds beyond 2⁵³ of them.
        at.map(|at| if self.speed == 1.0 { *at } else { (*at as f64 / self.speed).round() as u64 })
    }
}
