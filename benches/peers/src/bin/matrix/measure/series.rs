//! Figures of a recovery, from bins of time.
//!
//! A bin holds the requests scheduled to start in it. Shares of them are used instead of counts,
//! because counts vary by chance: 250 ms at 900/s are 225 requests, give or take 7 %.

use seda_tools::report::Bin;
use std::ops::RangeInclusive;

/// Returns the bins with their middles between two moments, in seconds.
pub(crate) fn between(bins: &[Bin], from: f64, to: f64) -> &[Bin] {
    let begin = bins.partition_point(|bin| middle(bin) < from);
    let end = bins.partition_point(|bin| middle(bin) < to);
    bins.get(begin..end).unwrap_or_default()
}

fn middle(bin: &Bin) -> f64 {
    bin.from_seconds + bin.seconds / 2.0
}

/// Returns the share of good answers among the scheduled requests; `None` without any.
pub(crate) fn good_share(bins: &[Bin]) -> Option<f64> {
    let scheduled: u64 = bins.iter().map(|bin| bin.outcomes.scheduled).sum();
    let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
    (scheduled > 0).then(|| good as f64 / scheduled as f64)
}

/// Counts the refused requests.
pub(crate) fn refused(bins: &[Bin]) -> u64 {
    bins.iter().map(|bin| bin.outcomes.refused).sum()
}

/// Returns the highest p99 of any bin in seconds; infinite if a bin with requests got no right
/// answer, `None` without any request.
pub(crate) fn worst_p99(bins: &[Bin]) -> Option<f64> {
    let scheduled = bins.iter().filter(|bin| bin.outcomes.scheduled > 0);
    scheduled.map(|bin| bin.p99.unwrap_or(f64::INFINITY)).reduce(f64::max)
}

/// Returns the seconds after `at` from which the good share stays within `band`; `None` if never.
///
/// The share of the next `window` seconds tells when it is back; the share of all that remain
/// tells that it stays.
pub(crate) fn settled_after(
    bins: &[Bin],
    at: f64,
    window: f64,
    band: &RangeInclusive<f64>,
) -> Option<f64> {
    let end = bins.last().map(|bin| bin.from_seconds + bin.seconds)?;
    let starts = between(bins, at, end).iter().map(|bin| bin.from_seconds);
    let mut whole = starts.filter(|from| from + window <= end + 1e-9);
    let settled = whole.find(|from| {
        is_within(between(bins, *from, from + window), band)
            && is_within(between(bins, *from, end), band)
    });
    settled.map(|from| (from - at).max(0.0))
}

fn is_within(bins: &[Bin], band: &RangeInclusive<f64>) -> bool {
    good_share(bins).is_some_and(|share| band.contains(&share))
}

/// Returns bins of this width in seconds. Each has 100 requests and one of the numbers of good
/// answers; the others are refused.
#[cfg(test)]
pub(crate) fn bins_of(width: f64, good: impl IntoIterator<Item = u64>) -> Vec<Bin> {
    let mut bins = Vec::new();
    for good in good {
        let mut bin = Bin::default();
        bin.from_seconds = bins.len() as f64 * width;
        bin.seconds = width;
        bin.outcomes.scheduled = 100;
        bin.outcomes.good = good;
        bin.outcomes.refused = 100 - good;
        bin.p99 = (good > 0).then_some(good as f64 / 1e3);
        bins.push(bin);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A power of two, which makes sums of it exact.
    const WIDTH: f64 = 0.0625;

    fn bins(good: &[u64]) -> Vec<Bin> {
        bins_of(WIDTH, good.iter().copied())
    }

    #[test]
    fn a_part_has_the_bins_with_their_middles_in_it() {
        let bins = bins(&[1, 2, 3, 4]);
        let part = between(&bins, WIDTH, 3.0 * WIDTH);
        assert_eq!(part.iter().map(|bin| bin.outcomes.good).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((refused(part), good_share(part)), (195, Some(0.025)));
        assert_eq!(good_share(between(&bins, 9.0, 10.0)), None);
    }

    #[test]
    fn the_share_has_settled_when_the_next_window_and_the_rest_are_within_the_band() {
        let bins = bins(&[100, 0, 0, 50, 100, 100, 100, 100]);
        let back = settled_after(&bins, WIDTH, 2.0 * WIDTH, &(0.97..=1.0));
        assert_eq!(back, Some(3.0 * WIDTH));
        let at_once = settled_after(&bins, 4.0 * WIDTH, 2.0 * WIDTH, &(0.97..=1.0));
        assert_eq!(at_once, Some(0.0));
    }

    #[test]
    fn a_share_that_does_not_stay_or_has_no_window_left_has_not_settled() {
        let bins = bins(&[100, 0, 100, 100, 0, 0, 0, 100]);
        assert_eq!(settled_after(&bins, WIDTH, 2.0 * WIDTH, &(0.97..=1.0)), None);
        assert_eq!(settled_after(&[], 0.0, WIDTH, &(0.0..=1.0)), None);
    }

    #[test]
    fn a_bin_without_any_answer_has_the_worst_p99() {
        assert_eq!(worst_p99(&bins(&[10, 30, 20])), Some(0.03));
        assert_eq!(worst_p99(&bins(&[10, 0])), Some(f64::INFINITY));
        assert_eq!(worst_p99(&[Bin::default()]), None);
    }
}
