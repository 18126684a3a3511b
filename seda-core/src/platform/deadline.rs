//! A limit on a wait, measured by the machine's clock.

use crate::platform::clock::{Clock, MonotonicClock, Time};
use std::time::Duration;

/// The time left of a limit. It runs on the machine's clock whatever clock the graph has, so that
/// a wait ends even under a clock that stands still.
#[derive(Debug)]
pub(crate) struct Deadline {
    clock: MonotonicClock,
    limit: Duration,
}

impl Deadline {
    /// A deadline that passes `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { clock: MonotonicClock::new(), limit }
    }

    /// Returns the time left; zero once the deadline has passed.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.clock.now().since(Time::ZERO))
    }

    /// True once the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
