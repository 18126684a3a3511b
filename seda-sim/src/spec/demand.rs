//! Service demands: how long a service takes on a core of its own.

use super::bounds::{SERVICE, check_duration, check_seconds, check_share};
use super::error::SpecError;
use super::moments::Moments;
use super::quantiles;
use super::trace::read_column;
use crate::base::rng::Rng;
use seda_core::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most that one other request may lengthen a demand by, as a multiple of it. A larger one is a
/// slip: with two requests inside, none would end.
const MOST_GROWTH: f64 = 1_000.0;

/// A distribution of service demands; every demand is from 0 to an hour.
///
/// ```
/// use seda_sim::spec::Demand;
///
/// let text = "kind = 'bimodal'\nfast = '1ms'\nslow = '20ms'\nslow_share = 0.05";
/// let demand: Demand = toml::from_str(text)?;
/// assert!((demand.mean() - 0.001_95).abs() < 1e-9);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Demand {
    /// Every demand is the same.
    Deterministic {
        /// The demand.
        #[serde(with = "humantime_serde")]
        mean: Duration,
    },
    /// The exponential distribution.
    Exponential {
        /// The mean.
        #[serde(with = "humantime_serde")]
        mean: Duration,
    },
    /// The lognormal distribution, which has a long tail.
    Lognormal {
        /// The mean (not the median).
        #[serde(with = "humantime_serde")]
        mean: Duration,
        /// Standard deviation of the logarithm, 0 to 5.
        sigma: f64,
    },
    /// Two demands, as of a cache that hits or misses.
    Bimodal {
        /// The short demand.
        #[serde(with = "humantime_serde")]
        fast: Duration,
        /// The long demand.
        #[serde(with = "humantime_serde")]
        slow: Duration,
        /// Share of the long demands, 0 to 1.
        slow_share: f64,
    },
    /// Measured demands, each equally likely.
    Empirical {
        /// The demands in seconds.
        #[serde(default)]
        seconds: Vec<f64>,
        /// A file with a number of seconds in each line, in place of `seconds`.
        #[serde(default)]
        file: Option<PathBuf>,
    },
    /// Demands between measured quantiles.
    Quantiles {
        /// Pairs of a share and the seconds within which this share of services ends. Both ascend,
        /// and shares go from 0 to 1.
        points: Vec<(f64, f64)>,
    },
    /// Demands of a stage with a cache, which a miss refills. The cache is full at first, and all
    /// keys are requested equally often. Moments and capacity are those of a cold cache.
    Cached {
        /// The mean of a hit; hits are exponential.
        #[serde(with = "humantime_serde")]
        hit: Duration,
        /// The mean of a miss; misses are exponential. A miss stores its key when its service
        /// begins.
        #[serde(with = "humantime_serde")]
        miss: Duration,
        /// The number of keys, 1 and more.
        keys: u32,
        /// The share of requests that have no key and always miss, 0 to 1.
        #[serde(default)]
        uncached: f64,
    },
    /// Demands that lengthen with the number of requests inside the graph, N: the universal
    /// scalability law `alone` x (1 + `contention` x (N - 1) + `coherence` x N x (N - 1)) (Gunther
    /// 1993). Moments and capacity are those of a request alone.
    Contended {
        /// The demand of a request alone.
        #[serde(with = "humantime_serde")]
        alone: Duration,
        /// The growth by each other request, as by a lock: 0 to 1,000.
        #[serde(default)]
        contention: f64,
        /// The growth by each pair of requests, as by caches that exchange lines: 0 to 1,000.
        #[serde(default)]
        coherence: f64,
    },
    /// The demand of each request in the trace of the arrivals.
    Trace {
        /// Moments of the demands in the trace, set by [`Spec::with_trace`].
        ///
        /// [`Spec::with_trace`]: super::Spec::with_trace
        #[serde(skip)]
        moments: Moments,
    },
}

