//! Many clients of a closed loop: all get the same share.

use crate::judge::verdict::{Check, Row, ratio};
use crate::measure::runner::{RunSpec, Runner};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::plan::Pace;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[fairness]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fairness {
    pub(crate) name: String,
    requests: RequestSpec,
    clients: u32,
    #[serde(with = "humantime_serde")]
    think: Duration,
    /// Long enough for 200 good answers to each client.
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    jain: f64,
}

impl Fairness {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let duration = if runner.settings.quick { self.lasts / 4 } else { self.lasts };
        let label = format!("{} clients", self.clients);
        let pace = Pace::Closed { clients: self.clients, think: self.think, duration };
        let spec = RunSpec::new(&runner.settings, &self.name, label, &requests, pace);
        let load = runner.run(Subject::SloSet, &spec)?.load;
        let fairness = load.fairness.ok_or("no client was counted")?;
        let mut notes = vec![format!("{} to {} good answers", fairness.fewest, fairness.most)];
        if !fairness.enough {
            notes.push("some clients have fewer than 200: chance outweighs fairness".to_owned());
        }
        let jain = Spread::of(fairness.jain);
        let checks = vec![Check::at_least("Jain's index", jain, self.jain, ratio)];
        let name = format!("{}, {} clients", self.name, self.clients);
        Ok(vec![Row { kind: "fairness", name, checks, notes }])
    }
}
