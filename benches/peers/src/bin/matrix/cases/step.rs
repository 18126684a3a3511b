//! The load steps above the capacity: how long answers stay late.

use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, Row, ratio, time};
use crate::measure::profile::{Pooled, Pooling};
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
        let bins = self.pool(runner, &requests, Subject::SloSet, capacity, runs)?.bins;
        let nothing_set = self.pool(runner, &requests, Subject::NothingSet, capacity, runs)?;
        let refusal = runner.least_refusal(&self.name, &requests, runner.settings.flood, 0)?;
        let costs = Costs::of_a_core(capacity, refusal);
        let after = nothing_set.parts(1);
        let share =
            after.map(|part| part.throughput_per_second / costs.bound(part.offered_per_second));
        let step = self.before.as_secs_f64();
        let end = (self.before + self.lasts).as_secs_f64();
        let judged_from = (self.before + self.within).as_secs_f64();
        let slo = runner.settings.slo.as_secs_f64();
        let name = format!("{}x to {}x, {runs} runs", self.from, self.to);
        let within = humantime::format_duration(self.within);
        let checks = vec![
            Check::at_most(
                &format!("SLO set: worst p99 of a bin from {within} on"),
                Spread::of(worst_p99(between(&bins, judged_from, end))),
                slo,
                time,
            ),
            Check::at_most(
                "SLO set: of any bin",
                Spread::of(worst_p99(between(&bins, step, end))),
                slo,
                time,
            )
            .unjudged(),
            Check::at_least(
                "nothing set: throughput after it / B",
                Spread::of(share),
                runner.settings.targets.throughput,
                ratio,
            ),
        ];
        Ok(vec![Row { kind: "step", name, checks, notes: Vec::new() }])
    }

    fn pool(
        &self,
        runner: &mut Runner,
        requests: &Requests,
        subject: Subject,
        capacity: f64,
        runs: u32,
    ) -> Result<Pooled, Box<dyn Error>> {
        let pooling = Pooling { cell: &self.name, requests, subject, runs, retries: 0 };
        let parts = [(capacity * self.from, self.before), (capacity * self.to, self.lasts)];
        pooling.pool(runner, &parts)
    }
}
