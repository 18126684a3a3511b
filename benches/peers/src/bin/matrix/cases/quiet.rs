//! A long run at half the capacity: nothing is refused.

use crate::judge::verdict::{Check, Row, count};
use crate::measure::runner::{Ask, Bench, poisson};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quiet {
    pub(crate) name: String,
    requests: Asked,
    load: f64,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
}

impl Quiet {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        // There is no short way to find out what happens in ten minutes.
        if bench.quick {
            return Ok(Vec::new());
        }
        let requests = Requests::from(&self.requests);
        let base = bench.probe(&self.name, &requests, bench.settings.slo, 0)?;
        let lasts = humantime::format_duration(self.lasts);
        let ask = Ask {
            cell: &self.name,
            words: format!("{}x for {lasts}", self.load),
            requests: &requests,
            pace: poisson(base * self.load, self.lasts)?,
            warm_up: Duration::ZERO,
            slo: bench.settings.slo,
            retries: 0,
            bin: None,
            round: 0,
        };
        let outcomes = bench.run(Subject::Judged, &ask)?.load.outcomes;
        let others = outcomes.ended() - outcomes.good - outcomes.refused;
        let checks = vec![
            Check::at_most("refused", Spread::of([outcomes.refused as f64]), 0.0, count),
            Check::at_most("late, wrong or lost", Spread::of([others as f64]), 0.0, count)
                .unjudged(),
            Check::at_least("good", Spread::of([outcomes.good as f64]), 0.0, count).unjudged(),
        ];
        let name = format!("{} at {}x for {lasts}", self.name, self.load);
        Ok(vec![Row { kind: "quiet", name, checks, notes: Vec::new() }])
    }
}
