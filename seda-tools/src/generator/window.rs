//! The parts of a run, and what is counted of each.

use crate::outcome::{Outcome, Outcomes};
use crate::report::WindowReport;
use seda_core::Time;
use seda_core::stats::Quantiles;

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
}

impl WindowTally {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, outcomes: Outcomes::default(), response: Quantiles::default(), came_in: 0 }
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
            goodput_per_second: rate(self.outcomes.good, seconds),
            response_seconds: self.response.summary(),
        }
    }
}

/// Events per second; 0 over no time.
pub(crate) fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
