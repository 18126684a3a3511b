//! The worker's side of the context: beginning and ending events and batches, making work known.

use crate::config::Class;
use crate::event::EventMeta;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::WorkerStats;
use crate::stage::{AnyStage, GraphShared};
use crate::worker::context::{Context, Detached};

/// How long finished work may wait for its batch to end before it is made known: the price of a
/// publication (about 0.1 µs) stays below a thousandth of it.
const PUBLISH_AFTER_NANOS: u64 = 100_000;

impl Context {
    /// Gives back all places that are leased ahead: the worker has nothing to send for now.
    pub(crate) fn return_leases(&mut self) {
        let now = self.now;
        for outbox in self.outboxes.iter_mut().flatten() {
            outbox.publish(now, 0, false);
        }
    }

    pub(crate) fn graph(&self) -> &Arc<GraphShared> {
        &self.graph
    }

    pub(crate) fn book(&self) -> &Arc<WorkerStats> {
        &self.book
    }

    /// The worker begins a batch of `stage`; with `timed` its events are timed one by one.
    pub(crate) fn begin_batch(
        &mut self,
        stage: Arc<dyn AnyStage>,
        place: usize,
        now: Time,
        timed: bool,
    ) {
        self.book.begin(place, now);
        self.weighs = stage.weighs();
        self.stage = Some((stage, place));
        (self.now, self.begun, self.published) = (now, now, now);
        self.timed = timed;
    }

    /// The events of the batch end together: its mean counts for each of them.
    pub(crate) fn time_together(&mut self) {
        self.timed = false;
    }

    /// The worker ends a handler in good order: what it sends is new to the graph.
    pub(crate) fn begin_finish(&mut self, now: Time) {
        self.meta = EventMeta::new(now, Class::HIGHEST, Time::NEVER);
    }

    /// Notes how long an event had waited; runs of equal waits are cheap.
    #[inline]
    pub(crate) fn note_wait(&mut self, nanos: u64) {
        if self.graph.is_timed() {
            self.tally.wait(nanos);
        }
    }

    #[inline]
    pub(crate) fn begin_event(&mut self, meta: EventMeta, ahead: usize) {
        self.meta = meta;
        self.open = 1;
        self.ahead = ahead;
        if let (Some(request), Some((stage, _))) = (&self.meta.request, &self.stage) {
            request.begin_service(stage.index(), self.begun);
        }
        // The place of the event in hand becomes the place of the first event it sends.
        self.credit += 1;
    }

    pub(crate) fn begin_another(&mut self, meta: EventMeta) {
        self.tally.cohort(self.meta.class, self.open > 0);
        self.cost_of_service();
        if self.open > 0 {
            self.weigh_out(false);
        }
        self.meta = meta;
        self.open += 1;
        self.ahead = 0;
        self.credit += 1;
    }

    /// Ends the events that are begun: handled, unless deferred.
    #[inline]
    pub(crate) fn end_events(&mut self) {
        if self.open == 0 {
            return;
        }
        let aside = self.aside.take();
        self.weigh_out(aside.is_some());
        self.tally.end(self.meta.class, aside.is_some());
        self.cost_of_service();
        let took = self.time_events(u64::from(aside == Some(Detached::Outside)));
        if let (Some(nanos), Some(request)) = (took, &self.meta.request) {
            request.record_service(nanos);
        }
        self.open = 0;
        self.end_service();
    }

    /// Ends the events that are begun as failed; returns how many there were.
    pub(crate) fn fail_events(&mut self) -> usize {
        let failed = std::mem::take(&mut self.open);
        if failed == 0 {
            return 0;
        }
        // An event that was deferred before the panic is in its pending handle's care.
        let aside = self.aside.take().is_some();
        self.weigh_out(aside);
        self.tally.fail(self.meta.class, aside);
        self.end_service();
        if self.timed {
            // What it took is the worker's time, and not that of the event behind it.
            self.now = self.graph.now();
            self.begun = self.now;
        }
        failed - usize::from(aside)
    }

    /// What the request of the event in hand costs is written down with what its service took.
    #[inline]
    fn cost_of_service(&mut self) {
        if let (Some(request), Some((stage, _))) = (&self.meta.request, &self.stage) {
            let cost = request.claim_first_visit(stage.index());
            if cost > 0 {
                self.tally.serve(cost);
            }
        }
    }

    /// The event in hand serves its request no more, as far as this worker is concerned.
    #[inline]
    fn end_service(&mut self) {
        if let Some(request) = self.meta.request.take() {
            request.end_service();
        }
    }

    /// Counts the weight of the event in hand as gone, unless it is set aside: then it stays.
    #[inline]
    fn weigh_out(&mut self, aside: bool) {
        if self.weighs && !aside {
            self.tally.weigh(self.meta.weight.bytes());
        }
    }

    /// Returns what each took, in nanoseconds, where they are timed one by one.
    #[inline]
    fn time_events(&mut self, deferred: u64) -> Option<u64> {
        let ended = self.open as u64 - deferred;
        self.tally.done(ended);
        if !self.timed {
            return None;
        }
        let now = self.graph.now();
        let each = now.nanos_since(self.begun) / self.open.max(1) as u64;
        self.tally.service(each, ended);
        self.begun = now;
        self.now = now;
        if now.nanos_since(self.published) >= PUBLISH_AFTER_NANOS {
            self.publish(now, false);
        }
        if let Some((_, place)) = &self.stage {
            self.book.begin(*place, now);
        }
        Some(each)
    }

    /// Ends the batch: everything is written down and made known. Returns the mean service time
    /// in nanoseconds.
    pub(crate) fn end_batch(&mut self) -> Option<u64> {
        self.end_events();
        let now = if self.timed { self.now } else { self.graph.now() };
        self.now = now;
        self.publish(now, true);
        self.book.end();
        self.stage = None;
        self.tally.take_mean()
    }

    /// Makes known what was done since the last publication: ledger and figures of this stage,
    /// then the events for others, in one cut.
    fn publish(&mut self, now: Time, ending: bool) {
        let mean = self.tally.close(now.nanos_since(self.published), self.timed);
        let mut window = self.book.window.lock();
        if let Some((stage, place)) = &self.stage {
            if let Some(figures) = window.stages.get_mut(*place).filter(|_| self.graph.is_timed()) {
                self.tally.write(figures);
            }
            self.tally.settle(stage.as_ref(), now);
        }
        for index in &self.dirty {
            if let Some(outbox) = self.outboxes.get_mut(*index).and_then(Option::as_mut) {
                outbox.publish(now, mean, true);
            }
        }
        drop(window);
        for index in self.dirty.drain(..) {
            if let Some(outbox) = self.outboxes.get(index).and_then(Option::as_ref) {
                outbox.wake(ending);
            }
        }
        self.graph.credit(std::mem::take(&mut self.credit));
        self.published = now;
    }
}
