//! What arrives beside requests: the events of timers.

use super::bounds::{check_rate, one_of};
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

impl TimerSpec {
    /// Returns a timer of `rate` events per second.
    pub fn new(stage: &str, rate: f64) -> Self {
        Self { stage: stage.to_owned(), rate }
    }
}

/// Checks timers against the stages.
pub(super) fn check(timers: &[TimerSpec], stages: &[StageSpec]) -> Result<(), SpecError> {
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    for timer in timers {
        check_rate("arrivals.timers.rate", timer.rate)?;
        if !names.contains(&timer.stage.as_str()) {
            let key = "arrivals.timers.stage";
            return Err(SpecError::value(key, &timer.stage, one_of(&names)));
        }
    }
    Ok(())
}
