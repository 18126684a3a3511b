//! Settings of the controllers.

use crate::config::error::SettingFault;
use crate::config::policies::{HotspotConfig, Law, OverloadPolicy};
use crate::config::units;
use crate::config::word::words;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;
use thiserror::Error;

/// Whether a controller acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It decides and acts.
    #[default]
    On,
    /// It decides and journals what it would have done.
    Observe,
    /// It does nothing.
    Off,
}

impl Mode {
    /// Returns whether the controller changes anything.
    pub(crate) fn acts(self) -> bool {
        self == Mode::On
    }

    /// Returns whether the controller decides at all, acting or only observing.
    pub(crate) fn watches(self) -> bool {
        self != Mode::Off
    }
}

words! {
    Mode is "a control mode":
    On => "on",
    Observe => "observe",
    Off => "off",
}

/// A controller that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no controller: write one of {known}")]
#[non_exhaustive]
pub struct UnknownController {
    name: String,
    known: String,
}

/// Settings of the controllers; every one has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { tick = \"100ms\" }")]
pub struct ControlConfig {
    /// How often the controllers look, 10 ms to 10 s. At 100 ms a step in load is met before a
    /// client notices, and the looking costs less than a thousandth of a core.
    #[serde(with = "units::duration")]
    pub tick: Duration,
    /// Resizing of pools.
    pub pool_size: Mode,
    /// Sizing of the places outside, where a stage bounds them ([`crate::config::StageConfig::outstanding`]).
    /// Switched off, as many stay as there are.
    pub outstanding: Mode,
    /// Sizing of batches, within each stage's `batch` setting.
    pub batch_size: Mode,
    /// Admission by what was promised ([`crate::config::slo::SloConfig`]): without a promise it does nothing.
    pub admission: Mode,
    /// The law by which it admits.
    pub law: Law,
    /// The overload valve.
    pub valve: Mode,
    /// What stages do about a queue that stands ([`crate::config::StageConfig::codel`] and
    /// [`crate::config::StageConfig::newest_first_above`]): without such a setting it does nothing.
    pub queue_delay: Mode,
    /// The watch for hot pools: flags them, and leaves it to others to act.
    pub hotspot: Mode,
    /// Which pool is hot, by its utilization.
    pub hot: HotspotConfig,
    /// Who gives way at the budget.
    pub overload: OverloadPolicy,
    /// How long events may wait in a queue before their pool is to grow. 5 ms is CoDel's target
    /// (Nichols & Jacobson 2012): shorter queues are bursts, longer ones stand.
    #[serde(with = "units::duration")]
    pub wait_target: Duration,
    /// After how long without need a pool shrinks by one worker. Five seconds is the SEDA
    /// paper's figure (SOSP 2001, §4.2).
    #[serde(with = "units::duration")]
    pub idle_after: Duration,
    /// After how long in one event a worker counts as stuck and is replaced. Ten seconds is
    /// longer than any deadline a server keeps.
    #[serde(with = "units::duration")]
    pub stuck_after: Duration,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(100),
            pool_size: Mode::On,
            outstanding: Mode::On,
            batch_size: Mode::On,
            admission: Mode::On,
            law: Law::default(),
            valve: Mode::On,
            queue_delay: Mode::On,
            hotspot: Mode::On,
            hot: HotspotConfig::default(),
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
        self.modes().into_iter().for_each(|(_, known)| *known = mode);
    }

    /// Sets the mode of one controller, by its key.
    ///
    /// # Errors
    /// There is none of that name; the error has those that there are.
    pub fn set_mode_of(&mut self, controller: &str, mode: Mode) -> Result<(), UnknownController> {
        let mut modes = self.modes();
        let Some((_, known)) = modes.iter_mut().find(|(name, _)| *name == controller) else {
            let known = modes.map(|(name, _)| name).join(", ");
            return Err(UnknownController { name: controller.to_owned(), known });
        };
        **known = mode;
        Ok(())
    }

    /// The controllers with their keys.
    fn modes(&mut self) -> [(&'static str, &mut Mode); 7] {
        [
            ("pool_size", &mut self.pool_size),
            ("outstanding", &mut self.outstanding),
            ("batch_size", &mut self.batch_size),
            ("admission", &mut self.admission),
            ("valve", &mut self.valve),
            ("queue_delay", &mut self.queue_delay),
            ("hotspot", &mut self.hotspot),
        ]
    }

    /// Checks every setting against its bounds.
    ///
    /// # Errors
    /// The first setting that is out of bounds.
    pub(super) fn check(&self) -> Result<(), SettingFault> {
        check_time("control.tick", self.tick, 10..=10_000, "10ms to 10s")?;
        check_time("control.wait_target", self.wait_target, 1..=60_000, "1ms to 60s")?;
        check_time("control.idle_after", self.idle_after, 10..=3_600_000, "10ms to 1h")?;
        check_time("control.stuck_after", self.stuck_after, 10..=3_600_000, "10ms to 1h")?;
        self.hot.check()
    }
}

