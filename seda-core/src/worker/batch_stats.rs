//! What a worker has done since it last made it known: kept locally, written in one go.

use crate::config::{Class, PerClass};
use crate::platform::Time;
use crate::pool::StageFigures;
use crate::queue::Outcome;
use crate::stage::AnyStage;
use crate::stats::{Quantiles, ServedCosts};

#[derive(Debug, Default)]
pub(crate) struct BatchStats {
    outcome: Outcome,
    /// Nanoseconds waited, and how many events in a row waited just as long: what was published
    /// together and taken together did.
    waits: Vec<(u64, u64)>,
    services: Vec<(u64, u64)>,
    /// How many of the services are a batch's mean.
    means: u64,
    done: u64,
    busy: u64,
    /// The begun events of a cohort, beside its last; and whether there are any.
    cohort: PerClass<u32>,
    has_cohort: bool,
    /// Nanoseconds and events of the whole batch.
    batch: (u64, u64),
    served: ServedCosts,
}

impl BatchStats {
    #[inline]
    pub(crate) fn wait(&mut self, nanos: u64) {
        Self::note(&mut self.waits, nanos, 1);
    }

    #[inline]
    pub(crate) fn service(&mut self, nanos: u64, count: u64) {
        Self::note(&mut self.services, nanos, count);
    }

    #[inline]
    fn note(runs: &mut Vec<(u64, u64)>, nanos: u64, count: u64) {
        match runs.last_mut() {
            Some((last, n)) if *last == nanos => *n += count,
            _ if count > 0 => runs.push((nanos, count)),
            _ => {}
        }
    }

    /// Another event is begun while `class` is in hand.
    pub(crate) fn cohort(&mut self, class: Class, in_hand: bool) {
        if in_hand {
            self.cohort[class] += 1;
            self.has_cohort = true;
        }
    }

    /// The begun events end, the last of them of `class`, deferred or not.
    #[inline]
    pub(crate) fn end(&mut self, class: Class, deferred: bool) {
        if !deferred {
            self.outcome.handle(class);
        }
        self.end_cohort(Outcome::handle);
    }

    /// What a request costs for which the event is served that ends now.
    pub(crate) fn serve(&mut self, cost: u32) {
        self.served.count(cost);
    }

    /// Events that end weighed so much.
    pub(crate) fn weigh(&mut self, bytes: u64) {
        self.outcome.any = true;
        self.outcome.bytes += bytes;
    }

    pub(crate) fn fail(&mut self, class: Class, deferred: bool) {
        if !deferred {
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
    pub(crate) fn done(&mut self, events: u64) {
        self.done += events;
    }

    /// Closes the stretch of `elapsed` nanoseconds since the last one; returns its mean service
    /// time. Events that were not timed one by one count with that mean.
    pub(crate) fn close(&mut self, elapsed: u64, timed: bool) -> u64 {
        let done = std::mem::take(&mut self.done);
        let mean = elapsed / done.max(1);
        if !timed {
            self.service(mean, done);
            self.means += done;
        }
        self.busy += elapsed;
        self.batch = (self.batch.0 + elapsed, self.batch.1 + done);
        mean
    }

    pub(crate) fn write(&mut self, figures: &mut StageFigures) {
        let record = |quantiles: &mut Quantiles, runs: &mut Vec<(u64, u64)>| {
            runs.drain(..).for_each(|(nanos, count)| quantiles.record(nanos, count));
        };
        record(&mut figures.wait, &mut self.waits);
        record(&mut figures.service, &mut self.services);
        figures.batch_means += std::mem::take(&mut self.means);
        figures.busy += std::mem::take(&mut self.busy);
        figures.served.add(&std::mem::take(&mut self.served));
        figures.batches += 1;
    }

    /// How many events have ended, and still count as in hand.
    pub(crate) fn unsettled(&self) -> usize {
        let Outcome { handled, failed, any, .. } = &self.outcome;
        if !any {
            return 0;
        }
        handled.iter().chain(failed).map(|n| *n as usize).sum()
    }

    pub(crate) fn settle(&mut self, stage: &dyn AnyStage, now: Time) {
        if self.outcome.any {
            stage.settle(&std::mem::take(&mut self.outcome), now);
        }
    }

    /// Ends the batch: its mean service time in nanoseconds, if it had any events.
    pub(crate) fn take_mean(&mut self) -> Option<u64> {
        // Left behind where nothing is recorded.
        self.waits.clear();
        self.services.clear();
        (self.means, self.busy, self.served) = (0, 0, ServedCosts::default());
        let (nanos, events) = std::mem::take(&mut self.batch);
        nanos.checked_div(events)
    }
}
