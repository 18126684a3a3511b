//! Classes of requests.

use super::arrivals::check_rate;
use super::check::{PATIENCE, SpecError, check_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A class of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClassSpec {
    /// Its name.
    pub name: String,
    /// How many events it may take out of a queue in its turn.
    #[serde(default = "one")]
    pub weight: u32,
    /// Its part of the arrivals, relative to the other classes'.
    #[serde(default = "whole")]
    pub share: f64,
    /// Requests of it per second, beside the arrivals that are shared.
    #[serde(default)]
    pub rate: Option<f64>,
    /// After how long an answer is worthless: then it is shed where it waits.
    #[serde(default, with = "humantime_serde")]
    pub deadline: Option<Duration>,
}

fn one() -> u32 {
    1
}

fn whole() -> f64 {
    1.0
}

impl Default for ClassSpec {
    fn default() -> Self {
        Self::named("default")
    }
}

impl ClassSpec {
    /// A class like any other.
    pub fn named(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, weight: one(), share: whole(), rate: None, deadline: None }
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        let key = |name: &str| format!("class.{}.{name}", self.name);
        if !(0.0..=1e6).contains(&self.share) {
            return Err(SpecError::value(key("share"), self.share, "0 to 1000000"));
        }
        if let Some(deadline) = self.deadline {
            check_duration(key("deadline"), deadline, PATIENCE)?;
        }
        self.rate.map_or(Ok(()), |rate| check_rate(&key("rate"), rate))
    }
}
