//! A distribution of durations whose tail can be trusted.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The shortest duration told apart from zero: below it a clock read is a large part.
const LOWEST_NANOS: u64 = 1_000;
/// The longest duration told apart; longer ones count as this, `max` stays exact. A minute is
/// beyond any deadline a server keeps.
const HIGHEST_NANOS: u64 = 60_000_000_000;
/// Two digits keep a histogram near 20 KB and its merge at a few microseconds; three would cost
/// eight times as much and a fifth of a core in merging.
const SIGNIFICANT_DIGITS: u8 = 2;
/// So many records are kept as they are. Many workers and stages mean few records for each pair in
/// a tick, and to merge 32 of them costs a tenth of merging a histogram.
const FEW: usize = 32;

/// Durations in nanoseconds: quantiles within 1 %, mean, count and maximum exact.
///
/// The histogram is allocated when there are more than a few records: an idle stage costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    /// Durations, and how often each was recorded, while they are few.
    few: Vec<(u64, u64)>,
    /// Empty but for its memory while they are few.
    histogram: Option<Box<Histogram<u64>>>,
    count: u64,
    total: u128,
    max: u64,
    /// They are many, and in the histogram.
    many: bool,
}

impl Quantiles {
    /// Records `nanos`, `count` times.
    pub fn record(&mut self, nanos: u64, count: u64) {
        self.count += count;
        self.total += u128::from(nanos) * u128::from(count);
        self.max = self.max.max(nanos);
        self.keep(nanos, count);
    }

    /// Adds everything that `other` recorded.
    pub fn add(&mut self, other: &Quantiles) {
        self.count += other.count;
        self.total += other.total;
        self.max = self.max.max(other.max);
        match &other.histogram {
            Some(theirs) if other.many => {
                if let Some(histogram) = self.histogram_of_many() {
                    // Cannot fail: both have the same bounds.
                    let _ = histogram.add(theirs.as_ref());
                }
            }
            _ => other.few.iter().for_each(|(nanos, count)| self.keep(*nanos, *count)),
        }
    }

    fn keep(&mut self, nanos: u64, count: u64) {
        if !self.many && self.few.len() < FEW {
            self.few.push((nanos, count));
        } else if let Some(histogram) = self.histogram_of_many() {
            histogram.saturating_record_n(nanos, count);
        }
    }

    /// What was recorded since these were a copy `then`: quantiles within 1 %, mean and count exact;
    /// the maximum is that of all.
    pub fn since(&self, then: &Quantiles) -> Quantiles {
        let (Some(now), Some(before)) = (self.recorded(), then.recorded()) else {
            return self.clone();
        };
        let mut histogram = now.into_owned();
        // Fails if `then` was no copy of these: then there is nothing to be taken off.
        let _ = histogram.subtract(before.as_ref());
        Quantiles {
            few: Vec::new(),
            histogram: Some(Box::new(histogram)),
            count: self.count.saturating_sub(then.count),
            total: self.total.saturating_sub(then.total),
            max: self.max,
            many: true,
        }
    }

    /// Forgets everything and keeps the allocation.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        (self.count, self.total, self.max) = (0, 0, 0);
        self.few.clear();
        if let Some(histogram) = self.histogram.as_mut().filter(|_| self.many) {
            histogram.reset();
        }
        self.many = false;
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
        self.seconds_at(&*self.recorded()?, q)
    }

    fn seconds_at(&self, recorded: &Histogram<u64>, q: f64) -> Option<f64> {
        Some(recorded.value_at_quantile(q).min(self.max) as f64 / 1e9)
    }

    /// The quantiles that a report shows.
    pub fn summary(&self) -> QuantileSummary {
        let recorded = self.recorded();
        let at = |q| self.seconds_at(recorded.as_deref()?, q);
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
        let Some(recorded) = self.recorded() else {
            return Vec::new();
        };
        let mut cumulative = 0;
        recorded
            .iter_recorded()
            .map(|step| {
                cumulative += step.count_since_last_iteration();
                (step.value_iterated_to().min(self.max) as f64 / 1e9, cumulative)
            })
            .collect()
    }

    /// All records as a histogram, made for the question if they are few; `None` without any.
    fn recorded(&self) -> Option<Cow<'_, Histogram<u64>>> {
        if self.count == 0 {
            return None;
        }
        if self.many {
            return self.histogram.as_deref().map(Cow::Borrowed);
        }
        let mut histogram = *empty()?;
        self.few.iter().for_each(|(nanos, count)| histogram.saturating_record_n(*nanos, *count));
        Some(Cow::Owned(histogram))
    }

    /// The histogram; the few move to it.
    fn histogram_of_many(&mut self) -> Option<&mut Histogram<u64>> {
        if self.histogram.is_none() {
            self.histogram = empty();
        }
        let histogram = self.histogram.as_deref_mut()?;
        if !self.many {
            self.many = true;
            let few = self.few.drain(..);
            few.for_each(|(nanos, count)| histogram.saturating_record_n(nanos, count));
        }
        Some(histogram)
    }
}

fn empty() -> Option<Box<Histogram<u64>>> {
    let made = Histogram::new_with_bounds(LOWEST_NANOS, HIGHEST_NANOS, SIGNIFICANT_DIGITS);
    made.ok().map(Box::new)
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
    fn few_records_need_no_histogram_and_many_keep_all_of_the_few() {
        let mut quantiles = Quantiles::default();
        (1..=FEW as u64).for_each(|millis| quantiles.record(millis * 1_000_000, 1));
        assert!(quantiles.histogram.is_none());
        let few = quantiles.summary();
        assert_eq!((few.count, few.max), (32, Some(0.032)));
        assert!((few.p50.unwrap() - 0.016).abs() <= 0.000_16);
        quantiles.record(1_000_000, 1);
        assert!(quantiles.histogram.is_some());
        assert_eq!(quantiles.cdf().last().unwrap().1, 33);
        quantiles.clear();
        assert_eq!(quantiles.summary(), QuantileSummary::default());
        quantiles.record(7_000_000, 2);
        assert_eq!(quantiles.cdf(), [(0.007, 2)]);
        let mut sum = Quantiles::default();
        (0..100).for_each(|_| sum.add(&quantiles));
        assert_eq!((sum.count(), sum.cdf()), (200, vec![(0.007, 200)]));
    }

    #[test]
    fn what_came_since_is_apart_from_what_was_before() {
        let mut quantiles = Quantiles::default();
        (0..100).for_each(|_| quantiles.record(1_000_000, 1));
        let then = quantiles.clone();
        assert_eq!(quantiles.since(&then).summary().p90, None);
        (0..10).for_each(|_| quantiles.record(50_000_000, 1));
        let since = quantiles.since(&then).summary();
        assert_eq!((since.count, since.mean), (10, Some(0.05)));
        assert!((since.p10.unwrap() - 0.05).abs() <= 0.0005);
        assert_eq!(quantiles.since(&Quantiles::default()).summary(), quantiles.summary());
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
