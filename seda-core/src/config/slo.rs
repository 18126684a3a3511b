//! The service-level objective, from which admission follows.

use crate::config::fault::SettingFault;
use crate::config::units;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The bounds of an SLO. Below a millisecond the wake-up of a thread is most of the response time,
/// and no admission could meet it; no client waits for ten minutes.
const SHORTEST_SLO: Duration = Duration::from_millis(1);
pub(crate) const LONGEST_SLO: Duration = Duration::from_secs(600);

/// Checks an SLO, or another wait with the same bounds.
pub(super) fn check(key: &str, time: Duration) -> Result<(), SettingFault> {
    if (SHORTEST_SLO..=LONGEST_SLO).contains(&time) {
        return Ok(());
    }
    Err(SettingFault::new(key, format!("{time:?}"), "1ms to 10m"))
}

/// The service-level objective (SLO): the response time that 99 of 100 answers may take.
///
/// It is the deadline of each request that has none of its own
/// ([`SendOptions`](crate::stage::ports::SendOptions)). Admission limits requests so that the SLO
/// can be met, and a request that could only be late is not started. No queue length needs to be
/// set.
///
/// ```toml
/// [slo]
/// p99 = "200ms"
/// classes.batch.p99 = "2s"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { p99 = \"200ms\" }")]
pub struct SloConfig {
    /// The 99th percentile of the response time, from entering the graph to being answered: 1 ms to
    /// 10 minutes. `None`: no SLO, and nothing is refused because of one.
    #[serde(with = "units::optional_duration")]
    pub p99: Option<Duration>,
    /// The SLOs of single classes, by name; they replace `p99`.
    pub classes: BTreeMap<String, ClassSlo>,
}

/// The SLO of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { p99 = \"200ms\" }")]
pub struct ClassSlo {
    /// As [`SloConfig::p99`].
    #[serde(with = "units::duration")]
    pub p99: Duration,
}

impl SloConfig {
    /// Returns the same SLO for every class.
    pub fn new(p99: Duration) -> Self {
        Self { p99: Some(p99), ..Self::default() }
    }

    /// Returns the SLO of a class.
    pub(super) fn of(&self, class: &str) -> Option<Duration> {
        self.classes.get(class).map(|class| class.p99).or(self.p99)
    }
}
