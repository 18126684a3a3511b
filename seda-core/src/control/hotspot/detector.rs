//! Detects values that are high and stay high.

use crate::config::HotspotConfig;
use std::collections::VecDeque;
use std::fmt;

/// A flag that was set or removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HotspotChange {
    /// True if it was set.
    pub hot: bool,
    /// How many of the last observations are on the new side of the threshold.
    pub count: usize,
    /// The number of observations remembered.
    pub of: usize,
    /// The value expected next.
    pub predicted: f64,
    /// The threshold.
    pub threshold: f64,
}

/// Distinguishes a pool that stays hot from one that was hot for a moment.
///
/// The flag is set when `least` of the last `of` observations exceed the threshold and the next one
/// is predicted to exceed it. It is removed when `least` are at or below it and the prediction is,
/// too. So a peak that is over sets no flag, and a flag does not flicker. Setting follows Wood et
/// al., "Black-box and Gray-box Strategies for Virtual Machine Migration" (NSDI 2007).
///
/// The prediction is AR(1) over the remembered observations: mean + φ · (last − mean), with φ the
/// autocorrelation at lag 1 (Yule–Walker), which is always below 1. It is clamped to the lowest and
/// highest of them. So if all of them are on one side, the prediction is too, and a pool that stays
/// hot is flagged after `of` observations at the latest.
///
/// Pure: the same observations give the same answers. An observation costs O(`of`).
#[derive(Clone, Debug)]
pub(crate) struct Hotspot {
    config: HotspotConfig,
    last: VecDeque<f64>,
    hot: bool,
}

impl Hotspot {
    /// Starts without a flag. `of` is at least 2, and `least` is clamped to 1 and `of`.
    pub(crate) fn new(config: HotspotConfig) -> Self {
        let of = config.of.max(2);
        let config = HotspotConfig { of, least: config.least.clamp(1, of), ..config };
        Self { config, last: VecDeque::with_capacity(of), hot: false }
    }

    /// Adds an observation; returns the change of the flag, if any. Infinity and NaN are ignored.
    pub(crate) fn observe(&mut self, value: f64) -> Option<HotspotChange> {
        let HotspotConfig { threshold, least, of } = self.config;
        if !value.is_finite() {
            return None;
        }
        if self.last.len() >= of {
            self.last.pop_front();
        }
        self.last.push_back(value);
        let predicted = self.predicted()?;
        let hot = !self.hot;
        let count = self.last.iter().filter(|value| (**value > threshold) == hot).count();
        if count < least || (predicted > threshold) != hot {
            return None;
        }
        self.hot = hot;
        Some(HotspotChange { hot, count, of: self.last.len(), predicted, threshold })
    }

    /// The settings in force.
    pub(crate) fn config(&self) -> HotspotConfig {
        self.config
    }

    /// Returns whether the flag is set.
    pub(crate) fn is_hot(&self) -> bool {
        self.hot
    }

    /// Returns the value expected next; `None` before the first observation.
    pub(crate) fn predicted(&self) -> Option<f64> {
        let last = *self.last.back()?;
        let values = || self.last.iter().copied();
        let (low, high) = (values().fold(last, f64::min), values().fold(last, f64::max));
        // Values are scaled to 1, so that their squares cannot overflow.
        let scale = values().fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
        let count = self.last.len() as f64;
        let mean = values().map(|value| value / scale / count).sum::<f64>();
        let off = || values().map(|value| value / scale - mean);
        let variance: f64 = off().map(|off| off * off).sum();
        let covariance: f64 = off().zip(off().skip(1)).map(|(one, next)| one * next).sum();
        // Equal values have no autocorrelation: the prediction is their mean.
        let phi = if variance > 0.0 { covariance / variance } else { 0.0 };
        let next = (mean + phi * (last / scale - mean)) * scale;
        Some(next.clamp(low, high))
    }
}

