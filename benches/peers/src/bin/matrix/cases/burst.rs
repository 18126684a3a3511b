//! A long overload and the time to recover from it: with the SLO set, with nothing set, and without
//! controllers.

use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, Row, after, count, ratio};
use crate::measure::profile::{Pooled, Pooling};
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
        let judged = self.pool(runner, &requests, Subject::SloSet, capacity)?.bins;
        let nothing_set = self.pool(runner, &requests, Subject::NothingSet, capacity)?;
        let uncontrolled = self.pool(runner, &requests, Subject::Uncontrolled, capacity)?.bins;
        let refusal = runner.least_refusal(&self.name, &requests, runner.settings.flood, 0)?;
        let down = self.back_after(&uncontrolled);
        let quiet = (self.overload_end() + self.quiet_after).as_secs_f64();
        let later = refused(between(&judged, quiet, f64::INFINITY)) as f64;
        let quiet_after = humantime::format_duration(self.quiet_after);
        let back = format!("SLO set: {:.0} % of the former goodput back", self.back * 100.0);
        let checks = vec![
            Check::within(&back, self.back_after(&judged), self.within.as_secs_f64()),
            Check::at_most(
                &format!("SLO set: refused from {quiet_after} on"),
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
            Check::at_least(
                "nothing set: throughput in it / B",
                Spread::of(self.throughput(&nothing_set, capacity, refusal)),
                runner.settings.targets.throughput,
                ratio,
            ),
            Check::within("nothing set: back", self.back_after(&nothing_set.bins), f64::INFINITY)
                .unjudged(),
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
    ) -> Result<Pooled, Box<dyn Error>> {
        let runs = if runner.settings.quick { 1 } else { self.runs };
        let cell = self.name.as_str();
        let pooling = Pooling { cell, requests, subject, runs, retries: self.retries };
        let load = capacity * self.load;
        let peak = capacity * self.peak;
        pooling.pool(runner, &[(load, self.before), (peak, self.lasts), (load, self.after)])
    }

    /// Returns the answers during the overload as a share of B, run by run. Retries add to what is
    /// offered, so B counts every attempt of the run as if it had come during the overload.
    fn throughput(&self, pooled: &Pooled, capacity: f64, refusal: f64) -> Vec<f64> {
        let costs = Costs::of_a_core(capacity, refusal);
        let lasts = self.lasts.as_secs_f64();
        let runs = pooled.loads.iter().zip(pooled.parts(1));
        let share = runs.map(|(load, part)| {
            let retries = load.attempts.saturating_sub(load.outcomes.scheduled) as f64 / lasts;
            part.throughput_per_second / costs.bound(part.offered_per_second + retries)
        });
        share.collect()
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
    use seda_tools::report::{LoadReport, WindowReport};

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
    fn a_retry_costs_as_much_as_a_request_during_the_overload() {
        let part = |offered: f64, throughput: f64| {
            let mut part = WindowReport::default();
            part.measured = true;
            (part.offered_per_second, part.throughput_per_second) = (offered, throughput);
            part
        };
        let mut load = LoadReport::default();
        load.windows = vec![part(900.0, 900.0), part(5_000.0, 951.5), part(900.0, 900.0)];
        (load.outcomes.scheduled, load.attempts) = (7_700, 13_700);
        let pooled = Pooled { bins: Vec::new(), loads: vec![load] };
        // 11,000 requests and retries a second cost 10,000 refusals of 5 us: 5 % of the core.
        let share = burst().throughput(&pooled, 1_000.0, 5e-6);
        assert!((share[0] - 951.5 / 950.0).abs() < 1e-9, "{share:?}");
    }

    #[test]
    fn goodput_that_was_never_there_or_stays_down_is_not_back() {
        assert_eq!(burst().back_after(&bins_of(EIGHTH, [0; 32])), None);
        let down = [100; 8].into_iter().chain([20; 24]);
        assert_eq!(burst().back_after(&bins_of(EIGHTH, down)), None);
    }
}
