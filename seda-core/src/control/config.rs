//! Settings of the controllers.

use super::admission::Law;
use super::overload::OverloadPolicy;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Whether a controller acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It decides and acts.
    #[default]
    On,
    /// It decides and journals what it would have done.
    Observe,
    /// It does nothing.
    Off,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Mode::On),
            "observe" => Ok(Mode::Observe),
            "off" => Ok(Mode::Off),
            _ => Err(format!("`{text}` is not a control mode: write on, observe or off")),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::On => "on",
            Mode::Observe => "observe",
            Mode::Off => "off",
        })
    }
}

/// Settings of the controllers; every one has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    /// How often the controllers look, 10 ms to 10 s. At 100 ms a step in load is met before a
    /// client notices, and the looking costs less than a thousandth of a core.
    #[serde(with = "humantime_serde")]
    pub tick: Duration,
    /// Resizing of pools.
    pub pool_size: Mode,
    /// Sizing of batches, within each stage's `batch` setting.
    pub batch_size: Mode,
    /// Admission by what was promised ([`crate::SloConfig`]): without a promise it does nothing.
    pub admission: Mode,
    /// The law by which it admits.
    pub law: Law,
    /// The overload valve.
    pub valve: Mode,
    /// What stages do about a queue that stands ([`crate::StageConfig::codel`] and
    /// [`crate::StageConfig::newest_first_above`]): without such a setting it does nothing.
    pub queue_delay: Mode,
    /// Who gives way at the budget.
    pub overload: OverloadPolicy,
    /// How long events may wait in a queue before their pool is to grow. 5 ms is CoDel's target
    /// (Nichols & Jacobson 2012): shorter queues are bursts, longer ones stand.
    #[serde(with = "humantime_serde")]
    pub wait_target: Duration,
    /// After how long without need a pool shrinks by one worker. Five seconds is the SEDA
    /// paper's figure (SOSP 2001, §4.2).
    #[serde(with = "humantime_serde")]
    pub idle_after: Duration,
    /// After how long in one event a worker counts as stuck and is replaced. Ten seconds is
    /// longer than any deadline a server keeps.
    #[serde(with = "humantime_serde")]
    pub stuck_after: Duration,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(100),
            pool_size: Mode::On,
            batch_size: Mode::On,
            admission: Mode::On,
            law: Law::default(),
            valve: Mode::On,
            queue_delay: Mode::On,
            overload: OverloadPolicy::default(),
            wait_target: Duration::from_millis(5),
            idle_after: Duration::from_secs(5),
            stuck_after: Duration::from_secs(10),
        }
    }
}

impl ControlConfig {
    /// Sets the mode of all controllers.
    pub fn set_mode(&mut self, mode: Mode) {
        (self.pool_size, self.batch_size) = (mode, mode);
        (self.admission, self.valve) = (mode, mode);
        self.queue_delay = mode;
    }

    /// The first setting that is out of bounds: its key, its value and what is allowed.
    pub(crate) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        let within = |value: Duration, low: u64, high: u64| {
            (Duration::from_millis(low)..=Duration::from_millis(high)).contains(&value)
        };
        let settings = [
            ("control.tick", self.tick, 10, 10_000, "10ms to 10s"),
            ("control.wait_target", self.wait_target, 1, 60_000, "1ms to 60s"),
            ("control.idle_after", self.idle_after, 10, 3_600_000, "10ms to 1h"),
            ("control.stuck_after", self.stuck_after, 10, 3_600_000, "10ms to 1h"),
        ];
        let fault =
            settings.into_iter().find(|(_, value, low, high, _)| !within(*value, *low, *high));
        fault.map(|(key, value, _, _, allowed)| (key, format!("{value:?}"), allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_bounds_is_named_with_its_value_and_what_is_allowed() {
        assert_eq!(ControlConfig::default().fault(), None);
        let config = ControlConfig { tick: Duration::ZERO, ..ControlConfig::default() };
        assert_eq!(config.fault(), Some(("control.tick", "0ns".to_owned(), "10ms to 10s")));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = toml::from_str::<ControlConfig>("tock = \"1s\"").unwrap_err().to_string();
        assert!(error.contains("tock"), "{error}");
        let read =
            toml::from_str::<ControlConfig>("tick = \"250ms\"\nvalve = \"observe\"").unwrap();
        assert_eq!((read.tick, read.valve), (Duration::from_millis(250), Mode::Observe));
    }
}
