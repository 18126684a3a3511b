//! The response times of a point: their mean and quantiles, each over all rounds.

use super::spread::Spread;
use seda_core::stats::QuantileSummary;
use serde::{Deserialize, Serialize};

/// Response times of right answers in seconds, from the intended start, over all rounds. A figure
/// is `None` if no round has a right answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseSpreads {
    /// The mean.
    pub mean: Option<Spread>,
    /// The median.
    pub p50: Option<Spread>,
    /// The 99th percentile.
    pub p99: Option<Spread>,
    /// The 99.9th percentile.
    pub p999: Option<Spread>,
}

impl ResponseSpreads {
    /// Returns the spreads over the rounds of which `rounds` has one summary each.
    pub(super) fn of(rounds: &[&QuantileSummary]) -> Self {
        let spread = |figure: fn(&QuantileSummary) -> Option<f64>| {
            Spread::of(rounds.iter().filter_map(|round| figure(round)))
        };
        Self {
            mean: spread(|round| round.mean),
            p50: spread(|round| round.p50),
            p99: spread(|round| round.p99),
            p999: spread(|round| round.p999),
        }
    }

    /// Returns the columns of the table of points: each with its name and its figure.
    pub(super) fn columns(&self) -> [(&'static str, Option<Spread>); 2] {
        [("p50", self.p50), ("p99", self.p99)]
    }
}
