//! The occupancy of a stage over time.

use crate::platform::Time;

/// The number of events in the stage (queued, in hand, pending), integrated over time.
///
/// It is measured, not computed from rate and response time, so that the report can check Little's
/// law against it.
#[derive(Debug, Default)]
pub(super) struct Occupancy {
    present: usize,
    integral: u128,
    since: Time,
}

impl Occupancy {
    /// Returns the integral until `now`, in event-nanoseconds.
    pub(super) fn until(&mut self, now: Time) -> u128 {
        self.advance(now);
        self.integral
    }

    /// Returns the number of events in the stage.
    pub(super) fn present(&self) -> usize {
        self.present
    }

    fn advance(&mut self, now: Time) {
        self.integral += self.present as u128 * u128::from(now.nanos_since(self.since));
        self.since = self.since.max(now);
    }

    pub(super) fn add(&mut self, n: usize, now: Time) {
        self.advance(now);
        self.present += n;
    }

    pub(super) fn remove(&mut self, n: usize, now: Time) {
        self.advance(now);
        debug_assert!(n <= self.present, "more events left than were present");
        self.present = self.present.saturating_sub(n);
    }
}
