//! The CPU demand of requests steps up and down at once; their rate stays the same.

use crate::judge::verdict::{Check, Row};
use crate::measure::profile::{Pooling, profile};
use crate::measure::runner::Runner;
use crate::measure::series::{between, good_share, settled_after};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::arrivals::{Arrivals, Process, Profile};
use seda_tools::plan::Pace;
use seda_tools::report::Bin;
use seda_tools::report::SkippedLines;
use seda_tools::trace::{Entry, Trace};
use serde::Deserialize;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Seconds over which goodput is averaged: ten bins, because one bin holds few answers of 5 ms.
const WINDOW: f64 = 0.5;

/// One `[[demand]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demand {
    pub(crate) name: String,
    /// A single path each.
    low: RequestSpec,
    high: RequestSpec,
    /// Multiple of the capacity with the low demand.
    load: f64,
    /// Length of each of the three parts: low, high, low.
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    runs: u32,
    /// The share of its final value that goodput stays within, from `within` after a step on.
    band: f64,
    #[serde(with = "humantime_serde")]
    within: Duration,
}

impl Demand {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let low = Requests::from(&self.low);
        let settings = &runner.settings;
        let runs = if settings.quick { settings.quick_runs.min(2) } else { self.runs };
        let capacity = runner.probe(&self.name, &low, runner.settings.slo, 0)?;
        let profile = profile(&[(capacity * self.load, self.lasts * 3)])?;
        let pooling = Pooling {
            cell: &self.name,
            requests: &low,
            subject: Subject::SloSet,
            runs,
            retries: 0,
        };
        let pooled = pooling.pool_with(runner, |round| {
            let trace = Arc::new(self.trace(&profile, u64::from(round)));
            (Pace::Recorded { times: trace.times(), speed: 1.0 }, Requests::Trace(trace))
        })?;
        let up = self.settled(&pooled.bins, self.lasts);
        let down = self.settled(&pooled.bins, self.lasts * 2);
        let within = self.within.as_secs_f64();
        let checks = vec![
            Check::within("settled after the step up", up, within),
            Check::within("settled after the step down", down, within),
        ];
        Ok(vec![Row { kind: "demand", name: self.name.clone(), checks, notes: Vec::new() }])
    }

    /// Returns Poisson arrivals; those of the middle part ask for the high demand.
    fn trace(&self, profile: &Profile, seed: u64) -> Trace {
        let targets = [&self.low, &self.high].into_iter();
        let targets = targets.filter_map(|spec| spec.0.choices().first());
        let high = self.lasts.as_nanos()..(self.lasts * 2).as_nanos();
        let arrivals = Arrivals::drawn(Process::Poisson, profile, 1 + seed);
        let entries = arrivals.map(|at_nanos| Entry {
            at_nanos,
            target: u32::from(high.contains(&u128::from(at_nanos))),
        });
        Trace {
            entries: entries.collect(),
            targets: targets.map(|choice| choice.target.clone()).collect(),
            skipped: SkippedLines::default(),
        }
    }

    /// Returns the seconds from a step until goodput stays near its final value in that part.
    fn settled(&self, bins: &[Bin], at: Duration) -> Option<f64> {
        let (at, end) = (at.as_secs_f64(), (at + self.lasts).as_secs_f64());
        let part = between(bins, at, end);
        let last = good_share(between(bins, end - self.lasts.as_secs_f64() / 2.0, end))?;
        let band = last * (1.0 - self.band)..=last * (1.0 + self.band);
        // A part that ends without any goodput has not settled.
        if last > 0.0 { settled_after(part, at, WINDOW, &band) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::series::bins_of;

    fn demand() -> Demand {
        toml::from_str(
            "name = 'd'\nlow = '/work?micros=500'\nhigh = '/work?micros=5000'\nload = 0.9\n\
             lasts = '1s'\nruns = 1\nband = 0.1\nwithin = '500ms'",
        )
        .unwrap()
    }

    #[test]
    fn the_middle_third_of_the_arrivals_has_the_high_demand() {
        let profile = profile(&[(1_000.0, Duration::from_secs(3))]).unwrap();
        let trace = demand().trace(&profile, 0);
        assert_eq!(trace.targets.len(), 2);
        assert!(trace.entries.len() > 2_500);
        for entry in &trace.entries {
            let middle = (1_000_000_000..2_000_000_000).contains(&entry.at_nanos);
            assert_eq!(entry.target, u32::from(middle), "{entry:?}");
        }
    }

    #[test]
    fn goodput_has_settled_when_it_stays_near_its_final_value() {
        let up = [0, 0, 12, 10, 9, 10, 11, 10];
        let bins = bins_of(0.125, [100; 8].into_iter().chain(up).chain([0; 8]));
        assert_eq!(demand().settled(&bins, Duration::from_secs(1)), Some(0.25));
        let nothing = demand().settled(&bins, Duration::from_secs(2));
        assert_eq!(nothing, None, "a part that ends without goodput has not settled");
    }
}
