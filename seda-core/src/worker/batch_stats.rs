//! The figures of a batch: kept by the worker without a lock, written to its window at once.

use crate::config::{Class, PerClass};
use crate::platform::Time;
use crate::pool::StageFigures;
use crate::queue::Outcome;
use crate::stage::AnyStage;
use crate::stats::{Quantiles, ServedCosts};

/// A run of successive events with the same time.
#[derive(Clone, Copy, Debug)]
struct Run {
    nanos: u64,
    count: u64,
}

#[derive(Debug, Default)]
pub(super) struct BatchStats {
    outcome: Outcome,
    /// Waiting times. Events that were published together and taken together waited equally long.
    waits: Vec<Run>,
    services: Vec<Run>,
    /// How many of the services are a batch's mean.
    means: u64,
    /// Events ended since the last publication.
    done: u64,
    /// Busy time in nanoseconds since the last publication.
    busy: u64,
    /// Part of the busy time spent waiting for room in another stage.
    room_wait: u64,
    /// Open events of a cohort without its last, by class.
    cohort: PerClass<u32>,
    has_cohort: bool,
    /// Service time of the whole batch in nanoseconds, and its events.
    batch_nanos: u64,
    batch_events: u64,
    served: ServedCosts,
}

impl BatchStats {
    #[inline]
    pub(super) fn wait(&mut self, nanos: u64) {
        Self::note(&mut self.waits, nanos, 1);
    }

    #[inline]
    pub(super) fn service(&mut self, nanos: u64, count: u64) {
        Self::note(&mut self.services, nanos, count);
    }

    #[inline]
    fn note(runs: &mut Vec<Run>, nanos: u64, count: u64) {
        match runs.last_mut() {
            Some(last) if last.nanos == nanos => last.count += count,
            _ if count > 0 => runs.push(Run { nanos, count }),
            _ => {}
        }
    }

    /// Adds the open event of `class` to the cohort, because another one is begun beside it.
    pub(super) fn add_to_cohort(&mut self, class: Class) {
        self.cohort[class] += 1;
        self.has_cohort = true;
    }

    /// Counts the open events as handled: the last of them, of `class`, unless it is detached.
    #[inline]
    pub(super) fn end(&mut self, class: Class, detached: bool) {
        if !detached {
            self.outcome.handle(class);
        }
        self.end_cohort(Outcome::handle);
    }

    /// Counts the cost of a request at the end of its event.
    pub(super) fn serve(&mut self, cost: u32) {
        self.served.count(cost);
    }

    /// Counts time spent waiting for room in another stage, in nanoseconds.
    pub(super) fn wait_for_room(&mut self, nanos: u64) {
        self.room_wait += nanos;
    }

    /// Counts the bytes of events that end.
    pub(super) fn weigh(&mut self, bytes: u64) {
        self.outcome.any = true;
        self.outcome.bytes += bytes;
    }

    /// Counts the open events as failed: the last of them, of `class`, unless it is detached.
    pub(super) fn fail(&mut self, class: Class, detached: bool) {
        if !detached {
            self.outcome.fail(class);
        }
        self.end_cohort(Outcome::fail);
    }

    #[inline]
    fn end_cohort(&mut self, count: impl Fn(&mut Outcome, Class)) {
        if !std::mem::take(&mut self.has_cohort) {
            return;
        }
        for (class, n) in self.cohort.iter_mut().enumerate() {
            for _ in 0..std::mem::take(n) {
                count(&mut self.outcome, Class::new(class as u8));
            }
        }
    }

    #[inline]
    pub(super) fn done(&mut self, events: u64) {
        self.done += events;
    }

    /// Closes the period of `elapsed` nanoseconds since the last publication; returns its mean
    /// service time in nanoseconds. Events that were not timed one by one count with that mean.
    pub(super) fn close(&mut self, elapsed: u64, timed: bool) -> u64 {
        let done = std::mem::take(&mut self.done);
        let mean = elapsed / done.max(1);
        if !timed {
            self.service(mean, done);
            self.means += done;
        }
        self.busy += elapsed;
        self.batch_nanos += elapsed;
        self.batch_events += done;
        mean
    }

    /// Moves the figures to the worker's window.
    pub(super) fn write(&mut self, figures: &mut StageFigures) {
        record(&mut figures.wait, &mut self.waits);
        record(&mut figures.service, &mut self.services);
        figures.batch_means += std::mem::take(&mut self.means);
        figures.busy += std::mem::take(&mut self.busy);
        figures.room_wait += std::mem::take(&mut self.room_wait);
        figures.served.add(&std::mem::take(&mut self.served));
        figures.batches += 1;
    }

    /// Returns how many events have ended that the stage still counts as in hand.
    pub(super) fn unsettled(&self) -> usize {
        let Outcome { handled, failed, any, .. } = &self.outcome;
        if !any {
            return 0;
        }
        handled.iter().chain(failed).map(|n| *n as usize).sum()
    }

    /// Moves the outcome of the ended events to the stage's ledger.
    pub(super) fn settle(&mut self, stage: &dyn AnyStage, now: Time) {
        if self.outcome.any {
            stage.settle(&std::mem::take(&mut self.outcome), now);
        }
    }

    /// Ends the batch; returns its mean service time in nanoseconds, `None` without any event.
    pub(super) fn take_mean(&mut self) -> Option<u64> {
        // Without statistics `write` was not called.
        self.waits.clear();
        self.services.clear();
        self.means = 0;
        self.busy = 0;
        self.room_wait = 0;
        self.served = ServedCosts::default();
        let nanos = std::mem::take(&mut self.batch_nanos);
        nanos.checked_div(std::mem::take(&mut self.batch_events))
    }
}

fn record(quantiles: &mut Quantiles, runs: &mut Vec<Run>) {
    runs.drain(..).for_each(|run| quantiles.record(run.nanos, run.count));
}
