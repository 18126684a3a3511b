//! Follows a run while it lasts.

use crate::report::outcome::Outcomes;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// The state of a run at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Time since the run began.
    pub elapsed: Duration,
    /// Length of the schedule: warm-up, measured part and cool-down. The last requests end later.
    pub planned: Duration,
    /// Outcomes since the run began, warm-up and cool-down included.
    pub outcomes: Outcomes,
    /// Requests under way.
    pub under_way: usize,
    /// 99th percentile of the response times of right answers in the current window, in seconds;
    /// `None` without any.
    pub p99: Option<f64>,
    /// Response times of right answers since the run began.
    pub answered: Quantiles,
    /// Times from the intended start of a request to its actual start, since the run began.
    pub lag: Quantiles,
}

/// Receives the progress of a run.
///
/// Every method is called on the thread that called [`run`](super::run); `progress` about ten times
/// a second.
pub trait Observer {
    /// One of several runs begins; `label` tells which.
    fn begins(&mut self, _label: &str) {}
    /// The run goes on.
    fn progress(&mut self, progress: &Progress);
    /// The measured part begins.
    fn measuring(&mut self) {}
    /// The measured part has ended.
    fn measured(&mut self) {}
    /// Every request of the run has ended.
    fn ends(&mut self) {}
}

impl Observer for () {
    fn progress(&mut self, _progress: &Progress) {}
}
