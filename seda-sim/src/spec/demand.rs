//! How long an event's service takes when nobody else wants the core.

use super::check::{SpecError, check_duration};
use super::quantiles;
use super::trace::column;
use crate::base::rng::Dice;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a service may take: an hour is more than anybody waits for.
const SERVICE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

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
    /// Between measured quantiles.
    Quantiles {
        /// Pairs of a share, from 0 to 1, and the seconds that so many took at most; both ascend.
        points: Vec<(f64, f64)>,
    },
    /// What the trace of the arrivals says of each request.
    Trace {
        /// First and second moment of what it says, as [`Spec::with_trace`] has found them.
        ///
        /// [`Spec::with_trace`]: super::Spec::with_trace
        #[serde(skip)]
        moments: (f64, f64),
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
            Demand::Quantiles { points } => quantiles::moments(points),
            Demand::Trace { moments } => *moments,
        }
    }

    /// One demand, in nanoseconds; nothing of what a trace says, for that is known.
    pub(crate) fn draw(&self, dice: &mut Dice) -> f64 {
        let seconds = match self {
            Demand::Quantiles { points } => quantiles::at(points, dice.unit()),
            Demand::Trace { .. } => 0.0,
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

    /// Whether it is what a trace says.
    pub(crate) fn is_traced(&self) -> bool {
        matches!(self, Demand::Trace { .. })
    }

    pub(super) fn load(
        &mut self,
        stage: &str,
        read: &dyn Fn(&Path) -> Result<String, SpecError>,
    ) -> Result<(), SpecError> {
        if let Demand::Empirical { seconds, file: Some(file) } = self {
            if !seconds.is_empty() {
                let key = format!("stage.{stage}.demand.seconds");
                return Err(SpecError::value(key, "set", "either `seconds` or `file`"));
            }
            *seconds = column(&read(file)?, 0, &format!("stage.{stage}.demand.file"))?;
        }
        Ok(())
    }

    pub(super) fn check(&self, stage: &str) -> Result<(), SpecError> {
        let key = |name: &str| format!("stage.{stage}.demand.{name}");
        let service = |name: &str, time: &Duration| check_duration(key(name), *time, SERVICE);
        let share = |name: &str, value: f64, most: f64| match (0.0..=most).contains(&value) {
            true => Ok(()),
            false => Err(SpecError::value(key(name), value, format!("0 to {most}"))),
        };
        match self {
            Demand::Deterministic { mean } | Demand::Exponential { mean } => service("mean", mean),
            Demand::Lognormal { mean, sigma } => {
                service("mean", mean)?;
                share("sigma", *sigma, 5.0)
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                service("fast", fast)?;
                service("slow", slow)?;
                share("slow_share", *slow_share, 1.0)
            }
            Demand::Empirical { seconds, .. } if seconds.is_empty() => {
                Err(SpecError::value(key("seconds"), "none", "one at least"))
            }
            Demand::Empirical { seconds, .. } => check_seconds(&key("seconds"), seconds),
            Demand::Quantiles { points } => quantiles::check(&key("points"), points),
            Demand::Trace { .. } => Ok(()),
        }
    }
}

/// Checks services that are given as seconds.
pub(super) fn check_seconds(key: &str, seconds: &[f64]) -> Result<(), SpecError> {
    match seconds.iter().find(|s| !(0.0..=SERVICE.end().as_secs_f64()).contains(*s)) {
        Some(odd) => Err(SpecError::value(key, odd, "0 to 3600 seconds each")),
        None => Ok(()),
    }
}
