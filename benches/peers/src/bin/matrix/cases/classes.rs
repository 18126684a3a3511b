//! Classes that share an overloaded server: the favoured one is served, the others get the rest.

use crate::cases::capacity_multiple::CapacityMultiple;
use crate::cases::throughput::ClassShares;
use crate::judge::verdict::{Check, Row, percent, ratio};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::Runner;
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::report::PathReport;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;

/// One `[[classes]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Classes {
    pub(crate) name: String,
    /// A path for each class.
    requests: RequestSpec,
    load: f64,
    /// Text that the favoured class's path or headers contain, and no other's.
    favoured: String,
    /// The largest share of the favoured class that may be refused.
    refused: f64,
    /// The least share that the others get of the capacity left by the favoured class.
    rest: f64,
}

impl Classes {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let overload = CapacityMultiple {
            cell: &self.name,
            probed: &requests,
            offered: &requests,
            load: self.load,
            offered_load: self.load,
        };
        let (mut refused, mut rest, mut least) = (Vec::new(), Vec::new(), Vec::new());
        let mut nothing_set = ClassShares::default();
        for round in 0..runner.settings.rounds {
            let (capacity, spec) = overload.plan(runner, round)?;
            let load = runner.run(Subject::SloSet, &spec)?.load;
            let favoured = find(&load, &self.favoured)
                .ok_or("the favoured class had no request in a round")?;
            refused.push(refused_share(&favoured.outcomes));
            let others: f64 = load.paths.iter().map(good).sum::<f64>() - good(favoured);
            let left = capacity * load.duration_seconds - good(favoured);
            rest.push(others / left.max(1.0));
            let served =
                load.paths.iter().map(|path| good(path) / path.outcomes.scheduled.max(1) as f64);
            least.push(served.fold(1.0, f64::min));
            nothing_set.measure(runner, &spec, capacity, &self.favoured)?;
        }
        let least = Spread::of(least);
        let starving = least.is_none_or(|least| least.low <= 0.0);
        let figure = least.map_or("none".to_owned(), |least| percent(least.low));
        let mut checks = vec![
            Check::at_most("SLO set: favoured refused", Spread::of(refused), self.refused, percent),
            Check::at_least(
                "SLO set: others' goodput / capacity left",
                Spread::of(rest),
                self.rest,
                ratio,
            ),
            Check::plain("SLO set: least served class", figure, "above 0", !starving),
        ];
        checks.extend(nothing_set.checks("favoured", self.refused, &runner.settings));
        let name = format!("{} at {}x", self.name, self.load);
        Ok(vec![Row { kind: "classes", name, checks, notes: Vec::new() }])
    }
}

/// Counts the good answers of a path.
fn good(path: &PathReport) -> f64 {
    path.outcomes.good as f64
}
