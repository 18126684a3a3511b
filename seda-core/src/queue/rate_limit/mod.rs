//! The declared limit on the rate at which events enter a queue.

mod token_bucket;
#[cfg(test)]
mod token_bucket_tests;

use crate::config::RateConfig;
use crate::event::RefusalReason;
use crate::platform::Time;
use crate::queue::rate_limit::token_bucket::{Rate, TokenBucket};

/// The declared limit on the rate at which events enter a queue; no limit at first.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    bucket: Option<Box<TokenBucket>>,
}

impl RateLimit {
    /// Sets the limit, live; `None` removes it. Saved tokens stay, up to the burst. A new limit
    /// starts with a full burst.
    pub(super) fn set(&mut self, config: Option<RateConfig>, now: Time) {
        let Some(config) = config else {
            self.bucket = None;
            return;
        };
        let new = || Box::new(TokenBucket::new(Rate::from(config), config.burst, now));
        let bucket = self.bucket.get_or_insert_with(new);
        bucket.set_rate(Rate::from(config), now);
        bucket.set_burst(config.burst, now);
    }

    /// Returns how many of `most` places the limit allows, at least `least`. Under a limit no place
    /// is leased ahead: a token pays for one event.
    ///
    /// # Errors
    /// `Admission` if fewer than `least` tokens are there, `TooLarge` if the burst is less.
    pub(super) fn admit(
        &mut self,
        least: usize,
        most: usize,
        now: impl FnOnce() -> Time,
    ) -> Result<usize, RefusalReason> {
        let Some(bucket) = &mut self.bucket else { return Ok(most) };
        if least as u64 > bucket.burst() {
            return Err(RefusalReason::TooLarge);
        }
        // Reading the clock is skipped when no token is needed.
        if least > 0 && !bucket.take(least as u64, now()) {
            return Err(RefusalReason::Admission);
        }
        Ok(least)
    }

    /// Returns whether the limit allows one event now. No token is taken.
    pub(super) fn has_token(&mut self, now: impl FnOnce() -> Time) -> bool {
        self.bucket.as_mut().is_none_or(|bucket| bucket.has(1, now()))
    }

    /// Returns the tokens of `n` admitted events that did not enter the queue.
    pub(super) fn refund(&mut self, n: usize) {
        if let Some(bucket) = &mut self.bucket {
            bucket.give_back(n as u64);
        }
    }
}
