//! A test of paired rounds: whether two sweeps differ in a figure.
//!
//! Round number n of one sweep is the pair of round number n of the other. If the servers were the
//! same, each difference could as well have the other sign: the test compares the sum of the
//! differences with the sums for all choices of signs (the sign-flip permutation test of Fisher and
//! Pitman). It needs no distribution. Many figures at many loads are tested at once, so the results
//! are corrected by Holm's method (1979): with a probability of 95 % none of the differences that
//! it finds is by chance.

use crate::report::Interval;
use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The probability of any false difference.
const ALPHA: f64 = 0.05;
/// The fewest pairs with which a single difference can be found: 2 of 2⁶ signs are as extreme.
pub(super) const FEWEST: usize = 6;
/// Up to this many pairs, all choices of signs are tried; with more, [`DRAWN`] of them.
const ALL: usize = 14;
/// Choices of signs that are drawn.
const DRAWN: u32 = 20_000;

/// The paired values of one figure at one load.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    first: Vec<f64>,
    other: Vec<f64>,
}

impl Pairs {
    /// Makes pairs; a round in which one of the sweeps lacks the figure is no pair.
    pub(super) fn new(first: &[Option<f64>], other: &[Option<f64>]) -> Self {
        let both = first.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let (first, other) = both.filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
        Self { first, other }
    }

    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Returns the probability of differences as large as these, if there is no difference.
    pub(super) fn p(&self) -> f64 {
        p_of_signs(&self.differences())
    }

    /// Returns how many times the first value the other is, with its 95 % interval; `None` unless
    /// all values are above zero.
    pub(super) fn ratio(&self) -> Option<(f64, Interval)> {
        let logs = self.logs()?;
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let Interval { low, high } = Interval::of_mean(&logs)?;
        Some((mean.exp(), Interval { low: low.exp(), high: high.exp() }))
    }

    /// Returns the differences of the logarithms, so that each round weighs the same; if a value is
    /// not above zero, the differences.
    fn differences(&self) -> Vec<f64> {
        let plain = || self.first.iter().zip(&self.other).map(|(a, b)| b - a).collect();
        self.logs().unwrap_or_else(plain)
    }

    fn logs(&self) -> Option<Vec<f64>> {
        let is_positive = self.first.iter().chain(&self.other).all(|value| *value > 0.0);
        let logs = self.first.iter().zip(&self.other).map(|(a, b)| (b / a).ln());
        is_positive.then(|| logs.collect())
    }
}

fn p_of_signs(differences: &[f64]) -> f64 {
    let found = differences.iter().sum::<f64>().abs();
    // Rounding must not make an equal sum smaller.
    let scale: f64 = differences.iter().map(|difference| difference.abs()).sum();
    let least = found - 1e-12 * scale;
    let sum = |signs: u64| -> f64 {
        let signed = differences.iter().zip(0..);
        signed.map(|(d, bit)| if signs >> bit & 1 == 1 { -d } else { *d }).sum()
    };
    let count = differences.len();
    if count <= ALL {
        let all = 1_u64 << count;
        let extreme = (0..all).filter(|signs| sum(*signs).abs() >= least).count();
        return extreme as f64 / all as f64;
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(count as u64);
    let flipped = |rng: &mut Xoshiro256PlusPlus| -> f64 {
        differences.iter().map(|d| if rng.next_u32() >> 31 == 1 { -d } else { *d }).sum()
    };
    let extreme = (0..DRAWN).filter(|_| flipped(&mut rng).abs() >= least).count();
    (extreme as f64 + 1.0) / (f64::from(DRAWN) + 1.0)
}

/// Returns which of the probabilities are differences, by Holm's method.
pub(super) fn holm(probabilities: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    let p = |index: usize| probabilities.get(index).copied().unwrap_or(1.0);
    order.sort_by(|a, b| p(*a).total_cmp(&p(*b)));
    let mut differs = vec![false; probabilities.len()];
    for (rank, index) in order.into_iter().enumerate() {
        if p(index) > ALPHA / (probabilities.len() - rank) as f64 {
            break;
        }
        if let Some(differs) = differs.get_mut(index) {
            *differs = true;
        }
    }
    differs
}

/// Returns the pairs with which a difference can be found among this many tests: the two extreme
/// choices of signs must be rare enough.
pub(super) fn needed(tests: usize) -> usize {
    let rare = |pairs: &usize| 2.0 / 2_f64.powi(*pairs as i32) <= ALPHA / tests.max(1) as f64;
    (FEWEST..64).find(rare).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probability_is_the_share_of_signs_as_extreme() {
        assert_eq!(p_of_signs(&[1.0; 6]), 2.0 / 64.0);
        // The sums of ±1 ±2 ±3: 0 twice, ±2, ±4 and ±6 once each.
        assert_eq!(p_of_signs(&[1.0, -2.0, 3.0]), 6.0 / 8.0);
        assert_eq!(p_of_signs(&[1.0, 2.0, 3.0]), 2.0 / 8.0);
        assert_eq!(p_of_signs(&[0.0; 6]), 1.0);
        assert!(p_of_signs(&[1.0; 20]) < 0.001 && p_of_signs(&[0.0; 20]) == 1.0);
    }

    #[test]
    fn holm_is_stricter_the_more_figures_there_are() {
        assert_eq!(holm(&[0.04]), [true]);
        assert_eq!(holm(&[0.04, 0.04]), [false, false]);
        assert_eq!(holm(&[0.04, 0.02]), [true, true]);
        assert_eq!(holm(&[0.04, 0.02, 0.9]), [false, false, false]);
        assert_eq!((needed(1), needed(4), needed(36)), (6, 8, 11));
    }

    #[test]
    fn a_ratio_has_an_interval() {
        let known = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let first = known(&[100.0, 110.0, 90.0, 100.0, 105.0, 95.0]);
        let other = known(&[201.0, 219.0, 181.0, 199.0, 211.0, 189.0]);
        let pairs = Pairs::new(&first, &other);
        let (ratio, interval) = pairs.ratio().unwrap();
        assert!((ratio - 2.0).abs() < 0.01 && interval.contains(2.0), "{interval}");
        assert!(interval.high - interval.low < 0.05, "{interval}");
        assert_eq!((pairs.len(), pairs.p()), (6, 2.0 / 64.0));
        assert_eq!(Pairs::new(&first, &known(&[0.0; 6])).ratio(), None);
        assert_eq!(Pairs::new(&first, &[None, Some(1.0)]).len(), 1);
    }

    /// Rounds of one server, labelled as two: how often any of 8 figures seems to differ.
    #[test]
    fn a_server_beside_itself_seldom_differs() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut alarms = 0;
        for _ in 0..400 {
            let tests = (0..8).map(|_| {
                let mut noise = || Some(900.0 + f64::from(rng.next_u32()) / f64::from(u32::MAX));
                let first: Vec<_> = (0..10).map(|_| noise()).collect();
                let other: Vec<_> = (0..10).map(|_| noise()).collect();
                Pairs::new(&first, &other).p()
            });
            alarms += usize::from(holm(&tests.collect::<Vec<_>>()).contains(&true));
        }
        assert!(alarms <= 32, "{alarms} of 400");
    }
}