impl Demand {
    /// Returns the mean, in seconds.
    pub fn mean(&self) -> f64 {
        self.moments().mean
    }

    /// Returns the first two moments.
    pub fn moments(&self) -> Moments {
        match self {
            Demand::Deterministic { mean } => {
                let mean = mean.as_secs_f64();
                Moments { mean, mean_square: mean * mean }
            }
            Demand::Exponential { mean } => {
                let mean = mean.as_secs_f64();
                Moments { mean, mean_square: 2.0 * mean * mean }
            }
            Demand::Lognormal { mean, sigma } => {
                let mean = mean.as_secs_f64();
                Moments { mean, mean_square: mean * mean * (sigma * sigma).exp() }
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                let (fast, slow) = (fast.as_secs_f64(), slow.as_secs_f64());
                let fast_share = 1.0 - slow_share;
                Moments {
                    mean: fast_share * fast + slow_share * slow,
                    mean_square: fast_share * (fast * fast) + slow_share * (slow * slow),
                }
            }
            Demand::Empirical { seconds, .. } => Moments::of_sample(seconds),
            Demand::Quantiles { points } => quantiles::moments(points),
            Demand::Cached { miss, .. } => Demand::Exponential { mean: *miss }.moments(),
            Demand::Contended { alone, .. } => Demand::Deterministic { mean: *alone }.moments(),
            Demand::Trace { moments } => *moments,
        }
    }

