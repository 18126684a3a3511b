//! What bins of time say of a recovery.
//!
//! A bin holds the requests that were meant to start in it, so that a share of them does not vary
//! with their number: 250 ms at 900/s are 225 requests, give or take 7 %.

use seda_tools::report::Bin;
use std::ops::RangeInclusive;

/// The part of a series between two moments, by the bins' middles.
pub(crate) fn between(bins: &[Bin], from: f64, to: f64) -> &[Bin] {
    let middle = |bin: &Bin| bin.from_seconds + bin.seconds / 2.0;
    let begin = bins.partition_point(|bin| middle(bin) < from);
    let end = bins.partition_point(|bin| middle(bin) < to);
    bins.get(begin..end).unwrap_or_default()
}

/// Good answers of what was scheduled; `None` if nothing was.
pub(crate) fn good_share(bins: &[Bin]) -> Option<f64> {
    let scheduled: u64 = bins.iter().map(|bin| bin.outcomes.scheduled).sum();
    let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
    (scheduled > 0).then(|| good as f64 / scheduled as f64)
}

/// How many were refused.
pub(crate) fn refused(bins: &[Bin]) -> u64 {
    bins.iter().map(|bin| bin.outcomes.refused).sum()
}

/// The highest p99 of any bin; infinite if one got no right answer to anything.
pub(crate) fn worst_p99(bins: &[Bin]) -> Option<f64> {
    let asked = bins.iter().filter(|bin| bin.outcomes.scheduled > 0);
    asked.map(|bin| bin.p99.unwrap_or(f64::INFINITY)).reduce(f64::max)
}

/// Seconds after `at` from which the good share is within `band`: both of the next `window`
/// seconds, which says when, and of all that remain, which says that it stays. `None` if never.
pub(crate) fn settled_after(
    bins: &[Bin],
    at: f64,
    window: f64,
    band: &RangeInclusive<f64>,
) -> Option<f64> {
    let inside = |bins: &[Bin]| good_share(bins).is_some_and(|share| band.contains(&share));
    let end = bins.last().map(|bin| bin.from_seconds + bin.seconds)?;
    let starts = between(bins, at, end).iter().map(|bin| bin.from_seconds);
    let mut whole = starts.filter(|from| from + window <= end + 1e-9);
    let settled = |from: &f64| {
        inside(between(bins, *from, from + window)) && inside(between(bins, *from, end))
    };
    whole.find(settled).map(|from| (from - at).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A power of two, so that sums of it are exact.
    const WIDTH: f64 = 0.0625;

    /// Bins of 100 requests, of which so many were good, and the others refused.
    fn bins(good: &[u64]) -> Vec<Bin> {
        let bin = |(index, good): (usize, &u64)| {
            let mut bin = Bin::default();
            (bin.from_seconds, bin.seconds) = (index as f64 * WIDTH, WIDTH);
            (bin.outcomes.scheduled, bin.outcomes.good) = (100, *good);
            bin.outcomes.refused = 100 - good;
            bin.p99 = (*good > 0).then_some(*good as f64 / 1e3);
            bin
        };
        good.iter().enumerate().map(bin).collect()
    }

    #[test]
    fn a_part_is_told_by_the_middles_of_its_bins() {
        let bins = bins(&[1, 2, 3, 4]);
        let part = between(&bins, WIDTH, 3.0 * WIDTH);
        assert_eq!(part.iter().map(|bin| bin.outcomes.good).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((refused(part), good_share(part)), (195, Some(0.025)));
        assert_eq!(good_share(between(&bins, 9.0, 10.0)), None);
    }

    #[test]
    fn it_has_settled_when_the_next_window_and_the_rest_are_inside() {
        let bins = bins(&[100, 0, 0, 50, 100, 100, 100, 100]);
        let back = settled_after(&bins, WIDTH, 2.0 * WIDTH, &(0.97..=1.0));
        assert_eq!(back, Some(3.0 * WIDTH));
        let at_once = settled_after(&bins, 4.0 * WIDTH, 2.0 * WIDTH, &(0.97..=1.0));
        assert_eq!(at_once, Some(0.0));
    }

    #[test]
    fn what_does_not_stay_or_has_no_window_left_has_not_settled() {
        let bins = bins(&[100, 0, 100, 100, 0, 0, 0, 100]);
        assert_eq!(settled_after(&bins, WIDTH, 2.0 * WIDTH, &(0.97..=1.0)), None);
        assert_eq!(settled_after(&[], 0.0, WIDTH, &(0.0..=1.0)), None);
    }

    #[test]
    fn a_bin_without_any_answer_is_the_worst() {
        assert_eq!(worst_p99(&bins(&[10, 30, 20])), Some(0.03));
        assert_eq!(worst_p99(&bins(&[10, 0])), Some(f64::INFINITY));
        assert_eq!(worst_p99(&[Bin::default()]), None);
    }
}
