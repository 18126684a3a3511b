//! A long run at half the capacity: neither configuration refuses a request.

use crate::judge::verdict::{Check, Row, count};
use crate::measure::runner::{RunSpec, Runner, poisson};
use crate::measure::servers::CONFIGURATIONS;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[below.quiet]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quiet {
    pub(crate) name: String,
    requests: RequestSpec,
    load: f64,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
}

impl Quiet {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        // A shorter run would say nothing about minutes.
        if runner.settings.quick {
            return Ok(Vec::new());
        }
        let requests = Requests::from(&self.requests);
        let capacity = runner.probe(&self.name, &requests, runner.settings.slo, 0)?;
        let lasts = humantime::format_duration(self.lasts);
        let label = format!("{}x for {lasts}", self.load);
        let pace = poisson(capacity * self.load, self.lasts)?;
        let spec = RunSpec {
            warm_up: Duration::ZERO,
            ..RunSpec::new(&runner.settings, &self.name, label, &requests, pace)
        };
        let mut rows = Vec::new();
        for subject in CONFIGURATIONS {
            let outcomes = runner.run(subject, &spec)?.load.outcomes;
            let others = outcomes.ended() - outcomes.good - outcomes.refused;
            let checks = vec![
                Check::at_most("refused", Spread::of([outcomes.refused as f64]), 0.0, count),
                Check::at_most("late, wrong or lost", Spread::of([others as f64]), 0.0, count)
                    .unjudged(),
                Check::at_least("good", Spread::of([outcomes.good as f64]), 0.0, count).unjudged(),
            ];
            let configuration = subject.configuration();
            let name = format!("{} at {}x for {lasts}, {configuration}", self.name, self.load);
            rows.push(Row { kind: "quiet", name, checks, notes: Vec::new() });
        }
        Ok(rows)
    }
}
