//! The windows of a run, and the counts of each.

use crate::report::WindowReport;
use crate::report::outcome::{Outcome, Outcomes};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// A part of a run: warm-up, a part of the profile, or cool-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) name: String,
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// True if the window counts in the totals.
    pub(crate) measured: bool,
}

impl Window {
    /// Returns true for times from `from` up to, but not including, `to`.
    pub(crate) fn contains(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }
}

/// The counts of one window.
#[derive(Clone, Debug)]
pub(crate) struct WindowTally {
    pub(crate) window: Window,
    /// Outcomes of the requests with an intended start in the window.
    pub(crate) outcomes: Outcomes,
    /// Response times of their right answers.
    pub(crate) response: Quantiles,
    /// Right answers that arrived within the window, for any intended start.
    pub(crate) completed: u64,
    /// The number of these within each SLO.
    pub(crate) completed_within: Vec<u64>,
}

impl WindowTally {
    pub(crate) fn new(window: Window, slos: usize) -> Self {
        let (outcomes, response) = (Outcomes::default(), Quantiles::default());
        Self { window, outcomes, response, completed: 0, completed_within: vec![0; slos] }
    }

    /// Counts a right answer that arrived within the window.
    pub(crate) fn completed(&mut self, slos: impl Iterator<Item = Duration>, response: Duration) {
        self.completed += 1;
        for (count, slo) in self.completed_within.iter_mut().zip(slos) {
            *count += u64::from(response <= slo);
        }
    }

    /// Returns the good answers that arrived within the window; without an SLO, all right answers.
    pub(crate) fn completed_good(&self) -> u64 {
        self.completed_within.first().copied().unwrap_or(self.completed)
    }

    pub(crate) fn ended(&mut self, outcome: Outcome, response_nanos: u64) {
        self.outcomes.count(outcome);
        if outcome.is_right() {
            self.response.record(response_nanos, 1);
        }
    }

    /// Adds the counts of another thread. A window ends as early as that of any thread: one that
    /// had nothing left to start has not learnt of an earlier end.
    pub(crate) fn add(&mut self, other: &WindowTally) {
        self.window.from = self.window.from.min(other.window.from);
        self.window.to = self.window.to.min(other.window.to);
        self.outcomes.add(&other.outcomes);
        self.response.add(&other.response);
        self.completed += other.completed;
        let counts = self.completed_within.iter_mut().zip(&other.completed_within);
        counts.for_each(|(ours, theirs)| *ours += theirs);
    }

    /// Returns the length in seconds of the part before `until`.
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
            throughput_per_second: rate(self.completed, seconds),
            goodput_per_second: rate(self.completed_good(), seconds),
            response_seconds: self.response.summary(),
        }
    }
}

/// Returns the moment `by` before `at`; the origin if that is earlier.
pub(crate) fn before(at: Time, by: Duration) -> Time {
    Time::from_nanos(at.nanos_since(Time::ZERO.after(by)))
}

/// Returns a rate per second; 0 if `seconds` is 0, and NaN for the window of a trace whose arrivals
/// are all at one instant.
pub(crate) fn rate(count: u64, seconds: f64) -> f64 {
    match seconds {
        seconds if seconds > INSTANT => count as f64 / seconds,
        seconds if seconds > 0.0 => f64::NAN,
        _ => 0.0,
    }
}

/// A window of so few seconds has no rate: that of one arrival lasts a nanosecond.
const INSTANT: f64 = 1e-6;
