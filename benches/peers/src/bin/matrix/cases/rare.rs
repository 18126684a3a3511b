//! A class with few requests: it is served in time, or its refusals give the reason.

use crate::cases::capacity_multiple::CapacityMultiple;
use crate::cases::throughput::ClassShares;
use crate::judge::verdict::{Check, Row, percent, time};
use crate::measure::paths::{choice, find, refused_share};
use crate::measure::runner::Runner;
use crate::measure::sampler::{Sampled, Sampler};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// One `[[rare]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rare {
    pub(crate) name: String,
    requests: RequestSpec,
    load: f64,
    /// Text that the rare class's path or headers contain, and no other's.
    rare: String,
    /// The target of its served p90.
    #[serde(with = "humantime_serde")]
    p90: Duration,
    /// Words that each of its refusals contains otherwise, in the head or the body.
    evidence: Vec<String>,
    /// The largest share of it that may be refused with nothing set.
    refused: f64,
}

impl Rare {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let rare = choice(&self.requests.0, &self.rare)
            .ok_or_else(|| format!("{}: no path contains {}", self.name, self.rare))?;
        let overload = CapacityMultiple {
            cell: &self.name,
            probed: &requests,
            offered: &requests,
            load: self.load,
            offered_load: self.load,
        };
        let (mut p90, mut refused, mut sampled) = (Vec::new(), Vec::new(), Sampled::default());
        let mut nothing_set = ClassShares::default();
        for round in 0..runner.settings.rounds {
            let (capacity, spec) = overload.plan(runner, round)?;
            let running = runner.server.start(Subject::SloSet, spec.slo)?;
            let sampler = Sampler::start(running.server.address(), rare, &self.evidence)?;
            let load = runner.load(&running, Subject::SloSet, &spec)?.load;
            sampled.add(sampler.stop());
            nothing_set.measure(runner, &spec, capacity, &self.rare)?;
            let Some(rare) = find(&load, &self.rare) else { continue };
            p90.extend(rare.response_seconds.p90);
            refused.push(refused_share(&rare.outcomes));
        }
        let mut row = self.row(Spread::of(p90), Spread::of(refused), &sampled);
        row.checks.extend(nothing_set.checks("rare class", self.refused, &runner.settings));
        Ok(vec![row])
    }

    fn row(&self, p90: Option<Spread>, refused: Option<Spread>, sampled: &Sampled) -> Row {
        let most = self.p90.as_secs_f64();
        let in_time = p90.is_some_and(|p90| p90.median <= most);
        let explained = sampled.refused > 0 && sampled.explained == sampled.refused;
        let found = match (in_time, explained) {
            (true, _) => "in time",
            (false, true) => "explained",
            (false, false) => "neither",
        };
        let why = format!("{} of {} sampled refusals", sampled.explained, sampled.refused);
        let checks = vec![
            Check::at_most("SLO set: served p90", p90, most, time).unjudged(),
            Check::at_most("SLO set: refused", refused, 1.0, percent).unjudged(),
            Check::plain("SLO set: refusals that give the reason", why, "shown", true).unjudged(),
            Check::plain(
                "SLO set: served in time, or refusals explained",
                found.to_owned(),
                "one of both",
                in_time || explained,
            ),
        ];
        let name = format!("{} at {}x", self.name, self.load);
        Row { kind: "rare class", name, checks, notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_class_meets_its_target_only_if_every_refusal_is_explained() {
        let cell: Rare = toml::from_str(
            "name = 'r'\nrequests = '/a?class=x=1,/b=200'\nload = 2\nrare = 'class=x'\n\
             p90 = '200ms'\nevidence = ['p90']\nrefused = 0.01",
        )
        .unwrap();
        let spread = |value| Some(Spread { median: value, low: value, high: value });
        let sampled = |refused, explained| Sampled { answered: 1, refused, explained };
        assert!(cell.row(spread(0.1), spread(0.0), &sampled(0, 0)).is_met());
        assert!(cell.row(spread(0.3), spread(0.5), &sampled(5, 5)).is_met());
        assert!(cell.row(None, spread(1.0), &sampled(5, 5)).is_met());
        assert!(!cell.row(spread(0.3), spread(0.5), &sampled(5, 4)).is_met());
        assert!(!cell.row(None, None, &sampled(0, 0)).is_met());
    }
}
