//! The right answers of the measured window in batches, for intervals.

use super::window::Window;
use crate::report::{Interval, Intervals, QuantileIntervals};
use seda_core::Time;
use seda_core::stats::Quantiles;

/// Batches of a window: few enough that each is longer than most disturbances, and that the rates
/// of neighbours are nearly independent.
const COUNT: u64 = 20;

/// The measured window, cut into batches of equal length.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches {
    from: Time,
    width_nanos: u64,
    /// Empty for a profile of several parts: the rates of its parts differ by intention.
    batches: Vec<Batch>,
}

/// The right answers of one batch.
#[derive(Clone, Debug, Default)]
struct Batch {
    /// Those that arrived within the batch.
    completed: u64,
    /// Those of them that were good.
    good: u64,
    /// The response times of requests with an intended start in the batch.
    times: Quantiles,
}

impl Batches {
    pub(crate) fn new(windows: &[Window]) -> Self {
        let mut measured = windows.iter().filter(|window| window.measured);
        let (Some(only), None) = (measured.next(), measured.next()) else {
            return Self::default();
        };
        let width_nanos = only.to.nanos_since(only.from) / COUNT;
        let count = if width_nanos > 0 { COUNT } else { 0 };
        let batches = (0..count).map(|_| Batch::default()).collect();
        Self { from: only.from, width_nanos, batches }
    }

    /// Records the time of a right answer to a request that was due at `intended`.
    pub(super) fn answered(&mut self, intended: Time, nanos: u64) {
        if let Some(batch) = self.at(intended) {
            batch.times.record(nanos, 1);
        }
    }

    /// Counts a right answer that arrives now.
    pub(super) fn completed(&mut self, now: Time, is_good: bool) {
        if let Some(batch) = self.at(now) {
            batch.completed += 1;
            batch.good += u64::from(is_good);
        }
    }

    /// Adds the batches of another thread.
    pub(super) fn add(&mut self, other: &Self) {
        for (ours, theirs) in self.batches.iter_mut().zip(&other.batches) {
            ours.completed += theirs.completed;
            ours.good += theirs.good;
            ours.times.add(&theirs.times);
        }
    }

    /// Returns the intervals from the batches that ended before `until`.
    pub(crate) fn intervals(&self, until: Time) -> Intervals {
        let passed = until.nanos_since(self.from).checked_div(self.width_nanos).unwrap_or(0);
        let whole = usize::try_from(passed).unwrap_or(usize::MAX).min(self.batches.len());
        let batches = self.batches.get(..whole).unwrap_or_default();
        let seconds = self.width_nanos as f64 / 1e9;
        let rate = |count: fn(&Batch) -> u64| {
            let counts: Vec<u64> = batches.iter().map(count).collect();
            Interval::of_rate(&counts, seconds)
        };
        let times: Vec<Quantiles> = batches.iter().map(|batch| batch.times.clone()).collect();
        Intervals {
            throughput_per_second: rate(|batch| batch.completed),
            goodput_per_second: rate(|batch| batch.good),
            response_seconds: QuantileIntervals::of(&times),
        }
    }

    fn at(&mut self, at: Time) -> Option<&mut Batch> {
        if at < self.from {
            return None;
        }
        let index = at.nanos_since(self.from).checked_div(self.width_nanos)?;
        self.batches.get_mut(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    fn window(from: u64, to: u64, measured: bool) -> Window {
        Window { name: String::new(), from: at(from), to: at(to), measured }
    }

    #[test]
    fn a_steady_rate_has_an_interval_of_no_width() {
        let mut batches = Batches::new(&[window(0, 100, false), window(100, 2_100, true)]);
        for millis in (0..2_200).step_by(10) {
            batches.completed(at(millis), millis % 20 == 0);
            batches.answered(at(millis), 3_000_000);
        }
        let intervals = batches.intervals(Time::NEVER);
        assert_eq!(intervals.throughput_per_second, Some(Interval { low: 100.0, high: 100.0 }));
        assert_eq!(intervals.goodput_per_second, Some(Interval { low: 50.0, high: 50.0 }));
        let median = intervals.response_seconds.p50.unwrap();
        assert!(median.contains(0.003) && median.high < 0.0031, "{median:?}");
        assert_eq!(intervals.response_seconds.p99, None, "200 samples are too few");
        assert_eq!(batches.intervals(at(400)).throughput_per_second, None, "three batches");
    }

    #[test]
    fn a_profile_of_several_parts_has_no_interval() {
        let mut batches = Batches::new(&[window(0, 1_000, true), window(1_000, 2_000, true)]);
        (0..2_000).for_each(|millis| batches.completed(at(millis), true));
        assert_eq!(batches.intervals(Time::NEVER), Intervals::default());
    }
}
