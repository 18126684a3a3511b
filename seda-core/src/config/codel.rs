//! Settings of CoDel, which sheds from a standing queue.

use crate::config::fault::SettingFault;
use crate::config::slo;
use crate::config::units;
use crate::config::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Bounds of [`CodelConfig::keep_one_in`]: at 1 nothing is shed, and no interval sees a million
/// events.
const KEEPS: RangeInclusive<u32> = 2..=1_000_000;

/// Settings of CoDel at one stage; every one has a default.
///
/// ```
/// let codel: seda_core::CodelConfig = toml::from_str("target = \"20ms\"")?;
/// assert_eq!(codel.interval.as_millis(), 100);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { target = \"20ms\" }")]
pub struct CodelConfig {
    /// The wait that a standing queue may have. Default: 5 ms, 5 % of the interval, which is
    /// CoDel's setpoint (RFC 8289, section 4) and folly's default for servers. A stage whose
    /// service takes longer needs more: a target below one service time is always exceeded.
    #[serde(with = "units::duration")]
    pub target: Duration,
    /// How long the wait must exceed the target before anything is shed: shorter queues are bursts.
    /// Default: 100 ms (RFC 8289, section 4, and folly).
    #[serde(with = "units::duration")]
    pub interval: Duration,
    /// The law by which events are shed.
    pub law: CodelLaw,
    /// At least one of this many events taken in an interval is kept, whatever its wait: 2 to
    /// 1,000,000. Default: 10.
    ///
    /// Delay can have other causes than the queue, and CoDel would then shed without end: this
    /// setting keeps a tenth of the work. It also bounds the overload that CoDel alone can absorb:
    /// ten times the capacity.
    #[serde(deserialize_with = "units::count")]
    pub keep_one_in: u32,
}

/// The law by which CoDel sheds events while the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodelLaw {
    /// Sheds every event that waited longer than twice the target (folly's `Codel`, for servers).
    /// Where senders do not slow down after a drop, it reaches its target after one interval.
    #[default]
    ServerCodel,
    /// Sheds one event, and the next one interval/√n later (RFC 8289, section 3): for senders that
    /// slow down after a drop. Against other senders it takes 2·√n intervals to shed n events, and
    /// starts over when the queue has shrunk: at 1.25 times a capacity of 1,000 events/s the wait
    /// rises to 0.5 s in five seconds, and then swings between 0.1 and 0.3 s.
    Rfc8289,
}

impl Default for CodelConfig {
    fn default() -> Self {
        Self {
            target: Duration::from_millis(5),
            interval: Duration::from_millis(100),
            law: CodelLaw::default(),
            keep_one_in: 10,
        }
    }
}

words! {
    CodelLaw is "a law of CoDel":
    ServerCodel => "slough",
    Rfc8289 => "spaced",
}

impl CodelConfig {
    /// Checks every setting against its bounds.
    ///
    /// # Errors
    /// The first setting that is out of bounds; its key is that within the table.
    pub(super) fn check(&self) -> Result<(), SettingFault> {
        slo::check("target", self.target)?;
        slo::check("interval", self.interval)?;
        if self.target >= self.interval {
            let target = format!("{:?}", self.target);
            return Err(SettingFault::new("target", target, "less than the interval"));
        }
        if !KEEPS.contains(&self.keep_one_in) {
            let allowed = "2 to 1000000: 1 would keep all; without `codel` nothing is shed";
            return Err(SettingFault::new("keep_one_in", self.keep_one_in, allowed));
        }
        Ok(())
    }
}

impl fmt::Display for CodelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, interval, law, keep_one_in } = self;
        write!(f, "{law}, {target:?} of {interval:?}, keeps one in {keep_one_in}")
    }
}
