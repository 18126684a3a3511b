//! A long overload and the time to recover from it, with the controllers and without.

use crate::judge::verdict::{Check, Row, after, count};
use crate::measure::profile::Pooling;
use crate::measure::runner::Runner;
use crate::measure::series::{between, good_share, refused, settled_after};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{RequestSpec, Requests};
use seda_tools::report::Bin;
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// Seconds that goodput must stay back to count as back: five bins.
const WINDOW: f64 = 0.25;

/// One `[[burst]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Burst {
    pub(crate) name: String,
    requests: RequestSpec,
    /// Multiples of the capacity: `load` before and after the overload, `peak` during it.
    load: f64,
    peak: f64,
    #[serde(with = "humantime_serde")]
    before: Duration,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    #[serde(with = "humantime_serde")]
    after: Duration,
    retries: u32,
    /// Number of runs to pool.
    runs: u32,
    /// Share of the former goodput that is back within `within` of the overload's end.
    back: f64,
    #[serde(with = "humantime_serde")]
    within: Duration,
    /// Time after the overload from which nothing is refused.
    #[serde(with = "humantime_serde")]
    quiet_after: Duration,
}

impl Burst {
    pub(crate) fn measure(&self, runner: &mut Runner) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let capacity = runner.probe(&self.name, &requests, runner.settings.slo, 0)?;
        let judged = self.pool(runner, &requests, Subject::Judged, capacity)?;
        let uncontrolled = self.pool(runner, &requests, Subject::Uncontrolled, capacity)?;
        let down = self.back_after(&uncontrolled);
        let quiet = (self.overload_end() + self.quiet_after).as_secs_f64();
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
        runner: &mut Runner,
        requests: &Requests,
        subject: Subject,
        capacity: f64,
    ) -> Result<Vec<Bin>, Box<dyn Error>> {
        let runs = if runner.settings.quick { 1 } else { self.runs };
        let cell = self.name.as_str();
        let pooling = Pooling { cell, requests, subject, runs, retries: self.retries };
        let load = capacity * self.load;
        let peak = capacity * self.peak;
        pooling.pool(runner, &[(load, self.before), (peak, self.lasts), (load, self.after)])
    }

    /// Returns the seconds from the end of the overload until goodput is back; `None` if never.
    ///
    /// The rate is then the same as before, so goodput is back when the good share is.
    fn back_after(&self, bins: &[Bin]) -> Option<f64> {
        // The first half covers the start of the server.
        let half = self.before.as_secs_f64() / 2.0;
        let former = good_share(between(bins, half, self.before.as_secs_f64()))?;
        // A server without any goodput before has none to come back to.
        let wanted = self.back * former.max(f64::MIN_POSITIVE);
        settled_after(bins, self.overload_end().as_secs_f64(), WINDOW, &(wanted..=1.0))
    }

    fn overload_end(&self) -> Duration {
        self.before + self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::series::bins_of;

    /// Width of the bins: 1 s before the overload, 1 s of it, 2 s after it.
    const EIGHTH: f64 = 0.125;

    fn burst() -> Burst {
        toml::from_str(
            "name = 'b'\nrequests = '/'\nload = 0.9\npeak = 5\nbefore = '1s'\nlasts = '1s'\n\
             after = '2s'\nretries = 0\nruns = 1\nback = 0.97\nwithin = '1s'\nquiet_after = '1s'",
        )
        .unwrap()
    }

    #[test]
    fn goodput_is_back_when_its_share_is_that_of_the_last_half_before_the_overload() {
        // The first half, the server's start, does not count.
        let before = [0, 0, 0, 0, 98, 98, 98, 98];
        let series = before.into_iter().chain([20; 8]).chain([20; 2]).chain([96; 14]);
        assert_eq!(burst().back_after(&bins_of(EIGHTH, series)), Some(2.0 * EIGHTH));
    }

    #[test]
    fn goodput_that_was_never_there_or_stays_down_is_not_back() {
        assert_eq!(burst().back_after(&bins_of(EIGHTH, [0; 32])), None);
        let down = [100; 8].into_iter().chain([20; 24]);
        assert_eq!(burst().back_after(&bins_of(EIGHTH, down)), None);
    }
}
