//! A distribution of durations whose tail can be trusted.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The shortest duration told apart from zero: below it a clock read is a large part.
const LOWEST_NANOS: u64 = 1_000;
/// The longest duration told apart; longer ones count as this, `max` stays exact. A minute is
/// beyond any deadline a server keeps.
const HIGHEST_NANOS: u64 = 60_000_000_000;
/// Two digits keep a histogram near 20 KB and its merge at a few microseconds; three would cost
/// eight times as much and a fifth of a core in merging.
const SIGNIFICANT_DIGITS: u8 = 2;

/// Durations in nanoseconds: quantiles within 1 %, mean, count and maximum exact.
///
/// The histogram is allocated with the first record: an idle stage costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    histogram: Option<Box<Histogram<u64>>>,
    count: u64,
    total: u128,
    max: u64,
}

impl Quantiles {
    /// Records `nanos`, `count` times.
    pub fn record(&mut self, nanos: u64, count: u64) {
        self.count += count;
        self.total += u128::from(nanos) * u128::from(count);
        self.max = self.max.max(nanos);
        if let Some(histogram) = self.histogram_mut() {
            histogram.saturating_record_n(nanos, count);
        }
    }

    /// Adds everything that `other` recorded.
    pub fn add(&mut self, other: &Quantiles) {
        let Some(theirs) = &other.histogram else {
            return;
        };
        self.count += other.count;
        self.total += other.total;
        self.max = self.max.max(other.max);
        if let Some(histogram) = self.histogram_mut() {
            // Cannot fail: both have the same bounds.
            let _ = histogram.add(theirs.as_ref());
        }
    }

    /// Forgets everything and keeps the allocation.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        (self.count, self.total, self.max) = (0, 0, 0);
        if let Some(histogram) = &mut self.histogram {
            histogram.reset();
        }
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of all durations, in nanoseconds.
    pub fn total_nanos(&self) -> u128 {
        self.total
    }

    /// Exact mean in seconds; `None` without records.
    pub fn mean_seconds(&self) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / self.count as f64 / 1e9)
    }

    /// The quantile `q` in 0..=1, in seconds; `None` without records.
    pub fn quantile_seconds(&self, q: f64) -> Option<f64> {
        let histogram = self.histogram.as_ref().filter(|_| self.count > 0)?;
        Some(histogram.value_at_quantile(q).min(self.max) as f64 / 1e9)
    }

    /// The quantiles that a report shows.
    pub fn summary(&self) -> QuantileSummary {
        let at = |q| self.quantile_seconds(q);
        QuantileSummary {
            p10: at(0.10),
            p50: at(0.50),
            p90: at(0.90),
            p99: at(0.99),
            p999: at(0.999),
            max: (self.count > 0).then_some(self.max as f64 / 1e9),
            mean: self.mean_seconds(),
            count: self.count,
        }
    }

    /// The cumulative distribution: pairs of seconds and how many durations were no longer.
    pub fn cdf(&self) -> Vec<(f64, u64)> {
        let Some(histogram) = &self.histogram else {
            return Vec::new();
        };
        let mut cumulative = 0;
        histogram
            .iter_recorded()
            .map(|step| {
                cumulative += step.count_since_last_iteration();
                (step.value_iterated_to().min(self.max) as f64 / 1e9, cumulative)
            })
            .collect()
    }

    fn histogram_mut(&mut self) -> Option<&mut Histogram<u64>> {
        if self.histogram.is_none() {
            let bounds = (LOWEST_NANOS, HIGHEST_NANOS, SIGNIFICANT_DIGITS);
            let made = Histogram::new_with_bounds(bounds.0, bounds.1, bounds.2);
            self.histogram = made.ok().map(Box::new);
        }
        self.histogram.as_deref_mut()
    }
}

/// Quantiles in seconds; all but `count` are `None` (JSON `null`) while nothing was recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuantileSummary {
    /// 10 % were no longer.
    pub p10: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// 90 % were no longer.
    pub p90: Option<f64>,
    /// 99 % were no longer.
    pub p99: Option<f64>,
    /// 99.9 % were no longer.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// How many were recorded.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_one_percent_and_mean_count_max_exact() {
        let mut quantiles = Quantiles::default();
        for millis in 1..=1000_u64 {
            quantiles.record(millis * 1_000_000, 1);
        }
        let summary = quantiles.summary();
        assert_eq!((summary.count, summary.max), (1000, Some(1.0)));
        assert!((summary.mean.unwrap() - 0.5005).abs() < 1e-12);
        assert!((summary.p99.unwrap() - 0.99).abs() <= 0.0099);
        assert!((summary.p10.unwrap() - 0.10).abs() <= 0.001);
    }

    #[test]
    fn a_mean_below_the_resolution_stays_exact() {
        let mut quantiles = Quantiles::default();
        quantiles.record(40, 3);
        assert_eq!(quantiles.mean_seconds(), Some(40e-9));
        assert_eq!(quantiles.summary().p99, Some(40e-9));
    }

    #[test]
    fn nothing_recorded_is_unknown_and_costs_no_histogram() {
        let quantiles = Quantiles::default();
        assert_eq!(quantiles.summary(), QuantileSummary::default());
        assert!(quantiles.histogram.is_none() && quantiles.cdf().is_empty());
    }

    #[test]
    fn adding_is_the_same_as_recording_both() {
        let (mut left, mut right, mut both) =
            (Quantiles::default(), Quantiles::default(), Quantiles::default());
        for nanos in [500, 90_000_000_000, 7_000_000] {
            left.record(nanos, 2);
            both.record(nanos, 2);
            right.record(nanos / 3, 1);
            both.record(nanos / 3, 1);
        }
        left.add(&right);
        assert_eq!(left.summary(), both.summary());
        assert_eq!(left.cdf(), both.cdf());
        assert_eq!(left.cdf().last().unwrap().1, 9);
    }
}
