//! Running sums at one moment. Rates and means follow from the difference of two samples.

use crate::config::{PerClass, Stages};
use crate::gate::GateCounts;
use crate::platform::Time;
use crate::queue::ClassLedger;
use crate::stats::Quantiles;

/// How long some things took together, and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeSum {
    pub(crate) nanos: u128,
    pub(crate) count: u64,
}

impl TimeSum {
    pub(super) fn of(times: &Quantiles) -> Self {
        Self { nanos: times.total_nanos(), count: times.count() }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { nanos: self.nanos + other.nanos, count: self.count + other.count }
    }

    /// What was added since `then`.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_sub(then.nanos),
            count: self.count.saturating_sub(then.count),
        }
    }

    /// What was added since `then`; everything if nothing was.
    pub(crate) fn since_or_ever(self, then: Self) -> Self {
        let recent = self.since(then);
        if recent.count > 0 { recent } else { self }
    }

    /// The mean in seconds; `None` without any.
    pub(crate) fn mean_seconds(self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(self.nanos as f64 / self.count as f64 / 1e9)
    }
}

/// Sums over one stage since the graph began.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageSums {
    pub(crate) ledger: ClassLedger,
    pub(crate) depth: usize,
    /// Nanoseconds in which workers ran it, the running batch included.
    pub(crate) busy: u64,
    /// Of `busy`: on a core, and waiting for one; `None` if the kernel does not tell.
    pub(crate) cpu: Option<u64>,
    pub(crate) run_queue: Option<u64>,
    pub(crate) wait: TimeSum,
    /// Of deferred events, from being taken to being completed.
    pub(crate) deferred: TimeSum,
    pub(crate) gate: GateCounts,
    pub(crate) service: TimeSum,
    pub(crate) occupancy: u128,
    /// Worker-nanoseconds that its pool had.
    pub(crate) workers: u128,
}

/// All stages' sums at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) at: Time,
    pub(crate) stages: Stages<StageSums>,
    /// Response times since the graph began, by class.
    pub(crate) response: PerClass<Quantiles>,
}

/// What was added between two readings, if both are known.
pub(crate) fn between(then: Option<u64>, now: Option<u64>) -> Option<u64> {
    now.zip(then).map(|(now, then)| now.saturating_sub(then))
}
