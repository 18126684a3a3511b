//! Runs of a rate that changes, pooled bin by bin.

use crate::measure::runner::{Ask, Bench};
use crate::measure::servers::Subject;
use crate::settings::request_spec::Requests;
use seda_tools::arrivals::{Part, Process, Profile, ProfileError};
use seda_tools::generator::Series;
use seda_tools::plan::Pace;
use seda_tools::report::Bin;
use std::error::Error;
use std::time::Duration;

/// The bins of every row that looks at time: 50 ms hold enough requests once runs are pooled.
pub(crate) const BIN: Duration = Duration::from_millis(50);

/// What is pooled.
pub(crate) struct Pooling<'a> {
    pub(crate) cell: &'a str,
    pub(crate) requests: &'a Requests,
    pub(crate) subject: Subject,
    pub(crate) runs: u32,
    pub(crate) retries: u32,
}

impl Pooling<'_> {
    /// Runs with Poisson arrivals of these rates, one after the other.
    pub(crate) fn pool(
        &self,
        bench: &mut Bench,
        parts: &[(f64, Duration)],
    ) -> Result<Vec<Bin>, Box<dyn Error>> {
        let profile = profile(parts)?;
        self.pool_with(bench, |_round| {
            let pace = Pace::Open { process: Process::Poisson, profile: profile.clone() };
            (pace, self.requests.clone())
        })
    }

    /// The same with a pace and requests for each run.
    pub(crate) fn pool_with(
        &self,
        bench: &mut Bench,
        paced: impl Fn(u32) -> (Pace, Requests),
    ) -> Result<Vec<Bin>, Box<dyn Error>> {
        let mut series = Series::default();
        for round in 0..self.runs.max(1) {
            let (pace, requests) = paced(round);
            let ask = Ask {
                cell: self.cell,
                words: format!("run {} of {}", round + 1, self.runs),
                requests: &requests,
                pace,
                warm_up: Duration::ZERO,
                slo: bench.settings.slo,
                retries: self.retries,
                bin: Some(BIN),
                round,
            };
            if let Some(more) = &bench.run(self.subject, &ask)?.series {
                series.add(more);
            }
        }
        Ok(series.report())
    }
}

/// Rates, and how long each lasts.
pub(crate) fn profile(parts: &[(f64, Duration)]) -> Result<Profile, ProfileError> {
    let part = |(rate, duration): &(f64, Duration)| Part { rate: *rate, duration: *duration };
    Profile::new(parts.iter().map(part).collect())
}
