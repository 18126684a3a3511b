//! With nothing set: the answers of a mix as a share of B, and the refusals of one class in it.

use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, percent, ratio};
use crate::measure::paths::{find, refused_share};
use crate::measure::runner::{RunSpec, Runner};
use crate::measure::servers::Subject;
use crate::settings::Settings;
use seda_tools::sweep::Spread;
use std::error::Error;

/// Shares of every round.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClassShares {
    throughput: Vec<f64>,
    refused: Vec<f64>,
}

impl ClassShares {
    /// Runs the load of a round with nothing set. `class` is a part of the label of the class.
    pub(crate) fn measure(
        &mut self,
        runner: &mut Runner,
        spec: &RunSpec<'_>,
        capacity: f64,
        class: &str,
    ) -> Result<(), Box<dyn Error>> {
        let flood = runner.settings.flood;
        let refusal = runner.least_refusal(spec.cell, spec.requests, flood, spec.round)?;
        let outcome = runner.run(Subject::NothingSet, spec)?;
        let bound = Costs::of_a_core(capacity, refusal).bound(outcome.load.offered_per_second);
        self.throughput.push(outcome.throughput / bound);
        self.refused.extend(find(&outcome.load, class).map(|path| refused_share(&path.outcomes)));
        Ok(())
    }

    /// Returns the checks, with the largest share of the class that may be refused.
    pub(crate) fn checks(self, class: &str, refused: f64, settings: &Settings) -> [Check; 2] {
        let throughput = Spread::of(self.throughput);
        let what = format!("nothing set: {class} refused");
        [
            Check::at_least(
                "nothing set: throughput / B",
                throughput,
                settings.targets.throughput,
                ratio,
            ),
            Check::at_most(&what, Spread::of(self.refused), refused, percent),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::sample;

    #[test]
    fn a_class_that_was_never_seen_and_a_missing_throughput_miss_their_targets() {
        let settings = sample();
        let met = |throughput: &[f64], refused: &[f64]| {
            let (throughput, refused) = (throughput.to_vec(), refused.to_vec());
            let shares = ClassShares { throughput, refused };
            shares.checks("gold", 0.01, &settings).map(|check| check.met == Some(true))
        };
        assert_eq!(met(&[], &[]), [false, false]);
        assert_eq!(met(&[0.96, 0.98, 0.98], &[0.0, 0.5, 0.01]), [true, true]);
        assert_eq!(met(&[0.96], &[0.02]), [false, false]);
    }
}
