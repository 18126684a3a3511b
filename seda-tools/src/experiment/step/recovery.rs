//! The time that a server takes to recover after a change of rate, derived from the time series.

use super::report::{PartReport, Recovery};
use crate::report::Bin;

/// The share of the target rate at which goodput is back: the rest is the variation of Poisson
/// arrivals. The goodput of a part of ten seconds at 1000/s varies by 1 %, and so does the target;
/// three standard deviations of both are 4 %, and less than 3 % with several repeats.
const BACK: f64 = 0.97;

/// Bins over which a rate is measured: 250 ms of bins of 50 ms. A single bin has about 50 requests,
/// and their number varies by 14 %; over five bins it varies by 6 %, and by 4 % with three repeats.
const SLIDING: usize = 5;

/// Returns the recovery after each change of part, in order.
///
/// `bins` are contiguous, in order of time, and have the origin of the parts; their counts are sums
/// over `repeats` runs. A bin belongs to the part that contains its middle. Each part is judged by
/// its own bins alone.
pub(crate) fn recoveries(
    parts: &[PartReport],
    bins: &[Bin],
    repeats: u64,
    slo_seconds: f64,
) -> Vec<Recovery> {
    let Some(first) = parts.first() else { return Vec::new() };
    let mut recoveries = Vec::new();
    for (before, part) in parts.iter().zip(parts.iter().skip(1)) {
        let bins = of_part(part, bins);
        let target = target_per_second(first, part);
        recoveries.push(Recovery {
            change: format!("{} -> {}", rate(before), rate(part)),
            at_seconds: part.from_seconds,
            p99_within_slo_after: within_slo_from(bins, slo_seconds).map(|bin| delay(part, bin)),
            goodput_back_after: goodput_back_from(bins, repeats, target)
                .map(|bin| delay(part, bin)),
        });
    }
    recoveries
}

/// Returns the seconds from the beginning of a part to that of a bin; 0 if the bin began earlier.
fn delay(part: &PartReport, bin: &Bin) -> f64 {
    (bin.from_seconds - part.from_seconds).max(0.0)
}

/// Returns the goodput that counts as recovered.
fn target_per_second(first: &PartReport, part: &PartReport) -> f64 {
    let before = first.goodput_per_second.median;
    let offered = part.offered_per_second.median;
    BACK * before.min(offered)
}

/// Returns the rate of a part: "1400/s" of "1400/s:10s".
fn rate(part: &PartReport) -> &str {
    part.name.split(':').next().unwrap_or(&part.name)
}

/// Returns the bins of a part.
fn of_part<'a>(part: &PartReport, bins: &'a [Bin]) -> &'a [Bin] {
    let from = bins.partition_point(|bin| middle(bin) < part.from_seconds);
    let to = bins.partition_point(|bin| middle(bin) < part.to_seconds);
    bins.get(from..to).unwrap_or_default()
}

fn middle(bin: &Bin) -> f64 {
    bin.from_seconds + bin.seconds / 2.0
}

/// Returns the first bin from which all bins are within the SLO; `None` if the last one is not. A
/// bin with scheduled requests and without right answers is not within it; a bin without scheduled
/// requests is ignored.
fn within_slo_from(bins: &[Bin], slo_seconds: f64) -> Option<&Bin> {
    let scheduled = bins.iter().rev().filter(|bin| bin.outcomes.scheduled > 0);
    scheduled.take_while(|bin| bin.p99.is_some_and(|p99| p99 <= slo_seconds)).last()
}

/// Returns the first bin from which both the next [`SLIDING`] bins and all remaining bins reach the
/// rate on average: the former find the time, the latter ensure that goodput stays. `None` for a
/// part with fewer bins.
fn goodput_back_from(bins: &[Bin], repeats: u64, target_per_second: f64) -> Option<&Bin> {
    // Without a target there is no goodput to recover.
    if target_per_second <= 0.0 {
        return None;
    }
    for from in 0..bins.len() {
        let rest = bins.get(from..)?;
        let next = rest.get(..SLIDING)?;
        if reaches(next, repeats, target_per_second) && reaches(rest, repeats, target_per_second) {
            return rest.first();
        }
    }
    None
}

