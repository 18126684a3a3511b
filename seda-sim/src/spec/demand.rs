//! How long an event's service takes when nobody else wants the core.

use super::check::SpecError;
use crate::dice::Dice;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A distribution of service demands. What is drawn is at least nothing.
///
/// ```toml
/// demand = { kind = "bimodal", fast = "1ms", slow = "20ms", slow_share = 0.05 }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Demand {
    /// Always the same.
    Deterministic {
        /// The demand.
        #[serde(with = "humantime_serde")]
        mean: Duration,
    },
    /// Without memory.
    Exponential {
        /// The mean.
        #[serde(with = "humantime_serde")]
        mean: Duration,
    },
    /// Whose logarithm is normal: a long tail.
    Lognormal {
        /// The mean (not the median).
        #[serde(with = "humantime_serde")]
        mean: Duration,
        /// Deviation of the logarithm, 0 to 5.
        sigma: f64,
    },
    /// Most fast, some slow: a cache that misses.
    Bimodal {
        /// The fast ones.
        #[serde(with = "humantime_serde")]
        fast: Duration,
        /// The slow ones.
        #[serde(with = "humantime_serde")]
        slow: Duration,
        /// How many are slow, 0 to 1.
        slow_share: f64,
    },
    /// As measured: each as likely as the other.
    Empirical {
        /// Seconds.
        #[serde(default)]
        seconds: Vec<f64>,
        /// A file with a number of seconds in each line, instead.
        #[serde(default)]
        file: Option<PathBuf>,
    },
}

impl Demand {
    /// Mean in seconds.
    pub fn mean(&self) -> f64 {
        self.moments().0
    }

    /// First and second moment, in seconds and their square.
    pub fn moments(&self) -> (f64, f64) {
        match self {
            Demand::Deterministic { mean } => {
                let mean = mean.as_secs_f64();
                (mean, mean * mean)
            }
            Demand::Exponential { mean } => {
                let mean = mean.as_secs_f64();
                (mean, 2.0 * mean * mean)
            }
            Demand::Lognormal { mean, sigma } => {
                let mean = mean.as_secs_f64();
                (mean, mean * mean * (sigma * sigma).exp())
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                let (fast, slow) = (fast.as_secs_f64(), slow.as_secs_f64());
                let of = |f: f64, s: f64| (1.0 - slow_share) * f + slow_share * s;
                (of(fast, slow), of(fast * fast, slow * slow))
            }
            Demand::Empirical { seconds, .. } => {
                let n = seconds.len().max(1) as f64;
                let squares = seconds.iter().map(|s| s * s).sum::<f64>();
                (seconds.iter().sum::<f64>() / n, squares / n)
            }
        }
    }

    /// One demand, in nanoseconds.
    pub(crate) fn draw(&self, dice: &mut Dice) -> f64 {
        let seconds = match self {
            Demand::Deterministic { mean } => mean.as_secs_f64(),
            Demand::Exponential { mean } => mean.as_secs_f64() * dice.exponential(),
            Demand::Lognormal { mean, sigma } => {
                mean.as_secs_f64() * (sigma * dice.normal() - sigma * sigma / 2.0).exp()
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                if dice.unit() < *slow_share { slow } else { fast }.as_secs_f64()
            }
            Demand::Empirical { seconds, .. } => {
                seconds.get(dice.below(seconds.len())).copied().unwrap_or(0.0)
            }
        };
        seconds * 1e9
    }

    pub(super) fn load(
        &mut self,
        stage: &str,
        read: &dyn Fn(&Path) -> Result<String, SpecError>,
    ) -> Result<(), SpecError> {
        if let Demand::Empirical { seconds, file: Some(file) } = self {
            *seconds = numbers(&read(file)?, &format!("stage.{stage}.demand.file"))?;
        }
        Ok(())
    }

    pub(super) fn check(&self, stage: &str) -> Result<(), SpecError> {
        let key = |name: &str| format!("stage.{stage}.demand.{name}");
        let bad =
            |name: &str, value: f64, allowed| Err(SpecError::value(key(name), value, allowed));
        match self {
            Demand::Lognormal { sigma, .. } if !(0.0..=5.0).contains(sigma) => {
                bad("sigma", *sigma, "0 to 5")
            }
            Demand::Bimodal { slow_share, .. } if !(0.0..=1.0).contains(slow_share) => {
                bad("slow_share", *slow_share, "0 to 1")
            }
            Demand::Empirical { seconds, .. } => {
                if seconds.is_empty() {
                    return Err(SpecError::value(key("seconds"), "none", "one at least"));
                }
                match seconds.iter().find(|s| !(0.0..=3600.0).contains(*s)) {
                    Some(odd) => bad("seconds", *odd, "0 to 3600 each"),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// The first number of each line; empty lines and those that begin with `#` are passed over.
pub(super) fn numbers(text: &str, key: &str) -> Result<Vec<f64>, SpecError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with('#'));
    let number = |line: &str| {
        let first = line.split('\t').next().unwrap_or_default().trim();
        first.parse().map_err(|_| SpecError::value(key, first, "a number of seconds in each line"))
    };
    lines.map(number).collect()
}
