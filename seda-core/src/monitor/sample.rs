//! Running sums at one time. Rates and means follow from the difference of two samples.

use crate::config::{PerClass, Stages};
use crate::gate::GateCounts;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::queue::ClassLedger;
use crate::stats::{Quantiles, ThreadTimes};

/// The sum of durations in nanoseconds, and their number.
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

    /// Returns the part that was added after `then`.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_sub(then.nanos),
            count: self.count.saturating_sub(then.count),
        }
    }

    /// Returns the part that was added after `then`, or the whole if nothing was added.
    pub(crate) fn since_or_ever(self, then: Self) -> Self {
        let recent = self.since(then);
        if recent.count > 0 { recent } else { self }
    }

    /// Returns the mean in seconds; `None` without durations.
    pub(crate) fn mean_seconds(self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(self.nanos as f64 / self.count as f64 / 1e9)
    }
}

/// Sums of one stage since the graph began.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageSums {
    pub(crate) ledger: ClassLedger,
    pub(crate) depth: usize,
    /// Nanoseconds in which the queue was empty.
    pub(crate) empty: u64,
    /// Nanoseconds in which workers ran the stage, with the running batch.
    pub(crate) busy: u64,
    /// Nanoseconds of `busy` that are split: a worker's CPU times are known from its second
    /// reading on.
    pub(crate) split: u64,
    /// Nanoseconds of `busy` on a core; `None` without procfs.
    pub(crate) cpu: Option<u64>,
    /// Nanoseconds of `busy` spent waiting for a core; `None` without procfs.
    pub(crate) run_queue: Option<u64>,
    pub(crate) wait: TimeSum,
    pub(crate) deferred: DeferredSums,
    pub(crate) gate: GateCounts,
    pub(crate) service: TimeSum,
    pub(crate) windowed: WindowedSums,
    /// Nanoseconds of the pool's workers, busy or idle.
    pub(crate) workers: u128,
}

/// Sums over deferred events that were completed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeferredSums {
    /// Time from dequeue to completion.
    pub(crate) times: TimeSum,
    /// Time on threads, of the events that have told it.
    pub(crate) threads: ThreadTimes,
}

/// Sums that only the windows of a report need.
#[derive(Clone, Debug, Default)]
pub(crate) struct WindowedSums {
    /// Nanoseconds of `busy` spent waiting for room in another stage.
    pub(crate) room_wait: u64,
    /// Events sent and refused, by the number of the edge into the stage.
    pub(crate) edges: Vec<(u64, u64)>,
    /// Events accepted, by shard; empty unless the stage is keyed.
    pub(crate) shards: Vec<u64>,
    pub(crate) ticks: TickSums,
    /// Time integral of the number of events in the stage, in event-nanoseconds.
    pub(crate) occupancy: u128,
}

/// Sums over ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TickSums {
    pub(crate) ticks: u64,
    /// The events offered in each tick, and their squares.
    pub(crate) arrivals: u64,
    pub(crate) squares: u128,
    /// The products of the events offered in each tick and in the tick before it.
    pub(crate) products: u128,
    /// The events offered in the last tick.
    pub(crate) last: u64,
    /// The ticks that found a worker of the pool busy, and the busy workers found.
    pub(crate) busy_ticks: u64,
    pub(crate) busy_workers: u64,
}

impl TickSums {
    /// Counts a tick with these arrivals, at whose end `busy` workers of the pool were running.
    pub(super) fn count(&mut self, arrivals: u64, busy: usize) {
        self.ticks += 1;
        self.arrivals += arrivals;
        self.squares += u128::from(arrivals) * u128::from(arrivals);
        self.products += u128::from(arrivals) * u128::from(self.last);
        self.last = arrivals;
        self.busy_ticks += u64::from(busy > 0);
        self.busy_workers += busy as u64;
    }

    /// Returns the part that was added after `then`.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            ticks: self.ticks - then.ticks,
            arrivals: self.arrivals - then.arrivals,
            squares: self.squares - then.squares,
            products: self.products - then.products,
            last: self.last,
            busy_ticks: self.busy_ticks - then.busy_ticks,
            busy_workers: self.busy_workers - then.busy_workers,
        }
    }

    /// Returns the variance over the mean of the arrivals per tick; `None` below five ticks, where
    /// it says nothing, and without arrivals.
    pub(crate) fn dispersion(self) -> Option<f64> {
        if self.ticks < 5 || self.arrivals == 0 {
            return None;
        }
        let ticks = self.ticks as f64;
        let mean = self.arrivals as f64 / ticks;
        let variance = (self.squares as f64 / ticks - mean * mean) * ticks / (ticks - 1.0);
        Some((variance / mean).max(0.0))
    }

    /// Returns the covariance of the arrivals of neighbouring ticks over their mean; `None` as the
    /// dispersion.
    pub(crate) fn persistence(self) -> Option<f64> {
        if self.ticks < 5 || self.arrivals == 0 {
            return None;
        }
        let ticks = self.ticks as f64;
        let mean = self.arrivals as f64 / ticks;
        Some((self.products as f64 / ticks - mean * mean) / mean)
    }

    /// Returns the mean number of busy workers in the ticks that found one; `None` without such.
    pub(crate) fn parallelism(self) -> Option<f64> {
        (self.busy_ticks > 0).then(|| self.busy_workers as f64 / self.busy_ticks as f64)
    }
}

impl StageSums {
    /// Returns the nanoseconds since `then` in which busy workers were blocked: neither on a core
    /// nor waiting for one. `None` without procfs.
    pub(crate) fn blocked_since(&self, then: &StageSums) -> Option<u64> {
        let on_core = between(then.cpu, self.cpu)?;
        let waiting = between(then.run_queue, self.run_queue)?;
        Some(self.split.saturating_sub(then.split).saturating_sub(on_core + waiting))
    }
}

/// The sums of all stages at one time.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) at: Time,
    pub(crate) stages: Stages<StageSums>,
    /// Response times since the graph began, by class. Shared: ten samples of a tick are kept, and
    /// a histogram has 20 KB.
    pub(crate) response: Arc<PerClass<Quantiles>>,
    /// Nanoseconds on a core that the threads of hosted workers spent outside stages.
    pub(crate) reactors: u64,
}

/// Returns the growth between two readings; `None` if either is unknown.
pub(crate) fn between(then: Option<u64>, now: Option<u64>) -> Option<u64> {
    now.zip(then).map(|(now, then)| now.saturating_sub(then))
}
