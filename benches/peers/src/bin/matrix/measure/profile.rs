//! Several runs of a changing rate, pooled bin by bin.

use crate::measure::runner::{RunSpec, Runner};
use crate::measure::servers::Subject;
use crate::settings::request_spec::Requests;
use seda_tools::arrivals::{Part, Process, Profile, ProfileError};
use seda_tools::generator::Series;
use seda_tools::plan::Pace;
use seda_tools::report::{Bin, LoadReport, WindowReport};
use std::error::Error;
use std::time::Duration;

/// Width of the bins of every time series: 50 ms of several runs hold enough requests.
pub(crate) const BIN: Duration = Duration::from_millis(50);

/// The runs to pool.
pub(crate) struct Pooling<'a> {
    pub(crate) cell: &'a str,
    pub(crate) requests: &'a Requests,
    pub(crate) subject: Subject,
    pub(crate) runs: u32,
    pub(crate) retries: u32,
}

/// The figures of all runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pooled {
    pub(crate) bins: Vec<Bin>,
    pub(crate) loads: Vec<LoadReport>,
}

impl Pooled {
    /// Returns part number `n` of every run's profile.
    pub(crate) fn parts(&self, n: usize) -> impl Iterator<Item = &WindowReport> {
        self.loads
            .iter()
            .filter_map(move |load| load.windows.iter().filter(|window| window.measured).nth(n))
    }
}

impl Pooling<'_> {
    /// Runs with Poisson arrivals at these rates, each for its duration, one after the other.
    pub(crate) fn pool(
        &self,
        runner: &mut Runner,
        parts: &[(f64, Duration)],
    ) -> Result<Pooled, Box<dyn Error>> {
        let profile = profile(parts)?;
        self.pool_with(runner, |_round| {
            let pace = Pace::Open { process: Process::Poisson, profile: profile.clone() };
            (pace, self.requests.clone())
        })
    }

    /// Runs with the pace and the requests that `paced` returns for each run.
    pub(crate) fn pool_with(
        &self,
        runner: &mut Runner,
        paced: impl Fn(u32) -> (Pace, Requests),
    ) -> Result<Pooled, Box<dyn Error>> {
        let (mut series, mut loads) = (Series::default(), Vec::new());
        for round in 0..self.runs.max(1) {
            let (pace, requests) = paced(round);
            let label = format!("run {} of {}", round + 1, self.runs);
            let spec = RunSpec {
                warm_up: Duration::ZERO,
                retries: self.retries,
                bin: Some(BIN),
                round,
                ..RunSpec::new(&runner.settings, self.cell, label, &requests, pace)
            };
            let outcome = runner.run(self.subject, &spec)?;
            outcome.series.iter().for_each(|more| series.add(more));
            loads.push(outcome.load);
        }
        Ok(Pooled { bins: series.report(), loads })
    }
}

/// Returns a profile of rates per second, each with its duration.
pub(crate) fn profile(parts: &[(f64, Duration)]) -> Result<Profile, ProfileError> {
    let parts = parts.iter().map(|(rate, duration)| Part { rate: *rate, duration: *duration });
    Profile::new(parts.collect())
}