impl fmt::Display for HotspotChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hot, count, of, predicted, threshold } = self;
        let side = if *hot { "above" } else { "not above" };
        write!(f, "{count} of the last {of} {side} {threshold:.2}, next expected {predicted:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The observations, counted from 1, at which the flag changed.
    fn changes(config: HotspotConfig, values: &[f64]) -> Vec<(usize, bool)> {
        let mut spot = Hotspot::new(config);
        let changes = values.iter().map(|value| spot.observe(*value)).enumerate();
        changes.filter_map(|(n, change)| change.map(|change| (n + 1, change.hot))).collect()
    }

    #[test]
    fn a_pool_that_becomes_and_stays_hot_is_flagged_once_and_unflagged_once() {
        let load = [[0.3; 10], [1.0; 10], [0.3; 10]].concat();
        let changes = changes(HotspotConfig::default(), &load);
        assert_eq!(changes, [(15, true), (23, false)]);
    }

    #[test]
    fn a_peak_that_is_over_sets_no_flag() {
        // Three of five are hot, and the next is predicted to be cool.
        let load = [0.2, 0.2, 1.0, 1.0, 1.0, 0.2, 0.2, 0.2];
        assert_eq!(changes(HotspotConfig::default(), &load), []);
    }

    #[test]
    fn single_hot_observations_set_no_flag() {
        let load: Vec<f64> = (0..1_000).map(|n| if n % 3 == 0 { 1.0 } else { 0.5 }).collect();
        assert_eq!(changes(HotspotConfig::default(), &load), []);
    }

    #[test]
    fn the_prediction_is_that_of_ar1() {
        let mut spot = Hotspot::new(HotspotConfig { of: 4, ..HotspotConfig::default() });
        for value in [1.0, 2.0, 3.0, 4.0] {
            spot.observe(value);
        }
        // Mean 2.5, offsets -1.5 -0.5 0.5 1.5: φ = (0.75 − 0.25 + 0.75) / 5 = 0.25.
        assert!((spot.predicted().unwrap() - 2.875).abs() < 1e-12);
    }

    #[test]
    fn a_change_states_its_evidence() {
        let mut spot = Hotspot::new(HotspotConfig { least: 2, of: 2, threshold: 0.9 });
        assert_eq!(spot.observe(1.0), None);
        let change = spot.observe(1.0).unwrap().to_string();
        assert_eq!(change, "2 of the last 2 above 0.90, next expected 1.00");
    }

    #[test]
    fn infinity_and_nan_change_nothing() {
        let mut spot = Hotspot::new(HotspotConfig { least: 1, of: 2, threshold: 0.9 });
        assert!(spot.observe(1.0).is_some());
        assert_eq!((spot.observe(f64::NAN), spot.observe(f64::NEG_INFINITY)), (None, None));
        assert!(spot.is_hot() && spot.predicted() == Some(1.0));
    }

    #[test]
    fn an_md1_queue_is_hot_above_its_capacity_and_not_at_half_of_it() {
        // Waits by Lindley's recursion. One observation is the mean wait of 100 arrivals, over a
        // target of ten service times.
        let flagged = |load: f64| {
            let mut rng = 7_u64;
            let mut wait = 0.0_f64;
            let mut spot = Hotspot::new(HotspotConfig { threshold: 1.0, ..Default::default() });
            let ticks = (0..500).map(|_| {
                let waits = (0..100).map(|_| {
                    rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let uniform = ((rng >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
                    wait = (wait + 1.0 + uniform.ln() / load).max(0.0);
                    wait / 10.0
                });
                let mean = waits.sum::<f64>() / 100.0;
                spot.observe(mean);
                usize::from(spot.is_hot())
            });
            ticks.sum::<usize>()
        };
        assert_eq!(flagged(0.5), 0);
        assert!(flagged(1.2) > 490);
    }

    proptest! {
        #[test]
        fn values_on_one_side_decide_the_flag_once_all_remembered_ones_are_there(
            before in proptest::collection::vec(0.0..10.0_f64, 0..20),
            hot in any::<bool>(),
            (least, of) in (0_usize..10, 0_usize..10),
            after in proptest::collection::vec(0.01..9.0_f64, 10),
        ) {
            let mut spot = Hotspot::new(HotspotConfig { threshold: 1.0, least, of });
            for value in before {
                spot.observe(value);
            }
            for value in after {
                spot.observe(if hot { 1.0 + value } else { 1.0 - value });
            }
            prop_assert_eq!(spot.is_hot(), hot);
        }

        #[test]
        fn the_prediction_is_within_the_observations_and_flags_alternate(
            config in (proptest::num::f64::ANY, any::<usize>(), 0_usize..50),
            values in proptest::collection::vec(proptest::num::f64::ANY, 1..100),
        ) {
            let (threshold, least, of) = config;
            let mut spot = Hotspot::new(HotspotConfig { threshold, least, of });
            let mut hot = false;
            for value in &values {
                if let Some(change) = spot.observe(*value) {
                    prop_assert_eq!(change.hot, !hot);
                    hot = change.hot;
                }
                let finite = || values.iter().copied().filter(|value| value.is_finite());
                if let Some(next) = spot.predicted() {
                    prop_assert!(finite().any(|value| value <= next));
                    prop_assert!(finite().any(|value| value >= next));
                }
            }
        }
    }
}
