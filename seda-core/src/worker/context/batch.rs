//! The worker's side of the context: it begins and ends events and batches, and publishes.
//!
//! An event in hand is *begun* (`begin_event`), then *ended* (`end_events`) or *failed*
//! (`fail_events`). Its outcome and the events it sent stay local until a *publication*: at the end
//! of the batch, or after 100 µs between two events. A publication moves, under the lock of the
//! worker's window, the figures, then the ledger of the stage, then the sent events, so that a
//! scrape sees all of them or none.

use crate::config::Class;
use crate::event::EventMeta;
use crate::event::request::VisitBegin;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::WorkerStats;
use crate::stage::{AnyStage, GraphShared};
use crate::worker::context::{Context, Detached};

/// How long finished work may wait for the end of its batch before it is published. A publication
/// costs about 0.1 µs, a thousandth of this.
const PUBLISH_AFTER_NANOS: u64 = 100_000;

impl Context {
    /// Returns all leased places, when the worker finds no event to handle.
    pub(in crate::worker) fn return_leases(&mut self) {
        let now = self.now;
        for outbox in self.outboxes.iter_mut().flatten() {
            outbox.publish(now, 0, false);
        }
    }

    pub(crate) fn graph(&self) -> &Arc<GraphShared> {
        &self.graph
    }

    pub(crate) fn worker_stats(&self) -> &Arc<WorkerStats> {
        &self.worker_stats
    }

    /// Begins a batch of `stage`; with `timed` its events are timed one by one.
    pub(in crate::worker) fn begin_batch(
        &mut self,
        stage: Arc<dyn AnyStage>,
        place: usize,
        now: Time,
        timed: bool,
    ) {
        self.worker_stats.begin(place, now);
        self.weighs = stage.weighs();
        self.stage = Some((stage, place));
        self.now = now;
        self.begun = now;
        self.published = now;
        self.timed = timed;
    }

    /// Times the batch as a whole, because its events end together: its mean counts for each.
    #[cfg(feature = "simulation")]
    pub(in crate::worker) fn time_together(&mut self) {
        self.timed = false;
    }

    /// Prepares for a handler's `finish`: the events it sends have no cause to inherit from.
    pub(in crate::worker) fn begin_finish(&mut self, now: Time) {
        self.meta = EventMeta::new(now, Class::HIGHEST, Time::NEVER);
    }

    /// Records the waiting time of an event, in nanoseconds.
    #[inline]
    pub(in crate::worker) fn note_wait(&mut self, nanos: u64) {
        if self.graph.is_timed() {
            self.stats.wait(nanos);
        }
    }

    #[inline]
    pub(in crate::worker) fn begin_event(&mut self, meta: EventMeta, enqueued: Time, ahead: usize) {
        self.meta = meta;
        self.open = 1;
        self.ahead = ahead;
        if let (Some(request), Some((stage, _))) = (&self.meta.request, &self.stage) {
            request.visit(stage.index());
            request.begin_service(stage.index(), self.begun);
            let (stage, begun) = (stage.name(), self.begun);
            request.trace_visit(|| VisitBegin { stage, enqueued, begun, batch: ahead + 1 });
        }
        // The budget's place of the event in hand passes to the first event it sends.
        self.credit += 1;
    }

    /// Begins one more event of a cohort: the open ones stay open.
    pub(in crate::worker) fn begin_another(&mut self, meta: EventMeta, enqueued: Time) {
        if self.open > 0 {
            self.stats.add_to_cohort(self.meta.class);
        }
        self.cost_of_service();
        if self.open > 0 {
            self.weigh_out(false);
        }
        self.meta = meta;
        if let (Some(request), Some((stage, _))) = (&self.meta.request, &self.stage) {
            request.visit(stage.index());
            let (stage, begun, batch) = (stage.name(), self.begun, self.open + 1);
            request.trace_together(|| VisitBegin { stage, enqueued, begun, batch });
        }
        self.open += 1;
        self.ahead = 0;
        self.credit += 1;
    }

    /// Ends the open events as handled, unless detached.
    #[inline]
    pub(in crate::worker) fn end_events(&mut self) {
        if self.open == 0 {
            return;
        }
        let detached = self.detached.take();
        if let (None, Some(request), Some((stage, _))) =
            (&detached, &self.meta.request, &self.stage)
        {
            request.leave_gate(stage.index());
        }
        self.weigh_out(detached.is_some());
        self.stats.end(self.meta.class, detached.is_some());
        self.cost_of_service();
        let goes_outside = detached == Some(Detached::Outside);
        let took = self.time_events(u64::from(goes_outside));
        self.open = 0;
        if goes_outside {
            // The stage records the whole service when the event is completed.
            return self.end_visit();
        }
        if let (Some(nanos), Some(request), Some((stage, _))) =
            (took, &self.meta.request, &self.stage)
        {
            request.record_service(stage.index(), nanos);
        }
        self.end_service();
    }

