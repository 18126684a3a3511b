//! What became of the requests of a load.

use serde_json::{Value, json};
use std::time::Duration;

/// What became of one request, with the time since it was due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// A success within the SLO.
    Good(Duration),
    /// A success after it.
    Late(Duration),
    /// 503.
    Refused(Duration),
    /// No answer within the timeout.
    TimedOut,
    /// No answer, or another status.
    Failed,
}

/// The requests by their outcome.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    good: u64,
    late: u64,
    timed_out: u64,
    failed: u64,
    answered: Vec<Duration>,
    refused: Vec<Duration>,
}

impl Outcomes {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Good(time) => {
                self.good += 1;
                self.answered.push(time);
            }
            Outcome::Late(time) => {
                self.late += 1;
                self.answered.push(time);
            }
            Outcome::Refused(time) => self.refused.push(time),
            Outcome::TimedOut => self.timed_out += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Returns counts, rates over the `duration` of the load, and quantiles in milliseconds; `null`
    /// without a request of their kind.
    pub(crate) fn into_json(mut self, duration: Duration) -> Value {
        self.answered.sort_unstable();
        self.refused.sort_unstable();
        let refused = self.refused.len() as u64;
        let offered = self.answered.len() as u64 + refused + self.timed_out + self.failed;
        let seconds = duration.as_secs_f64();
        json!({
            "offered": offered,
            "good": self.good,
            "late": self.late,
            "refused": refused,
            "timed_out": self.timed_out,
            "failed": self.failed,
            "offered_per_second": offered as f64 / seconds,
            "good_per_second": self.good as f64 / seconds,
            "p50_ms": quantile(&self.answered, 50),
            "p99_ms": quantile(&self.answered, 99),
            "refused_p50_ms": quantile(&self.refused, 50),
            "refused_p99_ms": quantile(&self.refused, 99),
        })
    }
}

/// Returns the time that so many of 100 do not exceed, in milliseconds; `None` without any.
fn quantile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    let time = sorted.get(rank.checked_sub(1)?)?;
    Some((time.as_secs_f64() * 1e6).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_counts_once_and_the_quantiles_are_of_its_kind() {
        let mut outcomes = Outcomes::default();
        let millis = Duration::from_millis;
        (1..=98).for_each(|n| outcomes.add(Outcome::Good(millis(n))));
        outcomes.add(Outcome::Late(millis(300)));
        outcomes.add(Outcome::Late(millis(400)));
        outcomes.add(Outcome::Refused(millis(2)));
        outcomes.add(Outcome::TimedOut);
        outcomes.add(Outcome::Failed);
        let json = outcomes.into_json(Duration::from_secs(2));
        assert_eq!((&json["offered"], &json["good_per_second"]), (&103.into(), &49.0.into()));
        assert_eq!((&json["p50_ms"], &json["p99_ms"]), (&50.0.into(), &300.0.into()));
        assert_eq!(json["refused_p99_ms"], 2.0);
        let none = Outcomes::default().into_json(Duration::from_secs(1));
        assert!(none["p99_ms"].is_null() && none["offered"] == 0);
    }
}
