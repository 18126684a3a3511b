//! Settings of the controllers, and the mode of each.

use crate::config::fault::SettingFault;
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
    /// Decides and acts.
    #[default]
    On,
    /// Decides, and journals the action without taking it.
    Observe,
    /// Does nothing.
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

/// The name of a controller that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is not a controller: write one of {known}")]
#[non_exhaustive]
pub struct UnknownController {
    name: String,
    known: String,
}

/// Settings of the controllers; every one has a default.
///
/// ```
/// use seda_core::{ControlConfig, Mode};
///
/// let mut control = ControlConfig::default();
/// control.set_mode_of("admission", Mode::Observe)?;
/// assert_eq!(control.admission, Mode::Observe);
/// # Ok::<(), seda_core::UnknownController>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { tick = \"100ms\" }")]
pub struct ControlConfig {
    /// Interval between two ticks of the controllers, 10 ms to 10 s. Default: 100 ms, which follows
    /// a step in load before a client notices, and costs less than a thousandth of a core.
    #[serde(with = "units::duration")]
    pub tick: Duration,
    /// Sizing of pools.
    pub pool_size: Mode,
    /// Sizing of the number of events outside, for stages that bound it
    /// ([`StageConfig::outstanding`](crate::config::StageConfig::outstanding)). Off keeps the
    /// number in force.
    pub outstanding: Mode,
    /// Sizing of batches, within each stage's `batch` setting.
    pub batch_size: Mode,
    /// Admission: an overload is refused at the entry, and with an SLO
    /// ([`SloConfig`](crate::config::SloConfig)) what cannot be answered in time.
    pub admission: Mode,
    /// The law of admission.
    pub law: Law,
    /// The overload valve.
    pub valve: Mode,
    /// Active queue management of stages that ask for it
    /// ([`StageConfig::codel`](crate::config::StageConfig::codel) and
    /// [`StageConfig::newest_first_above`](crate::config::StageConfig::newest_first_above)).
    pub queue_delay: Mode,
    /// Detection of hot pools: it flags them and changes nothing.
    pub hotspot: Mode,
    /// The utilization at which a pool is hot.
    pub hot: HotspotConfig,
    /// The victim at the budget.
    pub overload: OverloadPolicy,
    /// The wait in a queue above which its pool grows. Default: 5 ms, CoDel's target (Nichols and
    /// Jacobson 2012): shorter queues are bursts, longer ones stand.
    #[serde(with = "units::duration")]
    pub wait_target: Duration,
    /// The time without need after which a pool shrinks by one worker. Default: 5 s, the figure of
    /// the SEDA paper (SOSP 2001, section 4.2).
    #[serde(with = "units::duration")]
    pub idle_after: Duration,
    /// The time in one event after which a worker counts as stuck and is replaced; at most as many
    /// as the pool's maximum are. Default: 10 s, longer than any deadline of a server.
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
    /// Sets the mode of every controller.
    pub fn set_mode(&mut self, mode: Mode) {
        self.modes().into_iter().for_each(|(_, each)| *each = mode);
    }

    /// Sets the mode of one controller, by its key.
    ///
    /// # Errors
    /// [`UnknownController`] for any other name; its message lists the controllers.
    pub fn set_mode_of(&mut self, controller: &str, mode: Mode) -> Result<(), UnknownController> {
        let mut modes = self.modes();
        if let Some((_, mode_of)) = modes.iter_mut().find(|(name, _)| *name == controller) {
            **mode_of = mode;
            return Ok(());
        }
        let known = modes.map(|(name, _)| name).join(", ");
        Err(UnknownController { name: controller.to_owned(), known })
    }

    /// Returns the controllers with their keys.
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

    /// Returns the keys with their values, in the order of a file.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let Self {
            tick,
            pool_size,
            outstanding,
            batch_size,
            admission,
            law,
            valve,
            queue_delay,
            hotspot,
            hot,
            overload,
            wait_target,
            idle_after,
            stuck_after,
        } = self;
        vec![
            ("tick", format!("{tick:?}")),
            ("pool_size", pool_size.to_string()),
            ("outstanding", outstanding.to_string()),
            ("batch_size", batch_size.to_string()),
            ("admission", admission.to_string()),
            ("law", law.to_string()),
            ("valve", valve.to_string()),
            ("queue_delay", queue_delay.to_string()),
            ("hotspot", hotspot.to_string()),
            ("hot", hot.to_string()),
            ("overload", overload.to_string()),
            ("wait_target", format!("{wait_target:?}")),
            ("idle_after", format!("{idle_after:?}")),
            ("stuck_after", format!("{stuck_after:?}")),
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
    fn a_setting_out_of_bounds_is_named_with_its_value_and_its_bounds() {
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
        // Every key whose value is a mode can be set by its name.
        let file = toml::Table::try_from(&config).unwrap();
        let written = file
            .iter()
            .filter(|(_, value)| value.as_str().is_some_and(|text| text.parse::<Mode>().is_ok()));
        assert_eq!(written.count(), config.modes().len());
        let error = config.set_mode_of("valv", Mode::On).unwrap_err().to_string();
        assert!(
            error.starts_with("`valv` is not a controller: write one of pool_size, "),
            "{error}"
        );
    }

    #[test]
    fn every_bound_of_a_hot_pool_is_checked_by_name() {
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