    /// Ends the open events as failed; returns how many.
    pub(in crate::worker) fn fail_events(&mut self) -> usize {
        let failed = std::mem::take(&mut self.open);
        if failed == 0 {
            return 0;
        }
        // An event that was detached before the panic ends with its handle.
        let detached = self.detached.take().is_some();
        self.weigh_out(detached);
        self.stats.fail(self.meta.class, detached);
        self.end_service();
        if self.timed {
            // The time until the panic is the worker's, not the next event's.
            self.now = self.graph.now();
            self.begun = self.now;
        }
        failed - usize::from(detached)
    }

    /// Counts the cost of the request at its first visit to the stage.
    #[inline]
    fn cost_of_service(&mut self) {
        if let (Some(request), Some((stage, _))) = (&self.meta.request, &self.stage) {
            let cost = request.claim_first_visit(stage.index());
            if cost > 0 {
                self.stats.serve(cost);
            }
        }
    }

    /// Ends this worker's service of the request.
    #[inline]
    fn end_service(&mut self) {
        if let Some(request) = &self.meta.request {
            request.end_service();
        }
        self.end_visit();
    }

    /// Ends the visit of the request to this worker.
    #[inline]
    fn end_visit(&mut self) {
        if let Some(request) = self.meta.request.take() {
            request.trace_end(|| self.graph.now());
        }
    }

    /// Counts the bytes of the event in hand as gone, unless it is detached and stays.
    #[inline]
    fn weigh_out(&mut self, detached: bool) {
        if self.weighs && !detached {
            self.stats.weigh(self.meta.weight.bytes());
        }
    }

    /// Counts the open events as done, all but the deferred ones. Returns the service time of each
    /// in nanoseconds; `None` unless events are timed one by one.
    #[inline]
    fn time_events(&mut self, deferred: u64) -> Option<u64> {
        let ended = self.open as u64 - deferred;
        self.stats.done(ended);
        if !self.timed {
            return None;
        }
        let now = self.graph.now();
        let each = now.nanos_since(self.begun) / self.open.max(1) as u64;
        self.stats.service(each, ended);
        self.begun = now;
        self.now = now;
        if now.nanos_since(self.published) >= PUBLISH_AFTER_NANOS {
            self.publish(now, false);
        }
        if let Some((_, place)) = &self.stage {
            self.worker_stats.begin(*place, now);
        }
        Some(each)
    }

    /// Ends the batch and publishes. Returns the mean service time in nanoseconds; `None` if no
    /// event ended.
    pub(in crate::worker) fn end_batch(&mut self) -> Option<u64> {
        self.end_events();
        let now = if self.timed { self.now } else { self.graph.now() };
        self.now = now;
        self.publish(now, true);
        self.worker_stats.end();
        self.stage = None;
        self.stats.take_mean()
    }

    /// Publishes the work since the last publication.
    fn publish(&mut self, now: Time, ending: bool) {
        let mean = self.stats.close(now.nanos_since(self.published), self.timed);
        // Under the lock, because a scrape must not see an event in two stages or in none.
        let mut window = self.worker_stats.window.lock();
        if let Some((stage, place)) = &self.stage {
            // Figures first.
            if self.graph.is_timed() {
                let figures = window.stages.get_mut(*place);
                debug_assert!(figures.is_some(), "a worker has figures for each of its stages");
                figures.into_iter().for_each(|figures| self.stats.write(figures));
            }
            // Then the ledger of this stage.
            self.stats.settle(stage.as_ref(), now);
        }
        // Then the events for other stages.
        for index in &self.dirty {
            let outbox = self.outboxes.get_mut(*index).and_then(Option::as_mut);
            debug_assert!(outbox.is_some(), "a dirty outbox exists");
            outbox.into_iter().for_each(|outbox| outbox.publish(now, mean, true));
        }
        drop(window);
        // Workers are woken without the lock.
        for index in self.dirty.drain(..) {
            if let Some(outbox) = self.outboxes.get(index).and_then(Option::as_ref) {
                outbox.wake(ending);
            }
        }
        // Ended events that sent nothing leave the budget.
        self.graph.credit(std::mem::take(&mut self.credit));
        self.published = now;
    }
}
