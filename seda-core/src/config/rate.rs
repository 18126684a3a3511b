//! The declared limit of a stage's arrival rate.

use crate::config::fault::SettingFault;
use crate::config::units;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The bounds of a rate. To admit nothing at all, close the entry; above one event per nanosecond
/// there is nothing to limit.
const LOWEST_RATE: f64 = 0.001;
const HIGHEST_RATE: f64 = 1e9;
/// The largest burst: no queue holds more.
const LARGEST_BURST: u64 = 1 << 28;

/// The limit of a stage's arrival rate, a token bucket
/// ([`StageConfig::rate`](crate::config::StageConfig::rate)): in any time `t` at most `burst +
/// per_second · t` events enter.
///
/// ```toml
/// [graph.stages.mail]
/// rate = { per_second = 500, burst = 50 }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { per_second = 500, burst = 50 }")]
pub struct RateConfig {
    /// Events per second: 0.001 to 1,000,000,000.
    pub per_second: f64,
    /// The number of events that may enter at once after a pause, 1 to 268,435,456. Arrivals are
    /// never even: with a burst of 1, a third of Poisson arrivals at half the rate is refused
    /// (M/D/1/1).
    #[serde(deserialize_with = "units::count")]
    pub burst: u64,
}

impl RateConfig {
    /// Returns the n-th of `count` equal parts; each has at least one token unless the whole has
    /// none.
    pub(crate) fn part(self, count: usize, n: usize) -> Self {
        let (count, n) = (count.max(1) as u64, n as u64);
        let burst = self.burst / count + u64::from(n < self.burst % count);
        let burst = burst.max(self.burst.min(1));
        Self { per_second: self.per_second / count as f64, burst }
    }

    /// Checks every setting against its bounds.
    ///
    /// # Errors
    /// The first setting that is out of bounds; its key is that within the table.
    pub(super) fn check(self) -> Result<(), SettingFault> {
        // NaN is in no range.
        if !(LOWEST_RATE..=HIGHEST_RATE).contains(&self.per_second) {
            let allowed = "0.001 to 1000000000 events per second";
            return Err(SettingFault::new("per_second", self.per_second, allowed));
        }
        if !(1..=LARGEST_BURST).contains(&self.burst) {
            return Err(SettingFault::new("burst", self.burst, "1 to 268435456 events"));
        }
        Ok(())
    }
}

impl fmt::Display for RateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s, {} at once", self.per_second, self.burst)
    }
}
