//! Draws of a graph's sizes.

use crate::base::rng::{Purpose, Rng};
use crate::spec::Demand;
use std::time::Duration;

/// The draws of one graph.
#[derive(Debug)]
pub(super) struct Draw(Rng);

/// A distribution of mean one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Deterministic,
    Exponential,
    Lognormal {
        sigma: f64,
    },
    /// A share of the demands takes `ratio` times as long as the others.
    Bimodal {
        ratio: f64,
        slow_share: f64,
    },
    /// A hit takes `hit` of a miss; `uncached` of the requests always miss.
    Cached {
        hit: f64,
        uncached: f64,
    },
}

/// The keys of a stage with a cache: few, so that it is warm after seconds.
const KEYS: u32 = 200;

impl Draw {
    pub(super) fn new(seed: u64, kind: usize) -> Self {
        Self(Rng::new(seed, Purpose::Graph(kind)))
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.0.unit()
    }

    /// Returns a whole number from `least` to `most`.
    pub(super) fn whole(&mut self, least: usize, most: usize) -> usize {
        least + self.0.below(most - least + 1)
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.0.unit() < share
    }

    /// Returns one of the values; the default of an empty list.
    pub(super) fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        all.get(self.0.below(all.len())).copied().unwrap_or_default()
    }

    /// Returns a distribution with a variance of at most twice the squared mean.
    pub(super) fn shape(&mut self) -> Shape {
        match self.whole(0, 3) {
            0 => Shape::Deterministic,
            1 => Shape::Exponential,
            2 => Shape::Lognormal { sigma: self.between(0.4, 1.0) },
            _ => Shape::Bimodal { ratio: self.between(4.0, 10.0), slow_share: 0.1 },
        }
    }
}

impl Shape {
    /// Returns the demand of this shape with a mean of `mean` seconds.
    pub(super) fn demand(self, mean: f64) -> Demand {
        let time = Duration::from_secs_f64;
        match self {
            Self::Deterministic => Demand::Deterministic { mean: time(mean) },
            Self::Exponential => Demand::Exponential { mean: time(mean) },
            Self::Lognormal { sigma } => Demand::Lognormal { mean: time(mean), sigma },
            Self::Bimodal { ratio, slow_share } => {
                let fast = mean / (1.0 - slow_share + slow_share * ratio);
                Demand::Bimodal { fast: time(fast), slow: time(fast * ratio), slow_share }
            }
            Self::Cached { hit, uncached } => {
                let miss = mean / (uncached + (1.0 - uncached) * hit);
                let (hit, miss) = (time(miss * hit), time(miss));
                Demand::Cached { hit, miss, keys: KEYS, uncached }
            }
        }
    }

    /// Returns the squared coefficient of variation.
    pub(super) fn scv(self) -> f64 {
        match self {
            Self::Cached { hit, uncached } => {
                let mean = uncached + (1.0 - uncached) * hit;
                2.0 * (uncached + (1.0 - uncached) * hit * hit) / (mean * mean) - 1.0
            }
            _ => {
                let moments = self.demand(1.0).moments();
                moments.mean_square / (moments.mean * moments.mean) - 1.0
            }
        }
    }
}

/// Returns the demand multiplied by `factor`. A trace's demands stay as they are.
pub(super) fn scaled(demand: &Demand, factor: f64) -> Demand {
    let mut scaled = demand.clone();
    match &mut scaled {
        Demand::Deterministic { mean }
        | Demand::Exponential { mean }
        | Demand::Lognormal { mean, .. }
        | Demand::Contended { alone: mean, .. } => *mean = mean.mul_f64(factor),
        Demand::Bimodal { fast: short, slow: long, .. }
        | Demand::Cached { hit: short, miss: long, .. } => {
            *short = short.mul_f64(factor);
            *long = long.mul_f64(factor);
        }
        Demand::Empirical { seconds, .. } => seconds.iter_mut().for_each(|s| *s *= factor),
        Demand::Quantiles { points } => points.iter_mut().for_each(|(_, s)| *s *= factor),
        Demand::Trace { .. } => {}
    }
    scaled
}
