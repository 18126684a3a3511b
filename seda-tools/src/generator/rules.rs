//! The rules that classify answers.

use crate::load::retry::Retry;
use crate::load::workload::PreparedTarget;
use crate::report::outcome::Outcome;
use seda_core::Time;
use std::time::Duration;

/// The rules that classify the end of a request.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The first SLO; `None`: every right answer is good.
    pub(crate) slo: Option<Duration>,
    /// The longest time of an attempt, from its intended start.
    pub(crate) deadline: Duration,
    pub(crate) retry: Retry,
    /// No retry begins later, so that a run ends although a server asks for long pauses.
    pub(crate) last_retry: Time,
    /// The right statuses; if empty, 200 to 399.
    pub(crate) expected: Vec<u16>,
}

/// The statuses of a refusal: 429 Too Many Requests (RFC 6585, 4) and 503 Service Unavailable
/// (RFC 9110, 15.6.4).
const REFUSALS: [u16; 2] = [429, 503];

impl Rules {
    /// Classifies a complete answer.
    pub(crate) fn classify(
        &self,
        status: u16,
        target: &PreparedTarget,
        response: Duration,
    ) -> Outcome {
        let is_right = match target.expected {
            // The status that a trace recorded is right, even if it is an error.
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
