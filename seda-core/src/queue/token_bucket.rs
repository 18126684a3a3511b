//! Tokens that come at a rate and are saved up to a burst.

use crate::config::RateConfig;
use crate::platform::Time;
use std::fmt;
use std::time::Duration;

/// Parts of a token: the lowest rate, a thousandth of a token per second, adds one per nanosecond.
const PARTS: u128 = 1_000_000_000_000;

/// Tokens per second, in thousandths: between one in a thousand seconds and 1.8e16 per second.
///
/// There is no rate of zero: what has sunk to zero can only be raised by somebody who sees the
/// events that are not there any more (a limit at zero never recovers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rate {
    millitokens: u64,
}

/// Lets events enter at a rate, and a burst of them at once.
///
/// It starts full. Tokens are counted in integers, exact to a nanosecond of the rate: how often it
/// is asked changes nothing, and over any time `t` no more than `burst + rate · t` events enter.
/// (The original SEDA code added tokens once per millisecond, whole ones, so no rate above 1000 per
/// second could be had.)
///
/// It never owes: [`take`](Self::take) is all or none, and whoever could not use what was taken
/// gives it [back](Self::give_back), so that a batch that is refused further on burns nothing.
///
/// Not for concurrent use without a lock; a question costs a 128-bit multiplication.
///
/// ```
/// use seda_core::Time;
/// use seda_core::gate::{Rate, TokenBucket};
///
/// let mut bucket = TokenBucket::new(Rate::per_second(10_000.0), 2, Time::ZERO);
/// assert_eq!(bucket.take_up_to(5, Time::ZERO), 2);
/// assert!(!bucket.take(1, Time::from_nanos(99_999)));
/// assert!(bucket.take(1, Time::from_nanos(100_000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenBucket {
    rate: Rate,
    burst: u64,
    /// In parts of a token; at most `burst` tokens.
    level: u128,
    /// Up to when tokens have been added.
    as_of: Time,
}

impl Rate {
    /// One token in a thousand seconds.
    pub(crate) const LOWEST: Rate = Rate { millitokens: 1 };

    /// The nearest rate there is; the lowest for what is no number.
    pub(crate) fn per_second(tokens: f64) -> Self {
        // The cast saturates, and makes 0 of NaN.
        Self { millitokens: ((tokens * 1e3).round() as u64).max(1) }
    }

    /// Tokens per second.
    pub(crate) fn as_per_second(self) -> f64 {
        self.millitokens as f64 / 1e3
    }
}

impl From<RateConfig> for Rate {
    fn from(config: RateConfig) -> Self {
        Self::per_second(config.per_second)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.as_per_second())
    }
}

impl TokenBucket {
    /// A full bucket. A `burst` of zero, which would let nothing pass ever, counts as one.
    pub(crate) fn new(rate: Rate, burst: u64, now: Time) -> Self {
        let burst = burst.max(1);
        Self { rate, burst, level: u128::from(burst) * PARTS, as_of: now }
    }

    /// Takes `tokens`, all or none. More than the burst are never there.
    #[must_use = "without the tokens nothing may enter"]
    pub(crate) fn take(&mut self, tokens: u64, now: Time) -> bool {
        self.add(now);
        let left = self.level.checked_sub(u128::from(tokens) * PARTS);
        if let Some(left) = left {
            self.level = left;
        }
        left.is_some()
    }

    /// Takes as many of `tokens` as there are, and returns how many: so many of a batch may enter.
    #[must_use = "what is taken and not used is to be given back"]
    pub(crate) fn take_up_to(&mut self, tokens: u64, now: Time) -> u64 {
        let taken = tokens.min(self.available(now));
        self.level = self.level.saturating_sub(u128::from(taken) * PARTS);
        taken
    }

    /// Puts tokens back that were taken and not used; what exceeds the burst is lost.
    pub(crate) fn give_back(&mut self, tokens: u64) {
        self.level = self.level.saturating_add(u128::from(tokens) * PARTS).min(self.full());
    }

    /// How many whole tokens there are.
    pub(crate) fn available(&mut self, now: Time) -> u64 {
        self.add(now);
        u64::try_from(self.level / PARTS).unwrap_or(u64::MAX)
    }

    /// After how long `tokens` will be there if nobody takes any; `None`: never, as they exceed the
    /// burst. Exact: a nanosecond earlier they are not.
    pub(crate) fn wait_for(&mut self, tokens: u64, now: Time) -> Option<Duration> {
        self.add(now);
        let missing = (u128::from(tokens) * PARTS).saturating_sub(self.level);
        let nanos = missing.div_ceil(u128::from(self.rate.millitokens));
        let wait = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        (tokens <= self.burst).then_some(wait)
    }

    /// Tokens come at another rate from now on; those that are there stay.
    pub(crate) fn set_rate(&mut self, rate: Rate, now: Time) {
        self.add(now);
        self.rate = rate;
    }

    /// Another burst, from now on; tokens beyond it are lost. Zero counts as one.
    pub(crate) fn set_burst(&mut self, burst: u64, now: Time) {
        self.add(now);
        self.burst = burst.max(1);
        self.level = self.level.min(self.full());
    }

    /// The rate in force.
    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// The burst in force.
    pub(crate) fn burst(&self) -> u64 {
        self.burst
    }

    fn full(&self) -> u128 {
        u128::from(self.burst) * PARTS
    }

    /// Adds what has come since. A `now` before the last adds nothing, and time is not added twice.
    fn add(&mut self, now: Time) {
        let nanos = u128::from(now.nanos_since(self.as_of));
        let came = nanos * u128::from(self.rate.millitokens);
        self.level = self.level.saturating_add(came).min(self.full());
        self.as_of = self.as_of.max(now);
    }
}
