//! The limits of a stage on the events that enter its queue.

use crate::config::{Class, PerClass, RateConfig};
use crate::event::RefusalReason;
use crate::gate::Limits;
use crate::platform::Time;
use crate::queue::token_bucket::{Rate, TokenBucket};

/// The limits on events that enter a queue: the declared rate, for all events, and the limits of
/// the admission controller, for events without a request that counts at the stage's gate.
#[derive(Debug)]
pub(super) struct EntryLimits {
    /// The lowest limit of all classes: the usual case is one comparison.
    for_all: usize,
    limits: Box<Limits>,
    /// The declared limit on the rate, if any.
    rate: Option<Box<TokenBucket>>,
}

impl Default for EntryLimits {
    fn default() -> Self {
        Self { for_all: usize::MAX, limits: Box::new(Limits::NONE), rate: None }
    }
}

impl EntryLimits {
    /// Sets the limits by class, live.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        let lowest = limits.most.iter().min().copied().unwrap_or(u64::MAX);
        self.for_all = usize::try_from(lowest).unwrap_or(usize::MAX);
        *self.limits = *limits;
    }

    /// Sets the limit on the rate, live; `None` removes it. Saved tokens stay, up to the burst. A
    /// new limit starts with a full burst.
    pub(super) fn set_rate(&mut self, config: Option<RateConfig>, now: Time) {
        let Some(config) = config else {
            self.rate = None;
            return;
        };
        let new = || Box::new(TokenBucket::new(Rate::from(config), config.burst, now));
        let bucket = self.rate.get_or_insert_with(new);
        bucket.set_rate(Rate::from(config), now);
        bucket.set_burst(config.burst, now);
    }

    /// Returns how many of `most` places the rate limit allows, at least `least`. Under a rate
    /// limit no place is leased ahead: a token pays for one event.
    ///
    /// # Errors
    /// `Admission` if fewer than `least` tokens are there, `TooLarge` if the burst is less.
    pub(super) fn admit(
        &mut self,
        least: usize,
        most: usize,
        now: impl FnOnce() -> Time,
    ) -> Result<usize, RefusalReason> {
        let Some(bucket) = &mut self.rate else { return Ok(most) };
        if least as u64 > bucket.burst() {
            return Err(RefusalReason::TooLarge);
        }
        // Reading the clock is skipped when no token is needed.
        if least > 0 && !bucket.take(least as u64, now()) {
            return Err(RefusalReason::Admission);
        }
        Ok(least)
    }

    /// Returns whether the rate limit allows one event now. No token is taken.
    pub(super) fn has_token(&mut self, now: impl FnOnce() -> Time) -> bool {
        self.rate.as_mut().is_none_or(|bucket| bucket.has(1, now()))
    }

    /// Returns the tokens of `n` admitted events that did not enter the queue.
    pub(super) fn refund(&mut self, n: usize) {
        if let Some(bucket) = &mut self.rate {
            bucket.give_back(n as u64);
        }
    }

    /// Returns the number of events that the limits of all classes allow.
    pub(super) fn for_all(&self) -> usize {
        self.for_all
    }

    /// Returns whether `class` may bring the number of events to `held`: within its limit, or while
    /// its `own` events are within its guarantee.
    pub(super) fn admits(&self, class: Class, held: usize, own: usize) -> bool {
        let within = |limits: &PerClass<u64>, n: usize| n as u64 <= limits[class];
        within(&self.limits.most, held) || within(&self.limits.guaranteed, own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_up_to_its_limit_and_beyond_it_up_to_its_guarantee() {
        let (gold, basic) = (Class::new(0), Class::new(1));
        let mut entry = EntryLimits::default();
        assert!(entry.admits(basic, usize::MAX, usize::MAX));
        let mut most = PerClass::splat(u64::MAX);
        (most[gold], most[basic]) = (10, 8);
        entry.set_limits(&Limits::of(most, &[4, 1]));
        (entry.limits.guaranteed[gold], entry.limits.guaranteed[basic]) = (4, 2);
        assert_eq!(entry.for_all(), 8);
        assert!(entry.admits(gold, 10, 9) && !entry.admits(gold, 11, 5));
        assert!(entry.admits(gold, 11, 4));
        assert!(entry.admits(basic, 8, 8) && !entry.admits(basic, 9, 3));
        assert!(entry.admits(basic, 99, 2));
    }
}
