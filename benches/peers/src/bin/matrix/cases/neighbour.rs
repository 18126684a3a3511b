//! A cheap path beside an overloaded one: what one stage refuses is not the other's burden.

use crate::judge::verdict::{Check, Row, percent, ratio, time};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::{Ask, Bench, poisson};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::mix::{Mix, MixError};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbour {
    pub(crate) name: String,
    /// What is overloaded, and at which multiple of its capacity.
    requests: Asked,
    load: f64,
    /// The other path, and its rate as a multiple of the same capacity.
    beside: String,
    beside_load: f64,
    /// The most of it that may be refused.
    refused: f64,
    #[serde(with = "humantime_serde")]
    p99: Duration,
}

impl Neighbour {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let (alone, both) = (Requests::from(&self.requests), Requests::Mix(self.mix()?));
        let (mut refused, mut p99, mut goodput) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..bench.settings.rounds {
            let base = bench.probe(&self.name, &alone, bench.settings.slo, round)?;
            let rate = base * (self.load + self.beside_load);
            let ask = Ask {
                cell: &self.name,
                words: format!("round {}, {}x", round + 1, self.load),
                requests: &both,
                pace: poisson(rate, bench.settings.measured)?,
                warm_up: bench.settings.warm_up,
                slo: bench.settings.slo,
                retries: 0,
                bin: None,
                round,
            };
            let load = bench.run(Subject::Judged, &ask)?.load;
            let beside = find(&load, &self.beside).ok_or("the other path never came")?;
            refused.push(refused_share(&beside.outcomes));
            p99.extend(beside.response_seconds.p99);
            let good = load.outcomes.good - beside.outcomes.good;
            goodput.push(good as f64 / load.duration_seconds / base);
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

    /// Both, each with its share.
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
    fn both_paths_come_at_multiples_of_one_capacity() {
        let cell: Neighbour = toml::from_str(
            "name = 'n'\nrequests = '/work?micros=1000'\nload = 5\nbeside = '/'\n\
             beside_load = 0.1\nrefused = 0.01\np99 = '20ms'",
        )
        .unwrap();
        assert_eq!(cell.mix().unwrap().to_string(), "/work?micros=1000=5,/=0.1");
    }
}