    /// Returns the demand with every time multiplied by `factor`. Keys and shares stay, and so do
    /// the times of a trace.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let times = |time: &Duration| time.mul_f64(factor);
        match self {
            Demand::Deterministic { mean } => Demand::Deterministic { mean: times(mean) },
            Demand::Exponential { mean } => Demand::Exponential { mean: times(mean) },
            Demand::Lognormal { mean, sigma } => {
                Demand::Lognormal { mean: times(mean), sigma: *sigma }
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                Demand::Bimodal { fast: times(fast), slow: times(slow), slow_share: *slow_share }
            }
            Demand::Empirical { seconds, file } => Demand::Empirical {
                seconds: seconds.iter().map(|seconds| seconds * factor).collect(),
                file: file.clone(),
            },
            Demand::Quantiles { points } => Demand::Quantiles {
                points: points.iter().map(|(share, seconds)| (*share, seconds * factor)).collect(),
            },
            Demand::Cached { hit, miss, keys, uncached } => Demand::Cached {
                hit: times(hit),
                miss: times(miss),
                keys: *keys,
                uncached: *uncached,
            },
            Demand::Contended { alone, contention, coherence } => Demand::Contended {
                alone: times(alone),
                contention: *contention,
                coherence: *coherence,
            },
            Demand::Trace { moments } => Demand::Trace { moments: *moments },
        }
    }

    /// Returns the measured distribution: with the shape of `summary` and the mean `mean`, in
    /// seconds.
    pub(super) fn measured(summary: &QuantileSummary, mean: f64) -> Self {
        Demand::Quantiles { points: quantiles::fit(summary, mean) }
    }

    /// Draws one demand, in nanoseconds: of a miss if there is a cache, and of a request alone if
    /// others lengthen it. 0 for a trace, because its demands are known.
    pub(crate) fn draw(&self, rng: &mut Rng) -> f64 {
        let seconds = match self {
            Demand::Quantiles { points } => quantiles::value_at(points, rng.unit()),
            Demand::Trace { .. } => 0.0,
            Demand::Deterministic { mean: demand } | Demand::Contended { alone: demand, .. } => {
                demand.as_secs_f64()
            }
            Demand::Exponential { mean } | Demand::Cached { miss: mean, .. } => {
                mean.as_secs_f64() * rng.exponential()
            }
            Demand::Lognormal { mean, sigma } => {
                mean.as_secs_f64() * (sigma * rng.normal() - sigma * sigma / 2.0).exp()
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                if rng.unit() < *slow_share { slow } else { fast }.as_secs_f64()
            }
            Demand::Empirical { seconds, .. } => {
                seconds.get(rng.below(seconds.len())).copied().unwrap_or(0.0)
            }
        };
        seconds * 1e9
    }

    /// Returns the factor of a demand that begins with `inside` requests inside the graph, itself
    /// included.
    pub(crate) fn stretch(&self, inside: u64) -> f64 {
        match self {
            Demand::Contended { contention, coherence, .. } => {
                let n = inside.max(1) as f64;
                1.0 + contention * (n - 1.0) + coherence * n * (n - 1.0)
            }
            _ => 1.0,
        }
    }

    /// Returns whether a cache shortens the demands.
    pub(crate) fn is_cached(&self) -> bool {
        matches!(self, Demand::Cached { .. })
    }

    /// Returns whether the requests inside lengthen the demands.
    pub(crate) fn is_contended(&self) -> bool {
        matches!(self, Demand::Contended { .. })
    }

    /// Returns whether the trace of the arrivals has the demands.
    pub(crate) fn is_traced(&self) -> bool {
        matches!(self, Demand::Trace { .. })
    }

    /// Reads the file of an empirical distribution.
    pub(super) fn load(
        &mut self,
        stage: &str,
        read: &dyn Fn(&Path) -> Result<String, SpecError>,
    ) -> Result<(), SpecError> {
        if let Demand::Empirical { seconds, file: Some(file) } = self {
            if !seconds.is_empty() {
                let key = demand_key(stage, "seconds");
                return Err(SpecError::value(key, "set", "either `seconds` or `file`"));
            }
            *seconds = read_column(&read(file)?, 0, &demand_key(stage, "file"))?;
        }
        Ok(())
    }

    pub(super) fn check(&self, stage: &str) -> Result<(), SpecError> {
        match self {
            Demand::Deterministic { mean } | Demand::Exponential { mean } => {
                check_duration(demand_key(stage, "mean"), *mean, SERVICE)
            }
            Demand::Lognormal { mean, sigma } => {
                check_duration(demand_key(stage, "mean"), *mean, SERVICE)?;
                check_share(demand_key(stage, "sigma"), *sigma, 5.0)
            }
            Demand::Bimodal { fast, slow, slow_share } => {
                check_duration(demand_key(stage, "fast"), *fast, SERVICE)?;
                check_duration(demand_key(stage, "slow"), *slow, SERVICE)?;
                check_share(demand_key(stage, "slow_share"), *slow_share, 1.0)
            }
            Demand::Empirical { seconds, .. } if seconds.is_empty() => {
                Err(SpecError::value(demand_key(stage, "seconds"), "none", "one at least"))
            }
            Demand::Empirical { seconds, .. } => {
                check_seconds(&demand_key(stage, "seconds"), seconds)
            }
            Demand::Cached { hit, miss, keys, uncached } => {
                check_duration(demand_key(stage, "hit"), *hit, SERVICE)?;
                check_duration(demand_key(stage, "miss"), *miss, SERVICE)?;
                check_share(demand_key(stage, "uncached"), *uncached, 1.0)?;
                if *keys == 0 {
                    return Err(SpecError::value(demand_key(stage, "keys"), 0, "1 and more"));
                }
                Ok(())
            }
            Demand::Contended { alone, contention, coherence } => {
                check_duration(demand_key(stage, "alone"), *alone, SERVICE)?;
                check_share(demand_key(stage, "contention"), *contention, MOST_GROWTH)?;
                check_share(demand_key(stage, "coherence"), *coherence, MOST_GROWTH)
            }
            Demand::Quantiles { points } => quantiles::check(&demand_key(stage, "points"), points),
            Demand::Trace { .. } => Ok(()),
        }
    }
}

/// Returns the key of a demand's setting in errors.
fn demand_key(stage: &str, name: &str) -> String {
    format!("stage.{stage}.demand.{name}")
}
