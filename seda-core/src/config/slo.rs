//! What a graph's users were promised: the one figure from which admission follows.

use crate::config::error::SettingFault;
use crate::config::units;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The least and the most that can be promised. Below a millisecond a thread's wake-up is most of
/// the response time, and nothing that admits could keep the promise; nobody waits for longer than
/// ten minutes.
const SHORTEST_SLO: Duration = Duration::from_millis(1);
pub(crate) const LONGEST_SLO: Duration = Duration::from_secs(600);

/// Checks an SLO, or another wait that is bounded like one.
pub(super) fn check(key: &str, time: Duration) -> Result<(), SettingFault> {
    if (SHORTEST_SLO..=LONGEST_SLO).contains(&time) {
        return Ok(());
    }
    Err(SettingFault::new(key, format!("{time:?}"), "1ms to 10m"))
}

/// The service-level objective: how long 99 of 100 answers may take. With it a request that no
/// [deadline](crate::stage::ports::SendOptions) was given has this one; requests are admitted as far as it can be
/// kept; what could only be late is not started. No length of a queue has to be set then.
///
/// ```toml
/// [slo]
/// p99 = "200ms"
/// classes.batch.p99 = "2s"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { p99 = \"200ms\" }")]
pub struct SloConfig {
    /// The 99th percentile of the response time, from entering the graph to being answered: 1 ms
    /// to 10 minutes. `None`: nothing was promised, and nothing is refused on that account.
    #[serde(with = "units::optional_duration")]
    pub p99: Option<Duration>,
    /// What was promised to single classes instead, by name.
    pub classes: BTreeMap<String, ClassSlo>,
}

/// The objective of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { p99 = \"200ms\" }")]
pub struct ClassSlo {
    /// As [`SloConfig::p99`].
    #[serde(with = "units::duration")]
    pub p99: Duration,
}

impl SloConfig {
    /// The same objective for every class.
    pub fn new(p99: Duration) -> Self {
        Self { p99: Some(p99), ..Self::default() }
    }

    /// What holds for a class.
    pub(crate) fn of(&self, class: &str) -> Option<Duration> {
        self.classes.get(class).map(|class| class.p99).or(self.p99)
    }
}
