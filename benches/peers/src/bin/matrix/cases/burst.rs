//! A long overload, and what is left of it afterwards, with the controllers and without.

use crate::judge::verdict::{Check, Row, after, count};
use crate::measure::profile::Pooling;
use crate::measure::runner::Bench;
use crate::measure::series::{between, good_share, refused, settled_after};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::report::Bin;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// What is back is back for so long: five bins.
const WINDOW: f64 = 0.25;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Burst {
    pub(crate) name: String,
    requests: Asked,
    /// Multiples of the capacity, before and after, and in between.
    load: f64,
    peak: f64,
    #[serde(with = "humantime_serde")]
    before: Duration,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    #[serde(with = "humantime_serde")]
    after: Duration,
    retries: u32,
    /// Runs that are pooled.
    runs: u32,
    /// What of the former goodput is to be back, and by when.
    back: f64,
    #[serde(with = "humantime_serde")]
    within: Duration,
    /// From when on nothing is to be refused.
    #[serde(with = "humantime_serde")]
    quiet_after: Duration,
}

impl Burst {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let base = bench.probe(&self.name, &requests, bench.settings.slo, 0)?;
        let judged = self.pool(bench, &requests, Subject::Judged, base)?;
        let left_alone = self.pool(bench, &requests, Subject::Uncontrolled, base)?;
        let down = self.back_after(&left_alone);
        let quiet = (self.over() + self.quiet_after).as_secs_f64();
        let later = refused(between(&judged, quiet, f64::INFINITY)) as f64;
        let quiet_after = humantime::format_duration(self.quiet_after);
        let back = format!("{:.0} % of the former goodput back", self.back * 100.0);
        let checks = vec![
            Check::within(&back, self.back_after(&judged), self.within.as_secs_f64()),
            Check::at_most(
                &format!("refused from {quiet_after} on"),
                Spread::of([later]),
                0.0,
                count,
            ),
            Check::plain(
                "without control",
                down.map_or("never".to_owned(), after),
                "stays down",
                down.is_none(),
            ),
        ];
        let name = format!("{}, {} retries", self.name, self.retries);
        Ok(vec![Row { kind: "burst", name, checks, notes: Vec::new() }])
    }

    fn pool(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        subject: Subject,
        base: f64,
    ) -> Result<Vec<Bin>, Box<dyn Error>> {
        let runs = if bench.quick { 1 } else { self.runs };
        let cell = self.name.as_str();
        let pooling = Pooling { cell, requests, subject, runs, retries: self.retries };
        let (load, peak) = (base * self.load, base * self.peak);
        pooling.pool(bench, &[(load, self.before), (peak, self.lasts), (load, self.after)])
    }

    /// Seconds from the end of the overload; the rate is what it was, so goodput is back when the
    /// share of good answers is.
    fn back_after(&self, bins: &[Bin]) -> Option<f64> {
        // The first half is the server's own start.
        let half = self.before.as_secs_f64() / 2.0;
        let former = good_share(between(bins, half, self.before.as_secs_f64()))?;
        // Nothing to come back to is nothing that comes back.
        let wanted = self.back * former.max(f64::MIN_POSITIVE);
        settled_after(bins, self.over().as_secs_f64(), WINDOW, &(wanted..=1.0))
    }

    fn over(&self) -> Duration {
        self.before + self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of 1 s before, 1 s of overload and 2 s after, in bins of an eighth.
    const EIGHTH: f64 = 0.125;

    fn burst() -> Burst {
        toml::from_str(
            "name = 'b'\nrequests = '/'\nload = 0.9\npeak = 5\nbefore = '1s'\nlasts = '1s'\n\
             after = '2s'\nretries = 0\nruns = 1\nback = 0.97\nwithin = '1s'\nquiet_after = '1s'",
        )
        .unwrap()
    }

    fn bins(good: impl Iterator<Item = u64>) -> Vec<Bin> {
        let bin = |(index, good): (usize, u64)| {
            let mut bin = Bin::default();
            (bin.from_seconds, bin.seconds) = (index as f64 * EIGHTH, EIGHTH);
            (bin.outcomes.scheduled, bin.outcomes.good) = (100, good);
            bin
        };
        good.enumerate().map(bin).collect()
    }

    #[test]
    fn goodput_is_back_when_its_share_is_what_it_was_in_the_end_before_the_overload() {
        // The server's start is no measure of it.
        let before = [0, 0, 0, 0, 98, 98, 98, 98];
        let series = before.into_iter().chain([20; 8]).chain([20; 2]).chain([96; 14]);
        assert_eq!(burst().back_after(&bins(series)), Some(2.0 * EIGHTH));
    }

    #[test]
    fn goodput_that_never_was_or_stays_down_is_not_back() {
        assert_eq!(burst().back_after(&bins([0; 32].into_iter())), None);
        let down = [100; 8].into_iter().chain([20; 24]);
        assert_eq!(burst().back_after(&bins(down)), None);
    }
}
