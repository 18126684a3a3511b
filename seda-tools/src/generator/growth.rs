//! Limits the growth of the number of connections.

use seda_core::Time;
use std::time::Duration;

/// The time between two new connections above the earlier maximum. Connecting costs about 30 us of
/// a core on loopback, so growth takes at most a seventh of a core; 1,000 connections take 0.2 s.
const SPACING: Duration = Duration::from_micros(200);
/// Connections that may be made at once after a pause, for a burst of arrivals.
const BURST: u32 = 256;

/// A token bucket for connections above the earlier maximum.
///
/// After a stall of 40 ms at 80,000 requests per second, 3,200 requests are due at once. One new
/// connection for each would take 100 ms, and the generator could never keep its schedule again.
/// Instead a request waits until an open connection is free; its response time still counts from
/// its intended start.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// When the bucket will be full.
    full_at: Time,
}

impl Growth {
    /// Takes a token; returns false if there is none.
    pub(super) fn allow(&mut self, now: Time) -> bool {
        if now < self.next_at() {
            return false;
        }
        self.full_at = self.full_at.max(now).after(SPACING);
        true
    }

    /// Returns when there is a token: in the past if there is one now.
    pub(super) fn next_at(&self) -> Time {
        let missing = SPACING * BURST.saturating_sub(1);
        Time::ZERO.after(self.full_at.since(Time::ZERO.after(missing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_one_at_a_time() {
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
