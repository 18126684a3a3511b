//! A cheap path beside an overloaded one: refusals of one stage must not hurt the other.

use crate::cases::capacity_multiple::CapacityMultiple;
use crate::judge::verdict::{Check, Row, percent, ratio, time};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::Runner;
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::mix::{Mix, MixError};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[neighbour]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbour {
    pub(crate) name: String,
    /// The overloaded requests, and the multiple of their capacity.
    requests: RequestSpec,
    load: f64,
    /// The cheap path, and its rate as a multiple of the same capacity.
    beside: String,
    beside_load: f64,
    /// The largest share of the cheap path that may be refused.
    refused: f64,
    #[serde(with = "humantime_serde")]
    p99: Duration,
}

impl Neighbour {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let alone = Requests::from(&self.requests);
        let both = Requests::Mix(self.mix()?);
        let overload = CapacityMultiple {
            cell: &self.name,
            probed: &alone,
            offered: &both,
            load: self.load,
            offered_load: self.load + self.beside_load,
        };
        let (mut refused, mut p99, mut goodput) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..runner.settings.rounds {
            let (capacity, spec) = overload.plan(runner, round)?;
            let load = runner.run(Subject::Judged, &spec)?.load;
            let beside =
                find(&load, &self.beside).ok_or("the cheap path had no request in a round")?;
            refused.push(refused_share(&beside.outcomes));
            p99.extend(beside.response_seconds.p99);
            let good = load.outcomes.good - beside.outcomes.good;
            goodput.push(good as f64 / load.duration_seconds / capacity);
        }
        let most = self.p99.as_secs_f64();
        let checks = vec![
            Check::at_most("neighbour refused", Spread::of(refused), self.refused, percent),
            Check::at_most("neighbour's p99", Spread::of(p99), most, time),
            Check::at_least("goodput of the overloaded / C", Spread::of(goodput), 0.0, ratio)
                .unjudged(),
        ];
        let name = format!("{} at {}x beside {}", self.name, self.load, self.beside);
        Ok(vec![Row { kind: "neighbour", name, checks, notes: Vec::new() }])
    }

    /// Returns both paths, each weighted by its multiple of the capacity.
    fn mix(&self) -> Result<Mix, MixError> {
        let choices = self.requests.0.choices();
        let sum: f64 = choices.iter().map(|choice| choice.weight).sum();
        let overloaded = choices.iter().map(|choice| {
            let weight = choice.weight / sum * self.load;
            format!("{choice}={weight}")
        });
        let beside = format!("{}={}", self.beside, self.beside_load);
        overloaded.chain([beside]).collect::<Vec<String>>().join(",").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_paths_are_offered_at_multiples_of_one_capacity() {
        let cell: Neighbour = toml::from_str(
            "name = 'n'\nrequests = '/work?micros=1000'\nload = 5\nbeside = '/'\n\
             beside_load = 0.1\nrefused = 0.01\np99 = '20ms'",
        )
        .unwrap();
        assert_eq!(cell.mix().unwrap().to_string(), "/work?micros=1000=5,/=0.1");
    }
}
