//! Many requests at once on an idle server, after a while and as its very first ones: none is
//! refused.

use crate::judge::verdict::{Check, Row, count};
use crate::measure::runner::{RunSpec, Runner};
use crate::measure::servers::{CONFIGURATIONS, Subject};
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::plan::Pace;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[below.at_once]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtOnce {
    pub(crate) name: String,
    requests: RequestSpec,
    /// Number of requests that come at once.
    count: u32,
    /// Single requests before them, and the time between two.
    single: u32,
    #[serde(with = "humantime_serde")]
    every: Duration,
    /// Idle time after the last single request.
    #[serde(with = "humantime_serde")]
    idle: Duration,
}

impl AtOnce {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let mut rows = Vec::new();
        for subject in CONFIGURATIONS {
            let first = self.refused(runner, &requests, subject, "the first", self.at(0))?;
            let later = self.later();
            let later = self.refused(runner, &requests, subject, "after an idle time", later)?;
            let checks = vec![
                Check::never_above("refused as the first", Spread::of(first), 0.0, count),
                Check::never_above("refused after an idle time", Spread::of(later), 0.0, count),
            ];
            let name =
                format!("{}, {} at once, {}", self.name, self.count, subject.configuration());
            rows.push(Row { kind: "at once", name, checks, notes: Vec::new() });
        }
        Ok(rows)
    }

    /// Returns the refused requests of each round, each on a server of its own.
    fn refused(
        &self,
        runner: &mut Runner,
        requests: &Requests,
        subject: Subject,
        label: &str,
        times: Vec<u64>,
    ) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut refused = Vec::new();
        for round in 0..runner.settings.rounds {
            let label = format!("round {}, {} at once, {label}", round + 1, self.count);
            let pace = Pace::Recorded { times: times.clone().into(), speed: 1.0 };
            let new = RunSpec::new(&runner.settings, &self.name, label, requests, pace);
            let spec = RunSpec { warm_up: Duration::ZERO, round, ..new };
            let outcomes = runner.run(subject, &spec)?.load.outcomes;
            refused.push(outcomes.refused as f64);
        }
        Ok(refused)
    }

    /// Returns the times of the requests that come at once, in nanoseconds.
    fn at(&self, nanos: u64) -> Vec<u64> {
        vec![nanos; self.count as usize]
    }

    /// Returns the times of the single requests and then of those that come at once.
    fn later(&self) -> Vec<u64> {
        let every = self.every.as_nanos() as u64;
        let single = (0..u64::from(self.single)).map(|n| n * every);
        let last = single.clone().next_back().unwrap_or(0);
        single.chain(self.at(last + self.idle.as_nanos() as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_requests_come_at_once_after_the_single_ones_and_the_idle_time() {
        let cell: AtOnce = toml::from_str(
            "name = 'a'\nrequests = '/sleep?millis=1'\ncount = 3\nsingle = 2\nevery = '5ns'\n\
             idle = '90ns'",
        )
        .unwrap();
        assert_eq!(cell.at(0), [0, 0, 0]);
        assert_eq!(cell.later(), [0, 5, 95, 95, 95]);
    }
}
