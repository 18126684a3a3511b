//! The cost model relates the costs of requests to the service that they took.

use crate::stats::{OutlierFilter, ServedCosts, is_outlier};

/// The number of requests over which the worth of a unit of cost is smoothed. Demands that differ
/// by two orders of magnitude, as those of language models do, leave an error of a tenth.
const EWMA_SAMPLES: f64 = 64.0;

/// The worth of a unit of cost in service, and the variation of costs, by served requests.
///
/// It keeps decaying sums instead of a smoothed quotient, because requests with large costs have to
/// weigh more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CostModel {
    requests: f64,
    cost: f64,
    squares: f64,
    /// The service that these requests took.
    seconds: f64,
    outliers: OutlierFilter,
}

impl CostModel {
    /// Ends a tick: the `served` requests took `seconds` of service.
    pub(crate) fn update(&mut self, served: &ServedCosts, seconds: f64) {
        if served.requests == 0 && self.requests == 0.0 {
            return;
        }
        let (n, cost) = (served.requests as f64, served.cost as f64);
        let expected = self.units_per_second().map(|units| cost / units);
        let expected = expected.filter(|seconds| *seconds > 0.0);
        // Outliers in both directions: a request that declares a million times its cost must not
        // make all others cheap.
        let is_outlier =
            is_outlier(seconds, expected) || expected.is_some_and(|e| is_outlier(e, Some(seconds)));
        if !self.outliers.counts(is_outlier) {
            return;
        }
        let kept = EWMA_SAMPLES / (EWMA_SAMPLES + n);
        self.requests = self.requests * kept + n;
        self.cost = self.cost * kept + cost;
        self.squares = self.squares * kept + served.squares as f64;
        self.seconds = self.seconds * kept + seconds;
    }

    /// Returns the units that a second of service is worth; `None` before a request with a cost was
    /// served.
    pub(crate) fn units_per_second(&self) -> Option<f64> {
        (self.cost > 0.0 && self.seconds > 0.0).then(|| self.cost / self.seconds)
    }

    /// Returns the squared coefficient of variation of the costs: 0 if all are alike, 1 if they are
    /// exponential. `None` before a request with a cost was served.
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
    fn the_worth_of_a_unit_follows_the_measured_service() {
        let mut model = CostModel::default();
        model.update(&served(&[]), 1.0);
        assert_eq!((model.units_per_second(), model.variation()), (None, None));
        model.update(&served(&[10; 64]), 0.64);
        assert_eq!((model.units_per_second(), model.variation()), (Some(1_000.0), Some(0.0)));
        // The service has doubled, and half of the requests known are new.
        model.update(&served(&[10; 64]), 1.28);
        assert_eq!(model.units_per_second(), Some(960.0 / 1.6));
    }

    #[test]
    fn a_request_that_declares_a_million_times_its_cost_makes_no_other_cheap() {
        let mut model = CostModel::default();
        model.update(&served(&[10; 64]), 0.64);
        model.update(&served(&[u32::MAX]), 0.01);
        assert_eq!(model.units_per_second(), Some(1_000.0));
        // The sums stay exact beside it.
        let mut all = served(&[u32::MAX]);
        all.add(&served(&[10, 10]));
        assert_eq!(all.squares, u128::from(u32::MAX) * u128::from(u32::MAX) + 200);
    }

    #[test]
    fn costs_that_differ_have_a_variation() {
        let mut model = CostModel::default();
        model.update(&served(&[1, 3]), 1.0);
        assert_eq!(model.variation(), Some(0.25));
    }
}
