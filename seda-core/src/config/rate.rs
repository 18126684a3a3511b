//! A declared bound on a rate, as a file can hold it.

use crate::config::error::SettingFault;
use crate::config::units;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The lowest and the highest rate that can be declared. Who wants none at all closes the entry;
/// beyond one event per nanosecond there is nothing to bound.
const LOWEST_RATE: f64 = 0.001;
const HIGHEST_RATE: f64 = 1e9;
/// A burst beyond what any queue holds bounds nothing.
const LARGEST_BURST: u64 = 1 << 28;

/// How many events may enter a stage: settings of the [`TokenBucket`](crate::gate::TokenBucket) at its
/// entrance ([`crate::config::StageConfig::rate`]). Over any time `t` no more than `burst + per_second · t`
/// do.
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
    /// How many may enter at once after a while without any, 1 to 268,435,456. Arrivals are never
    /// even: with a burst of 1 a third of Poisson's at half the rate is refused (M/D/1/1).
    #[serde(deserialize_with = "units::count")]
    pub burst: u64,
}

impl RateConfig {
    /// The n-th of so many parts: none lets nobody in.
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
