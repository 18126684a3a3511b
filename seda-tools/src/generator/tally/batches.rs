//! The right answers of the measured window in batches, for intervals.

use super::window::Window;
use crate::report::{Interval, Intervals, QuantileIntervals};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// Batches of a window: few enough that each is longer than most disturbances, and that the rates
/// of neighbours are nearly independent.
const COUNT: u64 = 20;

/// The length of the first batches of a window whose end is unknown: 20 of them are two seconds,
/// less than which no figure is judged by.
const LEAST_NANOS: u64 = 100_000_000;

/// The measured window, cut into batches of equal length.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches {
    from: Time,
    to: Time,
    width_nanos: u64,
    /// Empty for a profile of several parts: the rates of its parts differ by intention.
    batches: Vec<Batch>,
    /// True if two neighbours become one batch whenever there is no further one.
    grows: bool,
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

impl Batch {
    fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.good += other.good;
        self.times.add(&other.times);
    }
}

impl Batches {
    /// Returns the batches of the only measured window.
    pub(crate) fn new(windows: &[Window]) -> Self {
        let Some((from, to)) = measured(windows) else { return Self::default() };
        let width_nanos = to.nanos_since(from) / COUNT;
        let count = if width_nanos > 0 { COUNT } else { 0 };
        Self { from, to, width_nanos, batches: empty(count), grows: false }
    }

    /// Returns the batches of the only measured window, which may end at any time: there are as
    /// many as in [`new`](Self::new), or up to twice as many.
    pub(crate) fn growing(windows: &[Window]) -> Self {
        let Some((from, to)) = measured(windows) else { return Self::default() };
        Self { from, to, width_nanos: LEAST_NANOS, batches: empty(2 * COUNT), grows: true }
    }

    /// Ends the window at `to`.
    pub(super) fn shorten(&mut self, to: Time) {
        self.to = self.to.min(to);
    }

    /// Returns true if there are as many batches before `until` as in a window of a known length.
    pub(crate) fn are_enough(&self, until: Time) -> bool {
        self.whole(until) as u64 >= COUNT
    }

    /// Returns the longest time of an answer so far.
    pub(crate) fn longest(&self) -> Duration {
        let longest = self.batches.iter().filter_map(|batch| batch.times.summary().max);
        Duration::from_secs_f64(longest.fold(0.0, f64::max))
    }

    /// Records the time of a right answer to a request that was due at `intended`.
    pub(crate) fn answered(&mut self, intended: Time, nanos: u64) {
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
    pub(crate) fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.width_nanos < other.width_nanos {
            self.grow();
        }
        while other.width_nanos < self.width_nanos {
            other.grow();
        }
        self.to = self.to.min(other.to);
        for (ours, theirs) in self.batches.iter_mut().zip(&other.batches) {
            ours.add(theirs);
        }
    }

    /// Returns the intervals from the batches that ended before `until`.
    pub(crate) fn intervals(&self, until: Time) -> Intervals {
        let batches = self.batches.get(..self.whole(until)).unwrap_or_default();
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
            until: None,
        }
    }

    /// Returns the number of batches that ended before `until`.
    fn whole(&self, until: Time) -> usize {
        let passed = self.to.min(until).nanos_since(self.from).checked_div(self.width_nanos);
        usize::try_from(passed.unwrap_or(0)).unwrap_or(usize::MAX).min(self.batches.len())
    }

    fn at(&mut self, at: Time) -> Option<&mut Batch> {
        if at < self.from || at >= self.to {
            return None;
        }
        let nanos = at.nanos_since(self.from);
        while self.grows && nanos / self.width_nanos >= self.batches.len() as u64 {
            self.grow();
        }
        let index = nanos.checked_div(self.width_nanos)?;
        self.batches.get_mut(usize::try_from(index).ok()?)
    }

    /// Makes one batch of two neighbours each.
    fn grow(&mut self) {
        self.width_nanos = self.width_nanos.saturating_mul(2);
        let mut batches = std::mem::take(&mut self.batches).into_iter();
        while let Some(mut batch) = batches.next() {
            if let Some(next) = batches.next() {
                batch.add(&next);
            }
            self.batches.push(batch);
        }
        self.batches.extend(empty(COUNT));
    }
}

/// Returns the beginning and the end of the measured window; `None` if there are several.
fn measured(windows: &[Window]) -> Option<(Time, Time)> {
    let mut measured = windows.iter().filter(|window| window.measured);
    let (Some(only), None) = (measured.next(), measured.next()) else { return None };
    Some((only.from, only.to))
}

fn empty(count: u64) -> Vec<Batch> {
    (0..count).map(|_| Batch::default()).collect()
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
    fn batches_of_an_open_end_grow_in_pairs_and_keep_every_answer() {
        let mut batches = Batches::growing(&[window(0, 100, false), window(100, 600_100, true)]);
        let mut other = batches.clone();
        for millis in (0..60_000).step_by(10) {
            batches.completed(at(millis), millis % 20 == 0);
            batches.answered(at(millis), 3_000_000);
        }
        other.completed(at(150), true);
        assert!(!batches.are_enough(at(2_000)) && batches.are_enough(at(60_000)));
        let (whole, most) = (batches.whole(at(60_000)) as u64, 2 * COUNT);
        assert!((COUNT..most).contains(&whole), "{whole}");
        // One answer more, of a thread that had nothing to do after it.
        other.add(&batches);
        let intervals = batches.intervals(at(60_000));
        assert_eq!(intervals.throughput_per_second, Some(Interval { low: 100.0, high: 100.0 }));
        let answers =
            |batches: &Batches| -> u64 { batches.batches.iter().map(|b| b.completed).sum() };
        assert_eq!((answers(&batches), answers(&other)), (5_990, 5_991));
        // What starts after an earlier end is in no batch.
        batches.shorten(at(60_000));
        batches.completed(at(60_000), true);
        assert_eq!((answers(&batches), batches.longest()), (5_990, Duration::from_millis(3)));
    }

    #[test]
    fn a_profile_of_several_parts_has_no_interval() {
        let mut batches = Batches::new(&[window(0, 1_000, true), window(1_000, 2_000, true)]);
        (0..2_000).for_each(|millis| batches.completed(at(millis), true));
        assert_eq!(batches.intervals(Time::NEVER), Intervals::default());
    }
}
