//! Token bucket: tokens that arrive at a rate and are saved up to a burst.

use crate::config::RateConfig;
use crate::platform::Time;

/// Parts of a token: the lowest rate, a thousandth of a token per second, adds one per nanosecond.
const PARTS: u128 = 1_000_000_000_000;

/// Tokens per second, in thousandths: between one in a thousand seconds and 1.8e16 per second.
///
/// There is no rate of zero, because it would never recover: a controller could raise it only by
/// the events that it keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rate {
    millitokens: u64,
}

/// Admits events at a rate, and a burst of them at once.
///
/// The bucket starts full. It counts parts of tokens in integers, exact to a nanosecond of the
/// rate, so at most `burst + rate · t` events enter in any time `t`, at any frequency of calls.
/// (The original SEDA added whole tokens once per millisecond: at most 1,000 per second.)
///
/// The bucket is never in debt: [`take`](Self::take) is all or none, and unused tokens are [given
/// back](Self::give_back). So a batch that is refused later on uses up no token.
///
/// A call costs a 128-bit multiplication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenBucket {
    rate: Rate,
    burst: u64,
    /// The level in parts of a token; at most `burst` tokens.
    level: u128,
    /// The time until which tokens have been added.
    as_of: Time,
}

impl Rate {
    /// Returns the nearest rate; the lowest for NaN and for numbers below it.
    pub(super) fn per_second(tokens: f64) -> Self {
        // The cast saturates and turns NaN into 0.
        Self { millitokens: ((tokens * 1e3).round() as u64).max(1) }
    }
}

impl From<RateConfig> for Rate {
    fn from(config: RateConfig) -> Self {
        Self::per_second(config.per_second)
    }
}

impl TokenBucket {
    /// A full bucket. A `burst` of zero would admit no event, so it counts as one.
    pub(super) fn new(rate: Rate, burst: u64, now: Time) -> Self {
        let burst = burst.max(1);
        Self { rate, burst, level: u128::from(burst) * PARTS, as_of: now }
    }

    /// Takes `tokens`, all or none. More tokens than the burst are never available.
    #[must_use = "without the tokens nothing may enter"]
    pub(super) fn take(&mut self, tokens: u64, now: Time) -> bool {
        self.add(now);
        let left = self.level.checked_sub(u128::from(tokens) * PARTS);
        if let Some(left) = left {
            self.level = left;
        }
        left.is_some()
    }

    /// Returns whether [`TokenBucket::take`] would succeed now.
    pub(super) fn has(&mut self, tokens: u64, now: Time) -> bool {
        self.add(now);
        self.level >= u128::from(tokens) * PARTS
    }

    /// Puts unused tokens back; those above the burst are lost.
    pub(super) fn give_back(&mut self, tokens: u64) {
        self.level = self.level.saturating_add(u128::from(tokens) * PARTS).min(self.full());
    }

    /// Sets the rate, live. The tokens in the bucket stay.
    pub(super) fn set_rate(&mut self, rate: Rate, now: Time) {
        self.add(now);
        self.rate = rate;
    }

    /// Sets the burst, live; tokens above it are lost. Zero counts as one.
    pub(super) fn set_burst(&mut self, burst: u64, now: Time) {
        self.add(now);
        self.burst = burst.max(1);
        self.level = self.level.min(self.full());
    }

    /// Returns the burst in force.
    pub(super) fn burst(&self) -> u64 {
        self.burst
    }

    fn full(&self) -> u128 {
        u128::from(self.burst) * PARTS
    }

    /// Adds the tokens that have arrived since the last call. An earlier `now` adds none, and no
    /// time counts twice.
    fn add(&mut self, now: Time) {
        let nanos = u128::from(now.nanos_since(self.as_of));
        let arrived = nanos * u128::from(self.rate.millitokens);
        self.level = self.level.saturating_add(arrived).min(self.full());
        self.as_of = self.as_of.max(now);
        debug_assert!(self.level <= self.full(), "more tokens than the burst");
    }
}
