//! Codel.

use crate::config::error::SettingFault;
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

/// Settings of a `Codel`; every one has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { target = \"20ms\" }")]
pub struct CodelConfig {
    /// A wait that a standing queue may have. 5 ms is 5 % of the interval: CoDel's setpoint
    /// (RFC 8289, section 4) and folly's default for servers. A stage whose events take longer
    /// than that needs more: with less than a service time every queue stands.
    #[serde(with = "units::duration")]
    pub target: Duration,
    /// How long the wait must have been above the target before anything is given up: queues that
    /// last shorter are bursts. 100 ms (RFC 8289, section 4; folly has it, too).
    #[serde(with = "units::duration")]
    pub interval: Duration,
    /// How it is given up.
    pub law: CodelLaw,
    /// Of so many events that are taken in an interval one is kept at least, whatever they waited: 2
    /// to 1,000,000 (1 would shed nothing, as would 0, which counts as 1; a graph takes neither). A
    /// delay can have another cause than the queue, and
    /// control that reacts to nothing else can spiral: so a tenth of the work is done anyway. It
    /// is the highest overload that the gate alone can meet, too: ten times the capacity.
    #[serde(deserialize_with = "units::count")]
    pub keep_one_in: u32,
}

/// How `Codel` gives up events while the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodelLaw {
    /// All that has waited for more than twice the target (folly's `Codel`, for servers). Where
    /// nobody slows down when something is dropped, it is at its goal one interval after it began.
    #[default]
    ServerCodel,
    /// One, and the next after interval/√n: the standard's (RFC 8289, section 3), made for senders
    /// that slow down when they miss something. Against those who do not it takes 2·√n intervals
    /// to give up n, while the queue grows, and begins anew when it has shrunk: at 1.25 times a
    /// capacity of 1000 events per second the wait rises to 0.5 s in five seconds, and goes up and
    /// down between 0.1 and 0.3 s ever after.
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
