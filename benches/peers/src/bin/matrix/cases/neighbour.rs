//! A cheap path beside an overloaded one: refusals of one stage must not hurt the other.

use crate::cases::capacity_multiple::CapacityMultiple;
use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, Row, percent, ratio, time};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::Runner;
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::mix::{Mix, MixError};
use seda_tools::report::LoadReport;
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
        let (mut slo_set, mut nothing_set) = (Shares::default(), Shares::default());
        for round in 0..runner.settings.rounds {
            let (capacity, spec) = overload.plan(runner, round)?;
            let flood = runner.settings.flood;
            let refusal = runner.least_refusal(&self.name, &alone, flood, round)?;
            let bound = Costs::of_a_core(capacity, refusal).bound(capacity * self.load);
            let load = runner.run(Subject::SloSet, &spec)?.load;
            slo_set.add(&load, &self.beside, capacity)?;
            let load = runner.run(Subject::NothingSet, &spec)?.load;
            nothing_set.add(&load, &self.beside, bound)?;
        }
        let most = self.p99.as_secs_f64();
        let throughput = runner.settings.targets.throughput;
        let checks = vec![
            Check::at_most(
                "SLO set: neighbour refused",
                Spread::of(slo_set.refused),
                self.refused,
                percent,
            ),
            Check::at_most("SLO set: neighbour's p99", Spread::of(slo_set.p99), most, time),
            Check::at_least(
                "SLO set: goodput of the overloaded / C",
                Spread::of(slo_set.good),
                0.0,
                ratio,
            )
            .unjudged(),
            Check::at_least(
                "nothing set: throughput of the overloaded / B",
                Spread::of(nothing_set.right),
                throughput,
                ratio,
            ),
            Check::at_most(
                "nothing set: neighbour refused",
                Spread::of(nothing_set.refused),
                self.refused,
                percent,
            ),
            Check::at_most("nothing set: neighbour's p99", Spread::of(nothing_set.p99), most, time)
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

/// Figures of every round.
#[derive(Clone, Debug, Default)]
struct Shares {
    /// Of the cheap path.
    refused: Vec<f64>,
    p99: Vec<f64>,
    /// Answers of the overloaded paths: within the SLO, and all, as shares of a rate.
    good: Vec<f64>,
    right: Vec<f64>,
}

impl Shares {
    fn add(
        &mut self,
        load: &LoadReport,
        beside: &str,
        per_second: f64,
    ) -> Result<(), Box<dyn Error>> {
        let beside = find(load, beside).ok_or("the cheap path had no request in a round")?;
        self.refused.push(refused_share(&beside.outcomes));
        self.p99.extend(beside.response_seconds.p99);
        let good = load.outcomes.good - beside.outcomes.good;
        let late = load.outcomes.late - beside.outcomes.late;
        let all = load.duration_seconds * per_second;
        self.good.push(good as f64 / all);
        self.right.push((good + late) as f64 / all);
        Ok(())
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
