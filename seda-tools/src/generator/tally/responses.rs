//! Outcomes with response times.

use crate::report::outcome::{Outcome, Outcomes};
use seda_core::stats::Quantiles;

/// Outcomes of requests, with the response times of right answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Responses {
    pub(crate) outcomes: Outcomes,
    pub(crate) times: Quantiles,
}

impl Responses {
    /// Counts the outcome of one request.
    pub(crate) fn count(&mut self, outcome: Outcome, response_nanos: u64) {
        self.outcomes.count(outcome);
        if outcome.is_right() {
            self.times.record(response_nanos, 1);
        }
    }

    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Responses) {
        self.outcomes.add(&other.outcomes);
        self.times.add(&other.times);
    }
}