/// Returns true if the mean goodput over the bins is at least `per_second`.
fn reaches(bins: &[Bin], repeats: u64, per_second: f64) -> bool {
    let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
    let seconds: f64 = bins.iter().map(|bin| bin.seconds).sum();
    good as f64 >= per_second * seconds * repeats as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::Spread;
    use crate::report::outcome::Outcomes;

    const SLO: f64 = 0.1;
    /// A power of two, so that its sums are exact.
    const WIDTH: f64 = 0.0625;

    fn part(name: &str, from: usize, to: usize, offered: f64, goodput: f64) -> PartReport {
        PartReport {
            name: name.to_owned(),
            from_seconds: from as f64 * WIDTH,
            to_seconds: to as f64 * WIDTH,
            offered_per_second: Spread { median: offered, low: offered, high: offered },
            goodput_per_second: Spread { median: goodput, low: goodput, high: goodput },
            ..PartReport::default()
        }
    }

    /// A bin: scheduled requests, good requests, p99.
    type Drawn = (u64, u64, Option<f64>);
    const GOOD: Drawn = (100, 100, Some(0.01));
    const SLOW: Drawn = (100, 10, Some(0.5));
    const DEAD: Drawn = (100, 0, None);
    const QUIET: Drawn = (0, 0, None);

    fn series(drawn: &[Drawn]) -> Vec<Bin> {
        let bin = |(index, &(scheduled, good, p99)): (usize, &Drawn)| Bin {
            from_seconds: index as f64 * WIDTH,
            seconds: WIDTH,
            outcomes: Outcomes { scheduled, good, ..Outcomes::default() },
            p99,
            ..Bin::default()
        };
        drawn.iter().enumerate().map(bin).collect()
    }

    /// Appends a part with `drawn` bins to ten good bins at 1600/s; returns the two delays in bins.
    fn after_a_change(drawn: &[Drawn]) -> (Option<f64>, Option<f64>) {
        let all = [&[GOOD; 10], drawn].concat();
        let parts = [
            part("1600/s:625ms", 0, 10, 1600.0, 1600.0),
            part("2400/s:1s", 10, 10 + drawn.len(), 2400.0, 0.0),
        ];
        let found = recoveries(&parts, &series(&all), 1, SLO);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].change, "1600/s -> 2400/s");
        assert_eq!(found[0].at_seconds, 10.0 * WIDTH);
        let in_bins = |seconds: f64| seconds / WIDTH;
        (found[0].p99_within_slo_after.map(in_bins), found[0].goodput_back_after.map(in_bins))
    }

    #[test]
    fn an_unaffected_server_is_back_at_once() {
        assert_eq!(after_a_change(&[GOOD; 12]), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn a_server_that_stays_slow_is_never_back() {
        assert_eq!(after_a_change(&[SLOW; 12]), (None, None));
    }

    #[test]
    fn recovery_is_the_start_of_the_last_good_bins() {
        let drawn = [&[SLOW; 4][..], &[GOOD; 8]].concat();
        assert_eq!(after_a_change(&drawn), (Some(4.0), Some(4.0)));
    }

    #[test]
    fn a_late_relapse_of_the_p99_restarts_the_count() {
        let drawn = [&[GOOD; 9][..], &[(100, 97, Some(0.11))], &[GOOD; 2]].concat();
        // Goodput was back before, and stayed on average.
        assert_eq!(after_a_change(&drawn), (Some(10.0), Some(0.0)));
    }

    #[test]
    fn a_part_that_ends_badly_has_not_recovered() {
        let drawn = [&[GOOD; 9][..], &[SLOW]].concat();
        assert_eq!(after_a_change(&drawn).0, None);
        // The last five bins have 410 good answers and need 485.
        assert_eq!(after_a_change(&drawn).1, None);
    }

    #[test]
    fn a_p99_equal_to_the_slo_is_within_it() {
        assert_eq!(after_a_change(&[(100, 100, Some(SLO)); 8]).0, Some(0.0));
    }

    #[test]
    fn a_bin_without_right_answers_is_not_within_the_slo() {
        let drawn = [&[GOOD; 2][..], &[DEAD], &[GOOD; 7]].concat();
        assert_eq!(after_a_change(&drawn), (Some(3.0), Some(3.0)));
    }

    #[test]
    fn a_bin_without_requests_is_ignored() {
        let drawn = [&[QUIET][..], &[GOOD; 3], &[QUIET], &[GOOD; 4], &[QUIET]].concat();
        assert_eq!(after_a_change(&drawn).0, Some(1.0));
        let drawn = [&[SLOW][..], &[QUIET; 8]].concat();
        assert_eq!(after_a_change(&drawn).0, None);
        assert_eq!(after_a_change(&[QUIET; 8]).0, None);
    }

    #[test]
    fn a_rate_is_measured_over_five_bins() {
        // A single bin may have less if the others have more.
        let drawn = [(100, 80, Some(0.01)), (120, 120, Some(0.01))].repeat(6);
        // 80+120+80+120+80 is 480 of the needed 485; from the second bin on it is 520.
        assert_eq!(after_a_change(&drawn), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn goodput_that_falls_again_was_not_back() {
        let drawn = [&[GOOD; 6][..], &[SLOW; 6], &[GOOD; 6]].concat();
        assert_eq!(after_a_change(&drawn), (Some(12.0), Some(12.0)));
    }

    #[test]
    fn the_target_is_97_percent_of_the_lesser_of_two_rates() {
        // 1600/s are 100 requests in a bin, and 97 % of them are 97.
        assert_eq!(after_a_change(&[(100, 97, None); 8]).1, Some(0.0));
        let almost = [&[(100, 97, None); 7][..], &[(100, 96, None)]].concat();
        assert_eq!(after_a_change(&almost).1, None);
        // A change to a lower rate: 800/s are 50 requests in a bin.
        let parts = [part("1600/s:1s", 0, 8, 1600.0, 1600.0), part("800/s:1s", 8, 16, 800.0, 0.0)];
        let back = |good: u64| {
            let bins = series(&[[GOOD; 8], [(50, good, Some(0.01)); 8]].concat());
            recoveries(&parts, &bins, 1, SLO)[0].goodput_back_after
        };
        assert_eq!((back(49), back(48)), (Some(0.0), None));
    }

    #[test]
    fn a_server_that_was_never_good_does_not_come_back() {
        let parts = [part("a", 0, 8, 1600.0, 0.0), part("b", 8, 16, 1600.0, 0.0)];
        let found = recoveries(&parts, &series(&[SLOW; 16]), 1, SLO);
        assert_eq!((found[0].p99_within_slo_after, found[0].goodput_back_after), (None, None));
    }

    #[test]
    fn counts_are_divided_by_the_repeats() {
        let parts = [part("a", 0, 8, 800.0, 800.0), part("b", 8, 16, 800.0, 0.0)];
        let bins = series(&[GOOD; 16]);
        let back = |repeats| recoveries(&parts, &bins, repeats, SLO)[0].goodput_back_after;
        assert_eq!((back(2), back(3)), (Some(0.0), None));
    }

    #[test]
    fn each_part_has_its_own_bins() {
        let parts = [
            part("a", 0, 6, 1600.0, 1600.0),
            part("b", 6, 12, 2400.0, 160.0),
            part("c", 12, 20, 1600.0, 1200.0),
        ];
        let bins = series(&[&[GOOD; 6][..], &[SLOW; 6], &[SLOW; 2], &[GOOD; 6]].concat());
        let found = recoveries(&parts, &bins, 1, SLO);
        let short = |recovery: &Recovery| {
            (recovery.change.clone(), recovery.p99_within_slo_after, recovery.goodput_back_after)
        };
        let expected = [
            ("a -> b".to_owned(), None, None),
            ("b -> c".to_owned(), Some(2.0 * WIDTH), Some(2.0 * WIDTH)),
        ];
        assert_eq!(found.iter().map(short).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn inexact_bounds_lose_no_bin() {
        // 0.1 + 0.2 is more than 0.3.
        let bins: Vec<Bin> = (0..20)
            .map(|index| Bin {
                from_seconds: 0.05 * f64::from(index),
                seconds: 0.05,
                ..Bin::default()
            })
            .collect();
        let part = PartReport { from_seconds: 0.1 + 0.2, to_seconds: 0.8, ..PartReport::default() };
        let own = of_part(&part, &bins);
        assert_eq!((own.len(), own.first()), (10, bins.get(6)));
    }

    #[test]
    fn without_parts_or_bins_there_is_no_recovery() {
        assert_eq!(recoveries(&[], &[], 1, SLO), []);
        assert_eq!(recoveries(&[part("a", 0, 4, 1.0, 1.0)], &[], 1, SLO), []);
        let parts = [part("a", 0, 4, 1.0, 1.0), part("b", 4, 8, 1.0, 1.0)];
        let found = recoveries(&parts, &[], 1, SLO);
        assert_eq!((found[0].p99_within_slo_after, found[0].goodput_back_after), (None, None));
        // The part is too short to measure a rate.
        let bins = series(&[GOOD; 8]);
        let found = recoveries(&parts, &bins, 1, SLO);
        assert_eq!((found[0].p99_within_slo_after, found[0].goodput_back_after), (Some(0.0), None));
    }
}
