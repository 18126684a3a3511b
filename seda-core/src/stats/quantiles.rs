//! Distributions of durations, with exact tails.

use crate::stats::buckets::{BUCKETS, bucket_of};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// The shortest duration told apart from zero; below it a clock read is a large part.
const LOWEST_NANOS: u64 = 1_000;
/// The longest duration told apart; a longer one counts as this, while `max` stays exact. A minute
/// exceeds any deadline of a server.
const HIGHEST_NANOS: u64 = 60_000_000_000;
/// Two digits keep a histogram near 20 KB and its merge at a few microseconds. Three would cost
/// eight times as much, and a fifth of a core in merging.
const SIGNIFICANT_DIGITS: u8 = 2;
/// The number of records kept without a histogram. At a thousand events a second a tick has a
/// hundred, and merging these touches a tenth of the memory that merging histograms does.
const FEW: usize = 256;

/// A distribution of durations in nanoseconds: quantiles within 1 %; mean, count and maximum exact.
///
/// Up to 256 records are kept as they are; only then is a histogram allocated, so an idle stage
/// needs no memory.
///
/// ```
/// let mut waits = seda_core::stats::Quantiles::default();
/// waits.record(2_000_000, 99);
/// waits.record(50_000_000, 1);
/// assert_eq!(waits.count(), 100);
/// let p50 = waits.quantile_seconds(0.5).unwrap();
/// assert!((p50 - 0.002).abs() < 0.000_02);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    /// Durations and their counts, while they are few.
    few: Vec<(u64, u64)>,
    /// The histogram, once it was needed; empty while the records are few.
    histogram: Option<Box<Histogram<u64>>>,
    count: u64,
    total: u128,
    max: u64,
    /// True once the records are in the histogram.
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

    /// Adds all records of `other`.
    pub fn add(&mut self, other: &Quantiles) {
        self.count += other.count;
        self.total += other.total;
        self.max = self.max.max(other.max);
        match &other.histogram {
            Some(theirs) if other.many => {
                if let Some(histogram) = self.histogram_of_many() {
                    // Never fails: both histograms have the same bounds.
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

    /// Returns the records since `then`, an earlier copy of these: quantiles within 1 %, mean and
    /// count exact. The maximum is that of all records.
    pub fn since(&self, then: &Quantiles) -> Quantiles {
        let (Some(now), Some(before)) = (self.histogram(), then.histogram()) else {
            return self.clone();
        };
        let mut histogram = now.into_owned();
        // Fails if `then` is not an earlier copy; the records then stay as they are.
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

    /// Removes all records, and keeps the allocation.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        (self.count, self.total, self.max) = (0, 0, 0);
        self.few.clear();
        if self.many
            && let Some(histogram) = &mut self.histogram
        {
            histogram.reset();
        }
        self.many = false;
    }

    /// Returns the number of records.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the sum of all durations, in nanoseconds.
    pub fn total_nanos(&self) -> u128 {
        self.total
    }

    /// Returns the exact mean in seconds; `None` without records.
    pub fn mean_seconds(&self) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / self.count as f64 / 1e9)
    }

    /// Returns the quantile `q` in 0..=1, in seconds; `None` without records.
    pub fn quantile_seconds(&self, q: f64) -> Option<f64> {
        self.seconds_at(&self.recorded()?, q)
    }

    fn seconds_at(&self, recorded: &Recorded<'_>, q: f64) -> Option<f64> {
        Some(recorded.quantile(q).min(self.max) as f64 / 1e9)
    }

    /// Returns the squared coefficient of variation, where the longest hundredth counts as the 99th
    /// percentile: a stall of the machine must not pass for a heavy tail. `None` without records.
    pub(crate) fn variation(&self) -> Option<f64> {
        let recorded = self.recorded()?;
        let most = recorded.quantile(0.99).min(self.max) as f64;
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        recorded.for_each(|nanos, times| {
            let (n, nanos) = (times as f64, (nanos as f64).min(most));
            count += n;
            sum += n * nanos;
            squares += n * nanos * nanos;
        });
        let mean = sum / count;
        (mean > 0.0).then(|| (squares / count / (mean * mean) - 1.0).max(0.0))
    }

    /// Returns the quantiles of a report.
    pub fn summary(&self) -> QuantileSummary {
        let recorded = self.recorded();
        let at = |q| self.seconds_at(recorded.as_ref()?, q);
        QuantileSummary {
            p10: at(0.10),
            p50: at(0.50),
            p90: at(0.90),
            p99: at(0.99),
            p999: at(0.999),
            max: (self.count > 0).then_some(self.max as f64 / 1e9),
            mean: self.mean_seconds(),
            count: self.count,
            buckets: Vec::new(),
        }
    }

    /// Returns the quantiles of a report, with the buckets.
    pub(crate) fn summary_with_buckets(&self) -> QuantileSummary {
        let buckets = if self.count > 0 { self.buckets().to_vec() } else { Vec::new() };
        QuantileSummary { buckets, ..self.summary() }
    }

    /// Returns the number of records in each bucket of
    /// [`BUCKET_BOUNDS`](crate::stats::BUCKET_BOUNDS). A record within 1 % of a bound may count on
    /// either side of it, and always counts there again: no count ever falls.
    pub fn buckets(&self) -> [u64; BUCKETS] {
        let mut buckets = [0; BUCKETS];
        // Few records count as they will in the histogram.
        let Some(histogram) = self.histogram() else { return buckets };
        for step in histogram.iter_recorded() {
            let bucket = bucket_of(Duration::from_nanos(step.value_iterated_to()));
            if let Some(count) = buckets.get_mut(bucket) {
                *count += step.count_since_last_iteration();
            }
        }
        buckets
    }

    /// Returns the cumulative distribution: pairs of seconds and the number of durations up to
    /// them.
    pub fn cdf(&self) -> Vec<(f64, u64)> {
        let Some(recorded) = self.recorded() else {
            return Vec::new();
        };
        let (mut steps, mut cumulative) = (Vec::new(), 0);
        recorded.for_each(|nanos, times| {
            cumulative += times;
            steps.push((nanos.min(self.max) as f64 / 1e9, cumulative));
        });
        steps
    }

    /// Returns all records in ascending order; `None` without records.
    fn recorded(&self) -> Option<Recorded<'_>> {
        if self.count == 0 {
            return None;
        }
        if self.many {
            return self.histogram.as_deref().map(Recorded::Many);
        }
        let mut few = self.few.clone();
        few.sort_unstable();
        few.dedup_by(|next, kept| {
            let equal = next.0 == kept.0;
            kept.1 += if equal { next.1 } else { 0 };
            equal
        });
        Some(Recorded::Few { records: few, count: self.count })
    }

    /// Returns all records as a histogram, built here if they are few; `None` without records.
    fn histogram(&self) -> Option<Cow<'_, Histogram<u64>>> {
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

    /// Returns the histogram, after moving the few records into it.
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

/// The records of a distribution, readable in ascending order.
enum Recorded<'a> {
    /// Durations, each once, with their counts.
    Few {
        records: Vec<(u64, u64)>,
        /// The sum of the counts.
        count: u64,
    },
    Many(&'a Histogram<u64>),
}

impl Recorded<'_> {
    /// Returns the quantile `q` in nanoseconds: the least duration that a share `q` of all records
    /// does not exceed.
    fn quantile(&self, q: f64) -> u64 {
        match self {
            Recorded::Few { records, count } => {
                let rank = ((q.clamp(0.0, 1.0) * *count as f64).ceil() as u64).max(1);
                let mut cumulative = 0;
                let reaches = |record: &&(u64, u64)| {
                    cumulative += record.1;
                    cumulative >= rank
                };
                records.iter().find(reaches).or(records.last()).map_or(0, |record| record.0)
            }
            Recorded::Many(histogram) => histogram.value_at_quantile(q),
        }
    }

    /// Calls `each` with every duration in nanoseconds and its count, in ascending order.
    fn for_each(&self, mut each: impl FnMut(u64, u64)) {
        match self {
            Recorded::Few { records, .. } => {
                records.iter().for_each(|(nanos, count)| each(*nanos, *count));
            }
            Recorded::Many(histogram) => histogram
                .iter_recorded()
                .for_each(|step| each(step.value_iterated_to(), step.count_since_last_iteration())),
        }
    }
}

