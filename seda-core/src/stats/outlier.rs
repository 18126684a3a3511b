//! A machine that stands still for a moment is no new demand.

use crate::stats::quantiles::Quantiles;

/// A tick whose services took so many times what they used to may be one in which the machine stood
/// still, and so may one in which a single service took so many times what one in a hundred exceeds.
/// Of exponential services one in fifty takes four times the mean, and one in a hundred million four
/// times the 99th percentile.
const FAR: f64 = 4.0;

/// What is seen again within so many ticks, half a second by default, is no moment: the machine did
/// not stand still, the demand is new, or it is of the kind that has such services.
const AGAIN: u32 = 5;

/// Tells a moment from a change: what one tick alone says is passed over, a change is there in the
/// next ones, too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutlierFilter {
    /// Ticks until one like the last that was far from what was known may be passed over again.
    cautious: u32,
}

impl OutlierFilter {
    /// Whether a tick counts, which was `far` from what was known or not.
    pub(crate) fn counts(&mut self, far: bool) -> bool {
        let again = self.cautious > 0;
        self.cautious = if far { AGAIN } else { self.cautious.saturating_sub(1) };
        !far || again
    }
}

/// Whether `now` is far more than what was `known`.
pub(crate) fn is_outlier(now: f64, known: Option<f64>) -> bool {
    known.is_some_and(|known| now > known * FAR)
}

/// Whether the services of a tick, or one of them, are far from the mean and 99th percentile known.
pub(crate) fn are_outliers(services: &Quantiles, mean: Option<f64>, p99: Option<f64>) -> bool {
    let far = |now: Option<f64>, known| now.is_some_and(|now| is_outlier(now, known));
    far(services.mean_seconds(), mean) || far(services.quantile_seconds(1.0), p99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted<const N: usize>(far: [u8; N]) -> [u8; N] {
        let mut stall = OutlierFilter::default();
        far.map(|far| u8::from(stall.counts(far == 1)))
    }

    #[test]
    fn one_far_tick_is_passed_over_and_another_within_five_counts() {
        assert_eq!(counted([1, 0, 0, 0, 0, 1, 0, 0]), [0, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(counted([1, 0, 0, 0, 0, 0, 1, 1]), [0, 1, 1, 1, 1, 1, 0, 1]);
    }

    #[test]
    fn one_service_that_is_beyond_all_others_makes_a_tick_far_from_what_is_known() {
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
