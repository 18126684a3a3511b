//! Distinguishes a stall of the machine from a new demand.

use crate::stats::quantiles::Quantiles;

/// The ratio above which a mean, or a single service over the 99th percentile, is an outlier: the
/// machine may have stalled. Of exponential services one in fifty takes four times the mean, and
/// one in a hundred million four times the 99th percentile.
const OUTLIER_RATIO: f64 = 4.0;

/// An outlier that recurs within this many ticks, half a second by default, is not a stall: the
/// demand is new, or has such services.
const CAUTIOUS_TICKS: u32 = 5;

/// Ignores a single tick that is an outlier; a change shows in the next ticks too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutlierFilter {
    /// Ticks left in which another outlier counts.
    cautious: u32,
}

impl OutlierFilter {
    /// Returns whether a tick counts; `far` says that it is an outlier.
    pub(crate) fn counts(&mut self, far: bool) -> bool {
        let again = self.cautious > 0;
        self.cautious = if far { CAUTIOUS_TICKS } else { self.cautious.saturating_sub(1) };
        !far || again
    }
}

/// True if `now` is far above the `known` value.
pub(crate) fn is_outlier(now: f64, known: Option<f64>) -> bool {
    known.is_some_and(|known| now > known * OUTLIER_RATIO)
}

/// True if the services of a tick, or one of them, are far above the known mean and 99th
/// percentile.
pub(crate) fn are_outliers(services: &Quantiles, mean: Option<f64>, p99: Option<f64>) -> bool {
    let longest = services.quantile_seconds(1.0);
    services.mean_seconds().is_some_and(|now| is_outlier(now, mean))
        || longest.is_some_and(|now| is_outlier(now, p99))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted<const N: usize>(far: [u8; N]) -> [u8; N] {
        let mut filter = OutlierFilter::default();
        far.map(|far| u8::from(filter.counts(far == 1)))
    }

    #[test]
    fn a_single_outlier_is_ignored_and_another_within_five_ticks_counts() {
        assert_eq!(counted([1, 0, 0, 0, 0, 1, 0, 0]), [0, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(counted([1, 0, 0, 0, 0, 0, 1, 1]), [0, 1, 1, 1, 1, 1, 0, 1]);
    }

    #[test]
    fn one_service_far_above_the_99th_percentile_makes_the_tick_an_outlier() {
        let mut tick = Quantiles::default();
        tick.record(1_000_000, 49);
        assert!(!are_outliers(&tick, Some(1e-3), Some(2e-3)));
        tick.record(90_000_000, 1);
        assert!(!are_outliers(&tick, None, None));
        assert!(!are_outliers(&tick, Some(1e-3), Some(30e-3)));
        assert!(are_outliers(&tick, Some(1e-3), Some(2e-3)));
        assert!(are_outliers(&tick, Some(0.5e-3), Some(30e-3)));
    }
}
