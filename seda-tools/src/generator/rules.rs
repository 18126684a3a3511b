//! What counts as what: the SLOs, the deadline, the statuses.

use crate::load::retry::Retry;
use crate::load::workload::Target;
use crate::report::outcome::Outcome;
use std::time::Duration;

/// By what a request's end is judged.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The first SLO, if there is one.
    pub(crate) slo: Option<Duration>,
    /// What an attempt gets, from its intended start.
    pub(crate) deadline: Duration,
    pub(crate) retry: Retry,
    /// The statuses that are right; if empty, 200 to 399 are.
    pub(crate) expected: Vec<u16>,
}

/// A status that says no for the time being: 429 Too Many Requests (RFC 6585, 4) and 503 Service
/// Unavailable (RFC 9110, 15.6.4).
const REFUSALS: [u16; 2] = [429, 503];

impl Rules {
    /// What a whole answer is worth.
    pub(crate) fn judge(&self, status: u16, target: &Target, response: Duration) -> Outcome {
        let is_right = match target.expected {
            // In a trace's own status the past and the present agree, whatever it is.
            Some(expected) if expected == status => true,
            _ if self.expected.is_empty() => (200..400).contains(&status),
            _ => self.expected.contains(&status),
        };
        match self.slo {
            _ if !is_right && REFUSALS.contains(&status) => Outcome::Refused,
            _ if !is_right => Outcome::Wrong,
            Some(slo) if response > slo => Outcome::Late,
            _ => Outcome::Good,
        }
    }
}
