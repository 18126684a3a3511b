//! Counts and response times over time, in bins.

use super::responses::Responses;
use crate::report::Bin;
use crate::report::outcome::Outcome;
use seda_core::Time;
use std::time::Duration;

/// The most bins: with 50 ms each, more than eight minutes. The histogram of a bin takes about 20
/// KB once it has a record, so that all together stay below 200 MB.
pub const MAX_BINS: usize = 10_000;

/// One bin for each time slice of a run.
#[derive(Clone, Debug, Default)]
pub struct Series {
    width_nanos: u64,
    bins: Vec<Responses>,
}

impl Series {
    /// Makes bins of `width` for a run of `length`: at most [`MAX_BINS`], of which the last then
    /// takes all later requests.
    pub(crate) fn new(width: Duration, length: Duration) -> Self {
        let width_nanos = nanos(width).max(1);
        let count = usize::try_from(nanos(length).div_ceil(width_nanos)).unwrap_or(MAX_BINS);
        let bins = vec![Responses::default(); count.clamp(1, MAX_BINS)];
        Self { width_nanos, bins }
    }

    pub(crate) fn scheduled(&mut self, intended: Time) {
        if let Some(bin) = self.bin(intended) {
            bin.outcomes.scheduled += 1;
        }
    }

    pub(crate) fn unscheduled(&mut self, intended: Time) {
        if let Some(bin) = self.bin(intended) {
            bin.outcomes.scheduled = bin.outcomes.scheduled.saturating_sub(1);
        }
    }

    pub(crate) fn ended(&mut self, intended: Time, outcome: Outcome, response_nanos: u64) {
        if let Some(bin) = self.bin(intended) {
            bin.count(outcome, response_nanos);
        }
    }

    /// Adds the series of another thread or run, which must have the same bins.
    pub fn add(&mut self, other: &Series) {
        if self.bins.is_empty() {
            self.clone_from(other);
            return;
        }
        for (bin, theirs) in self.bins.iter_mut().zip(&other.bins) {
            bin.add(theirs);
        }
    }

    /// Returns the bins, in order of time.
    pub fn report(&self) -> Vec<Bin> {
        let seconds = self.width_nanos as f64 / 1e9;
        let mut bins = Vec::with_capacity(self.bins.len());
        for (index, bin) in self.bins.iter().enumerate() {
            bins.push(Bin {
                from_seconds: index as f64 * seconds,
                seconds,
                outcomes: bin.outcomes,
                p50: bin.times.quantile_seconds(0.50),
                p99: bin.times.quantile_seconds(0.99),
            });
        }
        bins
    }

    fn bin(&mut self, intended: Time) -> Option<&mut Responses> {
        let index = intended.as_nanos().checked_div(self.width_nanos)?;
        let last = self.bins.len().checked_sub(1)?;
        self.bins.get_mut(usize::try_from(index).unwrap_or(last).min(last))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
