//! Many clients of a closed loop: all get the same.

use crate::judge::verdict::{Check, Row, ratio};
use crate::measure::runner::{Ask, Bench};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::plan::Pace;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fairness {
    pub(crate) name: String,
    requests: Asked,
    clients: u32,
    #[serde(with = "humantime_serde")]
    think: Duration,
    /// Long enough for 200 good answers of each client.
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    jain: f64,
}

impl Fairness {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let duration = if bench.quick { self.lasts / 4 } else { self.lasts };
        let ask = Ask {
            cell: &self.name,
            words: format!("{} clients", self.clients),
            requests: &requests,
            pace: Pace::Closed { clients: self.clients, think: self.think, duration },
            warm_up: bench.settings.warm_up,
            slo: bench.settings.slo,
            retries: 0,
            bin: None,
            round: 0,
        };
        let load = bench.run(Subject::Judged, &ask)?.load;
        let fairness = load.fairness.ok_or("no client was counted")?;
        let mut notes = vec![format!("{} to {} good answers", fairness.fewest, fairness.most)];
        if !fairness.enough {
            notes.push("fewer than 200 for some: chance weighs more than fairness".to_owned());
        }
        let jain = Spread::of(fairness.jain);
        let checks = vec![Check::at_least("Jain's index", jain, self.jain, ratio)];
        let name = format!("{}, {} clients", self.name, self.clients);
        Ok(vec![Row { kind: "fairness", name, checks, notes }])
    }
}
