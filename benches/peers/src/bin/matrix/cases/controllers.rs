//! What the controllers cost where there is nothing for them to do.

use crate::judge::verdict::{Check, Row, percent, time};
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
pub(crate) struct Controllers {
    pub(crate) name: String,
    requests: Asked,
    load: f64,
    /// Rounds, each with the controllers and without.
    pairs: u32,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    /// The most that CPU per request may be more.
    most: f64,
}

impl Controllers {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let base = bench.probe(&self.name, &requests, bench.settings.slo, 0)?;
        let pairs = if bench.quick { bench.settings.quick_runs } else { self.pairs };
        let (mut more, mut each) = (Vec::new(), Vec::new());
        for round in 0..pairs {
            // Whoever is first has another part of what the machine drifts by.
            let mut cost = |subject| self.cost(bench, &requests, subject, base, round);
            let (on, off) = if round.is_multiple_of(2) {
                (cost(Subject::Judged)?, cost(Subject::Uncontrolled)?)
            } else {
                let off = cost(Subject::Uncontrolled)?;
                (cost(Subject::Judged)?, off)
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

    /// CPU seconds of a request.
    fn cost(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        subject: Subject,
        base: f64,
        round: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let duration = if bench.quick { bench.settings.measured } else { self.lasts };
        let ask = Ask {
            cell: &self.name,
            words: format!("pair {}, {}x", round + 1, self.load),
            requests,
            pace: poisson(base * self.load, duration)?,
            warm_up: bench.settings.warm_up,
            slo: bench.settings.slo,
            retries: 0,
            bin: None,
            round,
        };
        let spent = bench.run(subject, &ask)?.spent;
        Ok(spent.cpu / spent.served.max(1.0))
    }
}
