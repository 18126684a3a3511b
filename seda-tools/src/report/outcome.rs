//! The outcome of a request: exactly one of seven.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a request. The seven are exclusive: their counts add up to the scheduled
/// requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A right answer within the first SLO; without an SLO, a right answer.
    Good,
    /// A right answer after the first SLO.
    Late,
    /// The status 429 or 503.
    Refused,
    /// A complete answer with another status that is not right.
    Wrong,
    /// No answer before the deadline; the client closed the connection.
    TimedOut,
    /// No connection.
    ConnectError,
    /// The connection ended before the end of the answer, or the answer is not HTTP.
    Broken,
}

impl Outcome {
    /// All seven, in the order of the report.
    pub const ALL: [Outcome; 7] = [
        Outcome::Good,
        Outcome::Late,
        Outcome::Refused,
        Outcome::Wrong,
        Outcome::TimedOut,
        Outcome::ConnectError,
        Outcome::Broken,
    ];

    /// Returns true for a right answer, late ones included.
    pub(crate) fn is_right(self) -> bool {
        matches!(self, Outcome::Good | Outcome::Late)
    }

    /// Returns the name for text: that of the report with spaces.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Good => "good",
            Outcome::Late => "late",
            Outcome::Refused => "refused",
            Outcome::Wrong => "wrong",
            Outcome::TimedOut => "timed out",
            Outcome::ConnectError => "connect error",
            Outcome::Broken => "broken",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The number of scheduled requests, and of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Requests with an intended start in the window: the sum of the seven outcomes.
    pub scheduled: u64,
    /// See [`Outcome::Good`].
    pub good: u64,
    /// See [`Outcome::Late`].
    pub late: u64,
    /// See [`Outcome::Refused`].
    pub refused: u64,
    /// See [`Outcome::Wrong`].
    pub wrong: u64,
    /// See [`Outcome::TimedOut`].
    pub timed_out: u64,
    /// See [`Outcome::ConnectError`].
    pub connect_error: u64,
    /// See [`Outcome::Broken`].
    pub broken: u64,
}

impl Outcomes {
    /// Returns the number of requests with this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Good => self.good,
            Outcome::Late => self.late,
            Outcome::Refused => self.refused,
            Outcome::Wrong => self.wrong,
            Outcome::TimedOut => self.timed_out,
            Outcome::ConnectError => self.connect_error,
            Outcome::Broken => self.broken,
        }
    }

    /// Counts one outcome. `scheduled` is counted at the start of a request.
    pub fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Good => &mut self.good,
            Outcome::Late => &mut self.late,
            Outcome::Refused => &mut self.refused,
            Outcome::Wrong => &mut self.wrong,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::ConnectError => &mut self.connect_error,
            Outcome::Broken => &mut self.broken,
        } += 1;
    }

    /// Returns the sum of the seven outcomes.
    pub fn ended(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.of(*outcome)).sum()
    }

    /// Returns the counts since `earlier`.
    #[cfg(feature = "top")]
    pub(crate) fn since(&self, earlier: &Outcomes) -> Outcomes {
        Outcomes {
            scheduled: self.scheduled.saturating_sub(earlier.scheduled),
            good: self.good.saturating_sub(earlier.good),
            late: self.late.saturating_sub(earlier.late),
            refused: self.refused.saturating_sub(earlier.refused),
            wrong: self.wrong.saturating_sub(earlier.wrong),
            timed_out: self.timed_out.saturating_sub(earlier.timed_out),
            connect_error: self.connect_error.saturating_sub(earlier.connect_error),
            broken: self.broken.saturating_sub(earlier.broken),
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Outcomes) {
        self.scheduled += other.scheduled;
        self.good += other.good;
        self.late += other.late;
        self.refused += other.refused;
        self.wrong += other.wrong;
        self.timed_out += other.timed_out;
        self.connect_error += other.connect_error;
        self.broken += other.broken;
    }
}