fn empty() -> Option<Box<Histogram<u64>>> {
    let made = Histogram::new_with_bounds(LOWEST_NANOS, HIGHEST_NANOS, SIGNIFICANT_DIGITS);
    made.ok().map(Box::new)
}

/// Quantiles in seconds; all but `count` are `None` (JSON `null`) without records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuantileSummary {
    /// 10 % of the durations are at most this.
    pub p10: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// 90 % of the durations are at most this.
    pub p90: Option<f64>,
    /// 99 % of the durations are at most this.
    pub p99: Option<f64>,
    /// 99.9 % of the durations are at most this.
    pub p999: Option<f64>,
    /// The longest duration.
    pub max: Option<f64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// The number of records.
    pub count: u64,
    /// The number of records in each bucket of [`BUCKET_BOUNDS`](crate::stats::BUCKET_BOUNDS), as
    /// metrics have them. Empty without records, and outside of the report of a running graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<u64>,
}

impl QuantileSummary {
    /// Returns the name, the share and the seconds of every quantile, in ascending order. Tables
    /// have a column for each.
    ///
    /// ```
    /// let mut waits = seda_core::stats::Quantiles::default();
    /// waits.record(2_000_000, 100);
    /// let [(name, share, seconds), ..] = waits.summary().quantiles();
    /// assert_eq!((name, share, seconds), ("p10", 0.10, Some(0.002)));
    /// ```
    pub fn quantiles(&self) -> [(&'static str, f64, Option<f64>); 5] {
        [
            ("p10", 0.10, self.p10),
            ("p50", 0.50, self.p50),
            ("p90", 0.90, self.p90),
            ("p99", 0.99, self.p99),
            ("p99.9", 0.999, self.p999),
        ]
    }

    /// Returns the name and the seconds of the quantiles that one line of text has room for: the
    /// median and the tail.
    pub fn main_quantiles(&self) -> [(&'static str, Option<f64>); 3] {
        [("p50", self.p50), ("p99", self.p99), ("p99.9", self.p999)]
    }
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
    fn the_variation_is_that_of_the_distribution_without_its_longest_hundredth() {
        let mut quantiles = Quantiles::default();
        quantiles.record(1_000_000, 995);
        assert_eq!(quantiles.variation(), Some(0.0));
        quantiles.record(900_000_000, 5);
        assert!(quantiles.variation().unwrap() < 1e-3, "five stalls in a thousand");
        let mut exponential = Quantiles::default();
        (0..1_000).for_each(|n| {
            let share = (f64::from(n) + 0.5) / 1_000.0;
            exponential.record((-share.ln() * 1e7) as u64, 1);
        });
        let variation = exponential.variation().unwrap();
        assert!((0.85..1.0).contains(&variation), "{variation}");
    }

    #[test]
    fn a_mean_below_the_resolution_stays_exact() {
        let mut quantiles = Quantiles::default();
        quantiles.record(40, 3);
        assert_eq!(quantiles.mean_seconds(), Some(40e-9));
        assert_eq!(quantiles.summary().p99, Some(40e-9));
    }

    #[test]
    fn without_records_all_is_unknown_and_no_histogram_is_allocated() {
        let quantiles = Quantiles::default();
        assert_eq!(quantiles.summary(), QuantileSummary::default());
        assert!(quantiles.histogram.is_none() && quantiles.cdf().is_empty());
    }

    #[test]
    fn few_records_need_no_histogram_and_all_move_into_it_once_they_are_many() {
        let mut quantiles = Quantiles::default();
        (1..=FEW as u64).for_each(|millis| quantiles.record(millis * 1_000_000, 1));
        assert!(quantiles.histogram.is_none());
        let few = quantiles.summary();
        assert_eq!((few.count, few.max), (256, Some(0.256)));
        assert_eq!((few.p50, few.p99), (Some(0.128), Some(0.254)));
        quantiles.record(1_000_000, 1);
        assert!(quantiles.histogram.is_some());
        assert_eq!(quantiles.cdf().last().unwrap().1, 257);
        quantiles.clear();
        assert_eq!(quantiles.summary(), QuantileSummary::default());
        quantiles.record(7_000_000, 2);
        assert_eq!(quantiles.cdf(), [(0.007, 2)]);
        let mut sum = Quantiles::default();
        (0..100).for_each(|_| sum.add(&quantiles));
        assert_eq!((sum.count(), sum.cdf()), (200, vec![(0.007, 200)]));
    }

    #[test]
    fn a_bucket_never_shrinks_when_few_records_move_into_the_histogram() {
        // 4.99 ms shares a cell of the histogram with 5 ms.
        let mut quantiles = Quantiles::default();
        (0..FEW).for_each(|_| quantiles.record(4_990_000, 1));
        let few = quantiles.buckets();
        quantiles.record(4_990_000, 1);
        assert!(quantiles.histogram.is_some());
        let many = quantiles.buckets();
        assert!(few.iter().zip(many).all(|(few, many)| many >= *few), "{few:?} {many:?}");
        assert_eq!(many.iter().sum::<u64>(), quantiles.count());
        let mut spread = Quantiles::default();
        [0, 9_000, 20_000, 4_000_000, 20_000_000_000, 90_000_000_000]
            .into_iter()
            .for_each(|nanos| spread.record(nanos, 1));
        let buckets = spread.buckets();
        let [first, second, ..] = buckets;
        assert_eq!((first, second, buckets[8], buckets[BUCKETS - 1]), (2, 1, 1, 2));
    }

    #[test]
    fn records_since_an_earlier_copy_exclude_those_before() {
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
        let mut left = Quantiles::default();
        let mut right = Quantiles::default();
        let mut both = Quantiles::default();
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
