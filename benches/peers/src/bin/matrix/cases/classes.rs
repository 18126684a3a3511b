//! Classes that share an overloaded server: the favoured one is served, the others get the rest.

use crate::judge::verdict::{Check, Row, percent, ratio};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::{Ask, Bench, poisson};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Classes {
    pub(crate) name: String,
    /// A path for each class.
    requests: Asked,
    load: f64,
    /// What the favoured class's path or headers have in them, and no other's.
    favoured: String,
    /// The most of it that may be refused.
    refused: f64,
    /// What the others are to get at least of the capacity that the favoured class leaves.
    rest: f64,
}

impl Classes {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let (mut refused, mut rest, mut least) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..bench.settings.rounds {
            let base = bench.probe(&self.name, &requests, bench.settings.slo, round)?;
            let ask = Ask {
                cell: &self.name,
                words: format!("round {}, {}x", round + 1, self.load),
                requests: &requests,
                pace: poisson(base * self.load, bench.settings.measured)?,
                warm_up: bench.settings.warm_up,
                slo: bench.settings.slo,
                retries: 0,
                bin: None,
                round,
            };
            let load = bench.run(Subject::Judged, &ask)?.load;
            let favoured = find(&load, &self.favoured).ok_or("the favoured class never came")?;
            refused.push(refused_share(&favoured.outcomes));
            let good = |path: &seda_tools::report::PathReport| path.outcomes.good as f64;
            let others: f64 = load.paths.iter().map(good).sum::<f64>() - good(favoured);
            let left = base * load.duration_seconds - good(favoured);
            rest.push(others / left.max(1.0));
            let served =
                load.paths.iter().map(|path| good(path) / path.outcomes.scheduled.max(1) as f64);
            least.push(served.fold(1.0, f64::min));
        }
        let least = Spread::of(least);
        let starving = least.is_none_or(|least| least.low <= 0.0);
        let figure = least.map_or("none".to_owned(), |least| percent(least.low));
        let checks = vec![
            Check::at_most("favoured refused", Spread::of(refused), self.refused, percent),
            Check::at_least("others' goodput / what is left", Spread::of(rest), self.rest, ratio),
            Check::plain("least served class", figure, "above 0", !starving),
        ];
        let name = format!("{} at {}x", self.name, self.load);
        Ok(vec![Row { kind: "classes", name, checks, notes: Vec::new() }])
    }
}
