//! What arrives beside plain requests: events of timers, and events with keys.

use super::ArrivalsSpec;
use super::bounds::{check_rate, check_share, one_of};
use super::error::SpecError;
use super::stage::StageSpec;
use serde::{Deserialize, Serialize};

/// Events that enter a stage beside the requests: those of a timer, or of a stage that sends to
/// itself for ever. Nothing waits for their ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TimerSpec {
    /// The stage that they enter.
    pub stage: String,
    /// Events per second, up to 10,000,000; their gaps are exponential.
    pub rate: f64,
}

/// A keyed stage: the events of one key are handled one at a time, in the order of their sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KeySpec {
    /// The stage.
    pub stage: String,
    /// The share of its events that have the hottest key, 0 to 1. The others have keys that are
    /// equally frequent.
    pub hot: f64,
}

impl TimerSpec {
    /// Returns a timer of `rate` events per second.
    pub fn new(stage: &str, rate: f64) -> Self {
        Self { stage: stage.to_owned(), rate }
    }
}

impl KeySpec {
    /// Returns the keys of a stage, of which one has the share `hot`.
    pub fn new(stage: &str, hot: f64) -> Self {
        Self { stage: stage.to_owned(), hot }
    }
}

impl ArrivalsSpec {
    /// Checks the timers and the keys against the stages.
    pub(super) fn check_beside(&self, stages: &[StageSpec]) -> Result<(), SpecError> {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        for timer in &self.timers {
            check_rate("arrivals.timers.rate", timer.rate)?;
            if !names.contains(&timer.stage.as_str()) {
                return Err(unknown("timers", &timer.stage, &names));
            }
        }
        for keys in &self.keys {
            check_share("arrivals.keys.hot", keys.hot, 1.0)?;
            let stage = stages.iter().find(|stage| stage.name == keys.stage);
            let Some(stage) = stage else {
                return Err(unknown("keys", &keys.stage, &names));
            };
            if stage.replicas.is_some() {
                let allowed = "a stage without replicas";
                return Err(SpecError::value("arrivals.keys.stage", &keys.stage, allowed));
            }
        }
        Ok(())
    }

    /// Returns the share of the hottest key of a stage; `None` if the stage is not keyed.
    pub(crate) fn hot_key(&self, stage: &str) -> Option<f64> {
        self.keys.iter().find(|keys| keys.stage == stage).map(|keys| keys.hot)
    }
}

fn unknown(list: &str, stage: &str, known: &[&str]) -> SpecError {
    SpecError::value(format!("arrivals.{list}.stage"), stage, one_of(known))
}
