//! A run of load, second by second.

use crate::generator::Progress;
use crate::report::outcome::Outcomes;
use seda_core::stats::Quantiles;
use std::collections::VecDeque;

/// The most seconds that are kept: no terminal has as many columns.
const MOST: usize = 1_024;

/// The upper bounds of the rows of response times, in seconds: three in a decade. Longer times are
/// in one row more.
pub(crate) const BOUNDS: [f64; 20] = [
    20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 0.1, 0.2, 0.5,
    1.0, 2.0, 5.0, 10.0, 20.0, 60.0,
];
/// The number of rows.
pub(crate) const ROWS: usize = BOUNDS.len() + 1;

/// What a run is, for its title.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunName {
    pub(crate) url: String,
    /// A description of the arrivals.
    pub(crate) arrivals: String,
    /// The first SLO, in seconds.
    pub(crate) slo: Option<f64>,
}

/// The seconds of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunTape {
    seconds: VecDeque<RunSecond>,
    /// The state at the end of the last second.
    before: Progress,
    now: Progress,
    pub(crate) phase: Phase,
}

/// The part of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The measured part has not begun.
    #[default]
    WarmUp,
    /// The measured part.
    Measured,
    /// The measured part has ended.
    CoolDown,
    /// The user has ended the run.
    Stopping,
}

/// About one second of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunSecond {
    /// Its end, since the run began, in seconds.
    pub(crate) at: f64,
    /// Its length in seconds.
    pub(crate) seconds: f64,
    /// Requests that started in it, and those that ended in it.
    pub(crate) outcomes: Outcomes,
    /// Requests under way at its end.
    pub(crate) under_way: usize,
    /// 99th percentile of the right answers that arrived in it, in seconds.
    pub(crate) p99: Option<f64>,
    /// 99th percentile of the delays of the generator, in seconds.
    pub(crate) lag: Option<f64>,
    /// Right answers by response time.
    pub(crate) rows: [u64; ROWS],
}

impl RunTape {
    /// Takes the state of the run; a second ends with the first state after it.
    pub(crate) fn take(&mut self, progress: &Progress) {
        self.now = progress.clone();
        if progress.elapsed.as_secs() <= self.before.elapsed.as_secs() {
            return;
        }
        let second = RunSecond::between(&self.before, progress);
        self.seconds.push_back(second);
        if self.seconds.len() > MOST {
            self.seconds.pop_front();
        }
        self.before = progress.clone();
    }

    /// Returns the state of the run.
    pub(crate) fn now(&self) -> &Progress {
        &self.now
    }

    /// Returns the last seconds, at most `most`, the earliest first.
    pub(crate) fn last(&self, most: usize) -> impl Iterator<Item = &RunSecond> {
        self.seconds.iter().skip(self.seconds.len().saturating_sub(most))
    }
}

impl RunSecond {
    fn between(before: &Progress, now: &Progress) -> Self {
        let answered = now.answered.since(&before.answered);
        Self {
            at: now.elapsed.as_secs_f64(),
            seconds: now.elapsed.saturating_sub(before.elapsed).as_secs_f64(),
            outcomes: now.outcomes.since(&before.outcomes),
            under_way: now.under_way,
            p99: answered.quantile_seconds(0.99),
            lag: now.lag.since(&before.lag).quantile_seconds(0.99),
            rows: rows(&answered),
        }
    }

    /// Returns a count per second.
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds.max(1e-3)
    }

    /// Returns the requests that ended without an answer, or with a wrong one.
    pub(crate) fn lost(&self) -> u64 {
        lost(&self.outcomes)
    }
}

/// Returns the requests that ended without an answer, or with a wrong one.
pub(crate) fn lost(outcomes: &Outcomes) -> u64 {
    outcomes.wrong + outcomes.timed_out + outcomes.connect_error + outcomes.broken
}

fn rows(answered: &Quantiles) -> [u64; ROWS] {
    let (mut rows, mut before) = ([0; ROWS], 0);
    for (seconds, up_to) in answered.cdf() {
        let row = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = rows.get_mut(row) {
            *count += up_to - before;
        }
        before = up_to;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::testing::overloaded_run;
    use std::time::Duration;

    #[test]
    fn a_second_is_the_difference_of_two_states() {
        let tape = overloaded_run(21);
        let seconds: Vec<&RunSecond> = tape.last(2).collect();
        let [calm, over] = seconds.try_into().unwrap();
        // The one is the 20th second, the first that is overloaded.
        assert_eq!((calm.outcomes.scheduled, over.outcomes.good, over.lost()), (900, 540, 90));
        assert_eq!(over.rows.iter().sum::<u64>(), 630);
        assert!(over.p99.unwrap() > 0.2 && over.lag.unwrap() < 0.001);
        assert!((over.per_second(900) - 900.0).abs() < 1.0);
        assert_eq!(tape.last(usize::MAX).count(), 21);
    }

    #[test]
    fn states_within_a_second_are_no_second_and_old_seconds_are_dropped() {
        let mut tape = RunTape::default();
        for tenth in 1..=(MOST as u64 + 10) * 10 {
            let elapsed = Duration::from_millis(tenth * 100);
            tape.take(&Progress { elapsed, ..Progress::default() });
        }
        assert_eq!(tape.last(usize::MAX).count(), MOST);
        assert_eq!(tape.now().elapsed.as_secs(), MOST as u64 + 10);
    }

    #[test]
    fn a_time_is_in_the_row_of_the_next_bound() {
        let mut answered = Quantiles::default();
        for nanos in [10_000, 1_500_000, 1_700_000, 3_000_000_000] {
            answered.record(nanos, 1);
        }
        let rows = rows(&answered);
        assert_eq!((rows[0], rows[6], rows[16]), (1, 2, 1));
        assert_eq!(rows.iter().sum::<u64>(), 4);
    }
}
