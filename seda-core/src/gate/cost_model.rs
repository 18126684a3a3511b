//! What requests said they would cost, beside what they then took.

use crate::stats::{OutlierFilter, ServedCosts, is_outlier};

/// Over how many requests the price of a unit of cost is smoothed. Demands that differ by two
/// orders of magnitude, as those of language models do, leave an error of a tenth.
const EWMA_SAMPLES: f64 = 64.0;

/// What a unit of cost is worth, learned from requests that were served, and how much their costs
/// differ.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CostModel {
    requests: f64,
    cost: f64,
    squares: f64,
    /// What serving them took.
    seconds: f64,
    stall: OutlierFilter,
}

impl CostModel {
    /// During a tick these were served, and their service took so many seconds.
    pub(crate) fn update(&mut self, served: &ServedCosts, seconds: f64) {
        if served.requests == 0 && self.requests == 0.0 {
            return;
        }
        let (n, cost) = (served.requests as f64, served.cost as f64);
        let expected = self.units_per_second().map(|units| cost / units);
        let expected = expected.filter(|seconds| *seconds > 0.0);
        // Far more than it should have taken, or far less: one that says it costs a million times
        // what it takes does not make all others cheap.
        let far =
            is_outlier(seconds, expected) || expected.is_some_and(|e| is_outlier(e, Some(seconds)));
        if !self.stall.counts(far) {
            return;
        }
        let kept = EWMA_SAMPLES / (EWMA_SAMPLES + n);
        self.requests = self.requests * kept + n;
        self.cost = self.cost * kept + cost;
        self.squares = self.squares * kept + served.squares as f64;
        self.seconds = self.seconds * kept + seconds;
    }

    /// How many units a second of service is worth; `None` while nothing was declared and served.
    pub(crate) fn units_per_second(&self) -> Option<f64> {
        (self.cost > 0.0 && self.seconds > 0.0).then(|| self.cost / self.seconds)
    }

    /// The squared coefficient of variation of the costs: 0 if all are alike, 1 if they are
    /// exponential.
    pub(crate) fn variation(&self) -> Option<f64> {
        let mean = self.cost / self.requests;
        (self.cost > 0.0).then(|| (self.squares / self.requests / (mean * mean) - 1.0).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(costs: &[u32]) -> ServedCosts {
        let mut served = ServedCosts::default();
        costs.iter().for_each(|cost| served.count(*cost));
        served
    }

    #[test]
    fn the_price_follows_what_serving_took() {
        let mut price = CostModel::default();
        price.update(&served(&[]), 1.0);
        assert_eq!((price.units_per_second(), price.variation()), (None, None));
        price.update(&served(&[10; 64]), 0.64);
        assert_eq!((price.units_per_second(), price.variation()), (Some(1_000.0), Some(0.0)));
        // It has doubled: half of what is known is new.
        price.update(&served(&[10; 64]), 1.28);
        assert_eq!(price.units_per_second(), Some(960.0 / 1.6));
    }

    #[test]
    fn one_that_declares_a_million_times_what_it_takes_makes_no_other_cheap() {
        let mut price = CostModel::default();
        price.update(&served(&[10; 64]), 0.64);
        price.update(&served(&[u32::MAX]), 0.01);
        assert_eq!(price.units_per_second(), Some(1_000.0));
        // The sums stay exact beside it, too.
        let mut all = served(&[u32::MAX]);
        all.add(&served(&[10, 10]));
        assert_eq!(all.squares, u128::from(u32::MAX) * u128::from(u32::MAX) + 200);
    }

    #[test]
    fn costs_that_differ_vary() {
        let mut price = CostModel::default();
        price.update(&served(&[1, 3]), 1.0);
        assert_eq!(price.variation(), Some(0.25));
    }
}
