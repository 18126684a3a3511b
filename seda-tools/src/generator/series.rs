//! Counts and response times over time, in bins.

use crate::report::Bin;
use crate::report::outcome::{Outcome, Outcomes};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// The most bins: at 50 ms each, more than eight minutes. A bin's histogram takes some 20 KB once
/// it has a record, so that all of them stay within 200 MB.
pub const MAX_BINS: usize = 10_000;

/// One bin for each slice of a run.
#[derive(Clone, Debug, Default)]
pub struct Series {
    width_nanos: u64,
    bins: Vec<(Outcomes, Quantiles)>,
}

impl Series {
    /// Bins of `width` for a run of `length`; no more than [`MAX_BINS`], the last one then has
    /// all that comes later.
    pub(crate) fn new(width: Duration, length: Duration) -> Self {
        let width_nanos = nanos(width).max(1);
        let count = usize::try_from(nanos(length).div_ceil(width_nanos)).unwrap_or(MAX_BINS);
        let empty = || (Outcomes::default(), Quantiles::default());
        let bins = std::iter::repeat_with(empty).take(count.clamp(1, MAX_BINS)).collect();
        Self { width_nanos, bins }
    }

    pub(crate) fn scheduled(&mut self, intended: Time) {
        if let Some((outcomes, _)) = self.bin(intended) {
            outcomes.scheduled += 1;
        }
    }

    pub(crate) fn unscheduled(&mut self, intended: Time) {
        if let Some((outcomes, _)) = self.bin(intended) {
            outcomes.scheduled = outcomes.scheduled.saturating_sub(1);
        }
    }

    pub(crate) fn ended(&mut self, intended: Time, outcome: Outcome, response_nanos: u64) {
        if let Some((outcomes, response)) = self.bin(intended) {
            outcomes.count(outcome);
            if matches!(outcome, Outcome::Good | Outcome::Late) {
                response.record(response_nanos, 1);
            }
        }
    }

    /// Adds a series of the same bins: another thread's, or another run's.
    pub fn add(&mut self, other: &Series) {
        if self.bins.is_empty() {
            self.clone_from(other);
            return;
        }
        for ((outcomes, response), theirs) in self.bins.iter_mut().zip(&other.bins) {
            outcomes.add(&theirs.0);
            response.add(&theirs.1);
        }
    }

    /// The bins, in order of time.
    pub fn report(&self) -> Vec<Bin> {
        let seconds = self.width_nanos as f64 / 1e9;
        let bin = |(index, (outcomes, response)): (usize, &(Outcomes, Quantiles))| Bin {
            from_seconds: index as f64 * seconds,
            seconds,
            outcomes: *outcomes,
            p50: response.quantile_seconds(0.50),
            p99: response.quantile_seconds(0.99),
        };
        self.bins.iter().enumerate().map(bin).collect()
    }

    fn bin(&mut self, intended: Time) -> Option<&mut (Outcomes, Quantiles)> {
        let index = intended.as_nanos().checked_div(self.width_nanos)?;
        let last = self.bins.len().checked_sub(1)?;
        self.bins.get_mut(usize::try_from(index).unwrap_or(last).min(last))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
