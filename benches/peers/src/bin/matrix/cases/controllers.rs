//! The CPU cost of the controllers when they have nothing to correct.

use crate::judge::verdict::{Check, Row, percent, time};
use crate::measure::runner::{RunSpec, Runner, poisson};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[controllers]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Controllers {
    pub(crate) name: String,
    requests: RequestSpec,
    load: f64,
    /// Number of rounds, each with the controllers and without.
    pairs: u32,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    /// The largest share by which CPU time per request may grow.
    most: f64,
}

impl Controllers {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let capacity = runner.probe(&self.name, &requests, runner.settings.slo, 0)?;
        let pairs = if runner.settings.quick { runner.settings.quick_runs } else { self.pairs };
        let (mut more, mut each) = (Vec::new(), Vec::new());
        for round in 0..pairs {
            let spec = self.run_spec(runner, &requests, capacity, round)?;
            // They swap places each round, so that the machine's drift favours neither.
            let (on, off) = if round.is_multiple_of(2) {
                let on = cpu_per_request(runner, Subject::SloSet, &spec)?;
                (on, cpu_per_request(runner, Subject::Uncontrolled, &spec)?)
            } else {
                let off = cpu_per_request(runner, Subject::Uncontrolled, &spec)?;
                (cpu_per_request(runner, Subject::SloSet, &spec)?, off)
            };
            each.push(off);
            more.push(on / off - 1.0);
        }
        let checks = vec![
            Check::at_most("more CPU a request", Spread::of(more), self.most, percent),
            Check::at_most("CPU a request without", Spread::of(each), 0.0, time).unjudged(),
        ];
        let name = format!("{} at {}x, {pairs} pairs", self.name, self.load);
        Ok(vec![Row { kind: "controllers", name, checks, notes: Vec::new() }])
    }

    fn run_spec<'a>(
        &'a self,
        runner: &Runner,
        requests: &'a Requests,
        capacity: f64,
        round: u32,
    ) -> Result<RunSpec<'a>, Box<dyn Error>> {
        let settings = &runner.settings;
        let duration = if settings.quick { settings.measured } else { self.lasts };
        let label = format!("pair {}, {}x", round + 1, self.load);
        let pace = poisson(capacity * self.load, duration)?;
        Ok(RunSpec { round, ..RunSpec::new(settings, &self.name, label, requests, pace) })
    }
}

/// Runs a load and returns CPU seconds per served request.
fn cpu_per_request(
    runner: &mut Runner,
    subject: Subject,
    spec: &RunSpec<'_>,
) -> Result<f64, Box<dyn Error>> {
    let usage = runner.run(subject, spec)?.usage;
    Ok(usage.cpu / usage.served.max(1.0))
}
