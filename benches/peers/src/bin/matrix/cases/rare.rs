//! A class that comes seldom: it is served in time, or its refusals say why not.

use crate::judge::verdict::{Check, Row, percent, time};
use crate::measure::paths::{choice, find, refused_share};
use crate::measure::runner::{Ask, Bench, poisson};
use crate::measure::sampler::{Sampled, Sampler};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rare {
    pub(crate) name: String,
    requests: Asked,
    load: f64,
    /// What the rare class's path or headers have in them, and no other's.
    rare: String,
    /// What its served p90 is to keep.
    #[serde(with = "humantime_serde")]
    p90: Duration,
    /// Or else what each refusal has in its head or its body.
    evidence: Vec<String>,
}

impl Rare {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let rare = choice(&self.requests.0, &self.rare)
            .ok_or_else(|| format!("{}: no path has {}", self.name, self.rare))?;
        let (mut p90, mut refused, mut sampled) = (Vec::new(), Vec::new(), Sampled::default());
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
            let running = bench.server.start(Subject::Judged, ask.slo)?;
            let sampler = Sampler::start(running.server.address(), rare, &self.evidence)?;
            let load = bench.load(&running, Subject::Judged, &ask)?.load;
            sampled.add(sampler.stop());
            let Some(rare) = find(&load, &self.rare) else { continue };
            p90.extend(rare.response_seconds.p90);
            refused.push(refused_share(&rare.outcomes));
        }
        Ok(vec![self.row(Spread::of(p90), Spread::of(refused), &sampled)])
    }

    fn row(&self, p90: Option<Spread>, refused: Option<Spread>, sampled: &Sampled) -> Row {
        let most = self.p90.as_secs_f64();
        let in_time = p90.is_some_and(|p90| p90.median <= most);
        let explained = sampled.refused > 0 && sampled.explained == sampled.refused;
        let why = format!("{} of {} sampled refusals", sampled.explained, sampled.refused);
        let checks = vec![
            Check::at_most("served p90", p90, most, time).unjudged(),
            Check::at_most("refused", refused, 1.0, percent).unjudged(),
            Check::plain("refusals that say why", why, "shown", true).unjudged(),
            Check::plain(
                "served in time, or told why not",
                if in_time {
                    "in time"
                } else if explained {
                    "told"
                } else {
                    "neither"
                }
                .to_owned(),
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
    fn a_late_class_has_to_be_told_and_all_of_it() {
        let cell: Rare = toml::from_str(
            "name = 'r'\nrequests = '/a?class=x=1,/b=200'\nload = 2\nrare = 'class=x'\n\
             p90 = '200ms'\nevidence = ['p90']",
        )
        .unwrap();
        let spread = |value| Some(Spread { median: value, low: value, high: value });
        let told = |refused, explained| Sampled { answered: 1, refused, explained };
        assert!(cell.row(spread(0.1), spread(0.0), &told(0, 0)).is_met());
        assert!(cell.row(spread(0.3), spread(0.5), &told(5, 5)).is_met());
        assert!(cell.row(None, spread(1.0), &told(5, 5)).is_met());
        assert!(!cell.row(spread(0.3), spread(0.5), &told(5, 4)).is_met());
        assert!(!cell.row(None, None, &told(0, 0)).is_met());
    }
}