/// Checks a duration against bounds in milliseconds, both included.
fn check_time(
    key: &str,
    time: Duration,
    millis: RangeInclusive<u64>,
    allowed: &'static str,
) -> Result<(), SettingFault> {
    let least = Duration::from_millis(*millis.start());
    let most = Duration::from_millis(*millis.end());
    if (least..=most).contains(&time) {
        return Ok(());
    }
    Err(SettingFault::new(key, format!("{time:?}"), allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_bounds_is_named_with_its_value_and_what_is_allowed() {
        assert_eq!(ControlConfig::default().check(), Ok(()));
        let config = ControlConfig { tick: Duration::ZERO, ..ControlConfig::default() };
        let fault = config.check().unwrap_err();
        assert_eq!(fault, SettingFault::new("control.tick", "0ns", "10ms to 10s"));
    }

    #[test]
    fn every_controller_has_a_mode_of_its_own_and_one_call_sets_all() {
        let mut config = ControlConfig::default();
        config.set_mode(Mode::Off);
        assert!(config.modes().iter().all(|(_, mode)| **mode == Mode::Off));
        config.set_mode_of("hotspot", Mode::Observe).unwrap();
        assert_eq!((config.hotspot, config.valve), (Mode::Observe, Mode::Off));
        // Whatever in a file is written as a mode can be set by name.
        let file = toml::Table::try_from(&config).unwrap();
        let written = file
            .iter()
            .filter(|(_, value)| value.as_str().is_some_and(|text| text.parse::<Mode>().is_ok()));
        assert_eq!(written.count(), config.modes().len());
        let error = config.set_mode_of("valv", Mode::On).unwrap_err().to_string();
        assert!(error.starts_with("`valv` is no controller: write one of pool_size, "), "{error}");
    }

    #[test]
    fn what_is_hot_is_checked_by_name() {
        let hot = |text: &str| toml::from_str::<ControlConfig>(text).unwrap().check();
        assert_eq!(hot("hot = { threshold = 0.8, least = 2, of = 2 }"), Ok(()));
        for (text, key, value) in [
            ("hot.threshold = nan", "control.hot.threshold", "NaN"),
            ("hot.threshold = 0", "control.hot.threshold", "0"),
            ("hot.threshold = 1.5", "control.hot.threshold", "1.5"),
            ("hot.of = 1", "control.hot.of", "1"),
            ("hot.of = 1001", "control.hot.of", "1001"),
            ("hot.least = 0", "control.hot.least", "0"),
            ("hot.least = 6", "control.hot.least", "6"),
        ] {
            let fault = hot(text).unwrap_err();
            assert_eq!((fault.key.as_str(), fault.value.as_str()), (key, value), "{text}");
            assert!(!fault.allowed.is_empty());
        }
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
