//! How fast the number of open connections may grow.

use seda_core::Time;
use std::time::Duration;

/// Between two connections that are more than there ever were. Making one costs a core some 30 us
/// on loopback, so this takes at most a seventh of it; a thousand more connections take 0.2 s.
const SPACING: Duration = Duration::from_micros(200);
/// So many may be made at once after a pause: what a browser farm or a burst of arrivals needs.
const BURST: u32 = 256;

/// A token bucket for connections beyond the most there have been.
///
/// After a hiccup of 40 ms at 80,000 requests a second 3,200 are due at once, and one connection
/// for each would take 100 ms to make, so that the schedule is lost for good. Those that are open
/// become free again meanwhile. What waits for one is counted from its intended start all the same.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// When the bucket will be full again.
    full_at: Time,
}

impl Growth {
    /// Takes a token if there is one.
    pub(super) fn allow(&mut self, now: Time) -> bool {
        if now < self.next_at() {
            return false;
        }
        self.full_at = self.full_at.max(now).after(SPACING);
        true
    }

    /// When there is a token; in the past if there is one already.
    pub(super) fn next_at(&self) -> Time {
        let missing = SPACING * BURST.saturating_sub(1);
        Time::ZERO.after(self.full_at.since(Time::ZERO.after(missing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let mut growth = Growth::default();
        let begun = Time::ZERO.after(Duration::from_secs(1));
        assert_eq!((0..1_000).filter(|_| growth.allow(begun)).count(), BURST as usize);
        let next = growth.next_at();
        assert_eq!(next, begun.after(SPACING));
        assert!(growth.allow(next) && !growth.allow(next));
        let second = begun.after(Duration::from_secs(1));
        assert_eq!((0..1_000).filter(|_| growth.allow(second)).count(), BURST as usize);
    }

    #[test]
    fn a_burst_is_allowed_from_the_very_beginning() {
        let mut growth = Growth::default();
        assert_eq!((0..1_000).filter(|_| growth.allow(Time::ZERO)).count(), BURST as usize);
    }
}
