//! The parts of a run, and what is counted of each.

use crate::report::WindowReport;
use crate::report::outcome::{Outcome, Outcomes};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// A part of a run: warm-up, a part of the profile, cool-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) name: String,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Whether it counts in the totals.
    pub(crate) measured: bool,
}

/// What is counted of one part.
#[derive(Clone, Debug)]
pub(crate) struct WindowTally {
    pub(crate) window: Window,
    /// Of the requests that were meant to start in it.
    pub(crate) outcomes: Outcomes,
    /// Response times of its right answers.
    pub(crate) response: Quantiles,
    /// Right answers that came in while it lasted, whenever their requests were meant to start.
    pub(crate) came_in: u64,
    /// Of these, those within each SLO.
    pub(crate) came_in_within: Vec<u64>,
}

impl WindowTally {
    pub(crate) fn new(window: Window, slos: usize) -> Self {
        let (outcomes, response) = (Outcomes::default(), Quantiles::default());
        Self { window, outcomes, response, came_in: 0, came_in_within: vec![0; slos] }
    }

    /// A right answer came in while it lasted.
    pub(crate) fn came_in(&mut self, slos: impl Iterator<Item = Duration>, response: Duration) {
        self.came_in += 1;
        for (count, slo) in self.came_in_within.iter_mut().zip(slos) {
            *count += u64::from(response <= slo);
        }
    }

    /// Good answers that came in while it lasted; without an SLO every right one is good.
    pub(crate) fn good_in(&self) -> u64 {
        self.came_in_within.first().copied().unwrap_or(self.came_in)
    }

    pub(crate) fn ended(&mut self, outcome: Outcome, response_nanos: u64) {
        self.outcomes.count(outcome);
        if matches!(outcome, Outcome::Good | Outcome::Late) {
            self.response.record(response_nanos, 1);
        }
    }

    pub(crate) fn add(&mut self, other: &WindowTally) {
        self.outcomes.add(&other.outcomes);
        self.response.add(&other.response);
        self.came_in += other.came_in;
        let counts = self.came_in_within.iter_mut().zip(&other.came_in_within);
        counts.for_each(|(ours, theirs)| *ours += theirs);
    }

    /// Its length in seconds, or what of it has been when the run was ended at `until`.
    pub(crate) fn seconds(&self, until: Time) -> f64 {
        self.window.to.min(until).since(self.window.from).as_secs_f64()
    }

    pub(crate) fn report(&self, until: Time) -> WindowReport {
        let seconds = self.seconds(until);
        WindowReport {
            name: self.window.name.clone(),
            measured: self.window.measured,
            from_seconds: self.window.from.as_secs_f64(),
            to_seconds: self.window.to.min(until).as_secs_f64(),
            outcomes: self.outcomes,
            offered_per_second: rate(self.outcomes.scheduled, seconds),
            throughput_per_second: rate(self.came_in, seconds),
            goodput_per_second: rate(self.good_in(), seconds),
            response_seconds: self.response.summary(),
        }
    }
}

/// Events per second; 0 over no time.
pub(crate) fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
