//! How many events a stage lets in at its own entrance, by class.

use crate::config::{Class, MAX_CLASSES, RateConfig};
use crate::event::RefusalReason;
use crate::gate::Limits;
use crate::platform::Time;
use crate::queue::token_bucket::{Rate, TokenBucket};

/// What the admission controller says for events whose request was not counted for the stage at the
/// graph's entry: here a class finds room or does not.
#[derive(Debug)]
pub(super) struct EntryLimits {
    /// So many may be held whoever asks: the usual case is one comparison.
    for_all: usize,
    limits: Box<Limits>,
    /// The declared bound on the rate, if there is one: whoever asks.
    rate: Option<Box<TokenBucket>>,
}

impl Default for EntryLimits {
    fn default() -> Self {
        Self { for_all: usize::MAX, limits: Box::new(Limits::NONE), rate: None }
    }
}

impl EntryLimits {
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        let lowest = limits.most.iter().min().copied().unwrap_or(u64::MAX);
        self.for_all = usize::try_from(lowest).unwrap_or(usize::MAX);
        *self.limits = *limits;
    }

    /// Sets the bound on the rate, live. Tokens that are there stay, as far as the burst allows; one
    /// that was not bounded starts with all of them.
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

    /// Of `most` places that somebody would like and `least` that he needs, how many the rate
    /// allows. Where it is bounded nobody holds places for later: tokens are for events.
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
        // Who needs none is not asked for the time.
        if least > 0 && !bucket.take(least as u64, now()) {
            return Err(RefusalReason::Admission);
        }
        Ok(least)
    }

    /// Some who passed do not enter.
    pub(super) fn refund(&mut self, n: usize) {
        if let Some(bucket) = &mut self.rate {
            bucket.give_back(n as u64);
        }
    }

    pub(super) fn for_all(&self) -> usize {
        self.for_all
    }

    /// Whether so many may be `held` for the sake of `class`: within its limit, or if of them no
    /// more are its `own` than it is guaranteed.
    pub(super) fn admits(&self, class: Class, held: usize, own: usize) -> bool {
        let within = |most: &[u64; MAX_CLASSES], n: usize| {
            most.get(class.index()).is_none_or(|most| n as u64 <= *most)
        };
        within(&self.limits.most, held) || within(&self.limits.guaranteed, own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_up_to_its_limit_and_what_it_is_guaranteed_beyond() {
        let (gold, basic) = (Class::new(0), Class::new(1));
        let mut entrance = EntryLimits::default();
        assert!(entrance.admits(basic, usize::MAX, usize::MAX));
        let mut most = [u64::MAX; MAX_CLASSES];
        (most[0], most[1]) = (10, 8);
        entrance.set_limits(&Limits::of(most, &[4, 1]));
        entrance.limits.guaranteed[..2].copy_from_slice(&[4, 2]);
        assert_eq!(entrance.for_all(), 8);
        assert!(entrance.admits(gold, 10, 9) && !entrance.admits(gold, 11, 5));
        assert!(entrance.admits(gold, 11, 4));
        assert!(entrance.admits(basic, 8, 8) && !entrance.admits(basic, 9, 3));
        assert!(entrance.admits(basic, 99, 2));
    }
}
