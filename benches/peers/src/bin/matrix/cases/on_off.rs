//! Short bursts far above the capacity with pauses between them, as a file of arrivals: a queue
//! takes them in.

use crate::judge::reference::oracle;
use crate::judge::verdict::{Check, Row, percent, ratio};
use crate::measure::profile::profile;
use crate::measure::runner::{RunSpec, Runner, seed};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::arrivals::{Arrivals, Process, ProfileError};
use seda_tools::outcome::Outcomes;
use seda_tools::plan::Pace;
use seda_tools::sweep::Spread;
use seda_tools::trace::read_arrivals;
use serde::Deserialize;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// One `[[below.on_off]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnOff {
    pub(crate) name: String,
    requests: RequestSpec,
    /// The rate of a burst, as a multiple of the capacity. Between bursts there is none.
    load: f64,
    #[serde(with = "humantime_serde")]
    on: Duration,
    #[serde(with = "humantime_serde")]
    off: Duration,
    /// Number of bursts; half of them with `--quick`.
    bursts: u32,
    /// The least share that is answered with nothing set, before the client gives up.
    answered: f64,
    /// The least share of the hindsight oracle's good answers with the SLO set.
    of_oracle: f64,
}

/// The figures of every round.
#[derive(Clone, Debug, Default)]
struct Shares {
    /// Of all requests.
    answered: Vec<f64>,
    /// Of the oracle's good answers.
    of_oracle: Vec<f64>,
}

impl OnOff {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let slo = runner.settings.slo.as_secs_f64();
        let (mut nothing_set, mut slo_set) = (Shares::default(), Shares::default());
        let mut possible = Vec::new();
        for round in 0..runner.settings.rounds {
            let capacity = runner.probe(&self.name, &requests, runner.settings.slo, round)?;
            let times = self.arrivals(runner, capacity, round)?;
            let seconds = times.iter().map(|at| *at as f64 / 1e9);
            let best = oracle(seconds, 1, 1.0 / capacity, slo, 0.0);
            possible.push(best as f64 / times.len() as f64);
            let label = format!("round {}, {}x for {:?}", round + 1, self.load, self.on);
            let pace = Pace::Recorded { times, speed: 1.0 };
            // The first burst is the server's first load, and counts.
            let spec = RunSpec {
                warm_up: Duration::ZERO,
                round,
                ..RunSpec::new(&runner.settings, &self.name, label, &requests, pace)
            };
            nothing_set.add(&runner.run(Subject::NothingSet, &spec)?.load.outcomes, best);
            slo_set.add(&runner.run(Subject::SloSet, &spec)?.load.outcomes, best);
        }
        Ok(vec![self.row(nothing_set, slo_set, possible)])
    }

    fn row(&self, nothing_set: Shares, slo_set: Shares, possible: Vec<f64>) -> Row {
        let (answered, late) =
            (Spread::of(nothing_set.answered), Spread::of(nothing_set.of_oracle));
        let (all, of_oracle) = (Spread::of(slo_set.answered), Spread::of(slo_set.of_oracle));
        let checks = vec![
            Check::at_least("oracle: good", Spread::of(possible), 0.0, percent).unjudged(),
            Check::at_least("nothing set: answered", answered, self.answered, percent),
            Check::at_least("nothing set: good / oracle's", late, 0.0, ratio).unjudged(),
            Check::at_least("SLO set: good / oracle's", of_oracle, self.of_oracle, ratio),
            Check::at_least("SLO set: answered", all, 0.0, percent).unjudged(),
        ];
        let name =
            format!("{}, {}x for {:?}, then {:?} off", self.name, self.load, self.on, self.off);
        Row { kind: "on and off", name, checks, notes: Vec::new() }
    }

    /// Writes the arrivals of a round into the folder of results, where `seda load --arrivals` can
    /// replay them, and returns those of the file in nanoseconds.
    fn arrivals(
        &self,
        runner: &Runner,
        capacity: f64,
        round: u32,
    ) -> Result<Arc<[u64]>, Box<dyn Error>> {
        let bursts = if runner.settings.quick { self.bursts / 2 } else { self.bursts };
        let file = runner.results.join(format!("{}-round-{}.tsv", self.name, round + 1));
        fs::write(&file, self.drawn(capacity, bursts, seed(round))?)?;
        Ok(read_arrivals(&file)?)
    }

    /// Returns the arrivals as the text of a file.
    fn drawn(&self, capacity: f64, bursts: u32, seed: u64) -> Result<String, ProfileError> {
        let burst = [(capacity * self.load, self.on), (0.0, self.off)];
        let profile = profile(&burst.repeat(bursts.max(1) as usize))?;
        let mut text = "seconds\n".to_owned();
        for at in Arrivals::drawn(Process::Poisson, &profile, seed) {
            let _ = writeln!(text, "{}.{:09}", at / 1_000_000_000, at % 1_000_000_000);
        }
        Ok(text)
    }
}

impl Shares {
    fn add(&mut self, outcomes: &Outcomes, best: u64) {
        let right = (outcomes.good + outcomes.late) as f64;
        self.answered.push(right / outcomes.scheduled.max(1) as f64);
        self.of_oracle.push(outcomes.good as f64 / best.max(1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda_tools::trace::parse_arrivals;

    fn cell() -> OnOff {
        toml::from_str(
            "name = 'o'\nrequests = '/work?micros=1000'\nload = 3\non = '100ms'\noff = '329ms'\n\
             bursts = 4\nanswered = 0.999\nof_oracle = 0.95",
        )
        .unwrap()
    }

    #[test]
    fn the_file_has_bursts_at_a_multiple_of_the_capacity_and_nothing_between_them() {
        let text = cell().drawn(1_000.0, 4, 1).unwrap();
        let times = parse_arrivals("t", text.as_bytes()).unwrap();
        assert!((1_000..1_400).contains(&times.len()), "{}", times.len());
        let gaps = times.windows(2).map(|two| two[1] - two[0]);
        assert_eq!(gaps.filter(|gap| *gap > 300_000_000).count(), 3);
        // Another round has other arrivals.
        assert_ne!(cell().drawn(1_000.0, 4, 2).unwrap(), text);
    }

    #[test]
    fn late_answers_count_with_nothing_set_and_not_with_the_slo() {
        let mut shares = Shares::default();
        let outcomes = Outcomes { scheduled: 1_000, good: 900, late: 100, ..Outcomes::default() };
        shares.add(&outcomes, 1_000);
        let row = cell().row(shares.clone(), shares, vec![1.0]);
        let met: Vec<_> = row.checks.iter().filter_map(|check| check.met).collect();
        assert_eq!((met, row.verdict()), (vec![true, false], "missed"));
    }
}
