//! The load steps above the capacity: how long answers stay late.

use crate::judge::verdict::{Check, Row, time};
use crate::measure::profile::Pooling;
use crate::measure::runner::Runner;
use crate::measure::series::{between, worst_p99};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[step]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    requests: RequestSpec,
    /// Multiples of the capacity before and after the step.
    from: f64,
    to: f64,
    #[serde(with = "humantime_serde")]
    before: Duration,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    /// Number of runs to pool.
    runs: u32,
    /// Time after the step from which every bin keeps the SLO.
    #[serde(with = "humantime_serde")]
    within: Duration,
}

impl Step {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let capacity = runner.probe(&self.name, &requests, runner.settings.slo, 0)?;
        let runs = if runner.settings.quick { runner.settings.quick_runs } else { self.runs };
        let pooling = Pooling {
            cell: &self.name,
            requests: &requests,
            subject: Subject::Judged,
            runs,
            retries: 0,
        };
        let parts = [(capacity * self.from, self.before), (capacity * self.to, self.lasts)];
        let bins = pooling.pool(runner, &parts)?;
        let step = self.before.as_secs_f64();
        let end = (self.before + self.lasts).as_secs_f64();
        let judged_from = (self.before + self.within).as_secs_f64();
        let slo = runner.settings.slo.as_secs_f64();
        let name = format!("{}x to {}x, {runs} runs", self.from, self.to);
        let within = humantime::format_duration(self.within);
        let checks = vec![
            Check::at_most(
                &format!("worst p99 of a bin from {within} on"),
                Spread::of(worst_p99(between(&bins, judged_from, end))),
                slo,
                time,
            ),
            Check::at_most(
                "of any bin",
                Spread::of(worst_p99(between(&bins, step, end))),
                slo,
                time,
            )
            .unjudged(),
        ];
        Ok(vec![Row { kind: "step", name, checks, notes: Vec::new() }])
    }
}
