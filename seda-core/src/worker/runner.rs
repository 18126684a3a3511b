//! One stage on one worker: a handler and the batch it works on.
//!
//! The steps of a batch: enter the stage (unless its cap of workers is reached), build the handler
//! if there is none, take events, run the handler over them, publish, release the shards, leave. A
//! panic drops the handler and fails the open events; a new handler runs the rest of the batch.

use crate::event::{Envelope, LossReason, ShardSet, with_loss_reason};
use crate::platform::sync::{Arc, Ordering};
use crate::platform::{Time, catch_panic};
use crate::pool::{SlotGuard, StageSlots};
use crate::queue::Shed;
use crate::stage::{AnyStage, Drainable, Observed, StageCore};
use crate::worker::context::Context;
use crate::worker::handler::{Batch, FactoryError, Handler};
use std::collections::VecDeque;
use std::time::Duration;

/// Events of a microsecond or more are timed one by one: a clock read is 25 ns.
const TIMED_FROM_NANOS: u64 = 1_000;

/// First services that are longer ask for a tick before its time: the first burst of 256 requests
/// takes one worker most of the horizon of 0.5 s.
const LONG_NANOS: u64 = 1_500_000;
/// A batch has about a millisecond of service at most, so that no event in it waits long for the
/// others while another worker is idle.
const BATCH_NANOS: u64 = 1_000_000;
/// The failures in a row after which a factory's stage is closed. With the delays below that takes
/// about six seconds, enough to outlast the restart of a database.
const FACTORY_ATTEMPTS: u32 = 10;
/// The delay after a factory's first failure; it doubles with each further one.
const FACTORY_DELAY: Duration = Duration::from_millis(10);
/// The depth per worker below which a batch is not divided: else idle workers would each build a
/// handler only to share a few events.
const SHARE_FROM: usize = 2;

/// A stage on a worker, without its types.
pub(crate) trait AnyRunner: Send {
    fn slots(&self) -> &StageSlots;

    /// True if [`AnyRunner::run`] would find a batch.
    fn is_ready(&self, now: Time) -> bool;

    /// True if [`AnyRunner::run`] would leave events queued.
    fn leaves_some(&self, others: usize) -> bool;

    /// Returns when there will be work without a send, because a factory's delay ends or a delayed
    /// event is due.
    fn waits_until(&self) -> Option<Time>;

    /// Returns when the next delayed event is due.
    fn next_due(&self) -> Option<Time>;

    /// Runs one batch, and leaves a fair part of the queue to `others`. Returns how many events
    /// were begun; `None` if the stage's cap is reached.
    fn run(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize>;

    /// Does the first half of [`AnyRunner::run`]: takes a batch and keeps it in hand. Returns its
    /// number of events; `None` if the stage's cap is reached. [`AnyRunner::complete`] must follow.
    #[cfg(feature = "simulation")]
    fn begin(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize>;

    /// Does the second half: handles the batch in hand; returns how many events were begun.
    fn complete(&mut self, cx: &mut Context, now: Time) -> usize;

    /// Returns the number of its stage, in order of declaration.
    #[cfg(feature = "simulation")]
    fn stage(&self) -> usize;

    /// True if it has taken events that it could not begin, because the factory failed.
    fn has_events(&self) -> bool;

    /// True if there is a handler to finish.
    fn has_handler(&self) -> bool;

    /// Finishes the handler and drops it.
    fn finish(&mut self, cx: &mut Context, place: usize, now: Time);

    /// Sheds the events that were taken and not begun.
    fn shed_taken(&mut self, reason: LossReason, now: Time);

    /// Drops the handler without `finish`; the events it holds are lost for `reason`.
    fn drop_handler(&mut self, reason: LossReason);
}

/// Makes handlers. Called rarely, so a trait object: the runner's code does not depend on how the
/// stage was attached.
pub(crate) type Factory<H> = Arc<dyn Fn() -> Result<H, FactoryError> + Send + Sync>;

pub(crate) struct Runner<E: Send + 'static, H> {
    stage: Arc<StageCore<E>>,
    slots: Arc<StageSlots>,
    factory: Factory<H>,
    handler: Option<H>,
    /// Events taken and not begun. Empty between batches unless the factory failed.
    events: VecDeque<Envelope<E>>,
    shed: Vec<Shed<E>>,
    /// Smoothed mean service time in nanoseconds; `None` before the first batch.
    mean: Option<u64>,
    /// When the factory is tried again after a failure.
    retry_at: Time,
    /// The worker's number, by which it claims shards of a keyed stage.
    worker: usize,
    /// The shards of the events that were taken last.
    claimed: ShardSet,
    /// Set between the halves of a split turn.
    begun: Option<SlotGuard>,
    /// True while events are in service in a split turn: a client that goes meanwhile does not stop
    /// them.
    in_service: bool,
}

impl<E, H> Runner<E, H>
where
    E: Send + 'static,
    H: Handler<E> + 'static,
{
    pub(crate) fn new(
        stage: Arc<StageCore<E>>,
        slots: Arc<StageSlots>,
        factory: Factory<H>,
        worker: usize,
    ) -> Self {
        Self {
            stage,
            slots,
            factory,
            handler: None,
            events: VecDeque::new(),
            shed: Vec::new(),
            mean: None,
            retry_at: Time::ZERO,
            worker,
            claimed: ShardSet::default(),
            begun: None,
            in_service: false,
        }
    }

    /// Enters the stage and takes a batch; `None` if the stage's cap is reached.
    fn take_batch(
        &mut self,
        cx: &mut Context,
        place: usize,
        others: usize,
        now: Time,
    ) -> Option<SlotGuard> {
        let inside = self.slots.enter()?;
        self.retry_at = Time::ZERO;
        let timed =
            self.stage.graph.is_timed() && self.mean.is_none_or(|mean| mean >= TIMED_FROM_NANOS);
        let stage = Arc::clone(&self.stage) as Arc<dyn AnyStage>;
        cx.begin_batch(stage, place, now, timed);
        if self.build(now) && self.events.is_empty() {
            self.take(cx, others, now);
        }
        Some(inside)
    }

    /// Handles the batch, publishes and leaves the stage; returns how many events were begun.
    fn handle_taken(&mut self, cx: &mut Context, inside: SlotGuard, now: Time) -> usize {
        let mut begun = 0;
        // Without a handler the factory failed, and the events wait for its next attempt.
        if self.handler.is_some() {
            begun = self.events.len();
            self.handle(cx, now);
            begun -= self.events.len();
        }
        let mean = cx.end_batch();
        self.release();
        if let Some(mean) = mean {
            // Smoothed over a few batches: one odd batch must not change how events are timed.
            self.mean = Some(self.mean.map_or(mean, |old| (old * 3 + mean) / 4));
        }
        self.slots.leave(inside);
        if self.slots.ends_first_services(begun) && self.mean >= Some(LONG_NANOS) {
            self.stage.graph.calls.early_tick.request();
        }
        begun
    }

    /// Sheds abandoned events: their clients have gone.
    #[cfg(feature = "simulation")]
    fn shed_abandoned(&mut self, now: Time) {
        for _ in 0..self.events.len() {
            match self.events.pop_front() {
                Some(envelope) if envelope.meta.is_abandoned() => {
                    self.stage.shed_in_hand(envelope, LossReason::Abandoned, now);
                }
                Some(envelope) => self.events.push_back(envelope),
                None => return,
            }
        }
    }

    /// Builds the handler if there is none; false if the factory failed.
    fn build(&mut self, now: Time) -> bool {
        if self.handler.is_some() {
            return true;
        }
        let error = match catch_panic(|| (self.factory)()) {
            Some(Ok(handler)) => {
                self.handler = Some(handler);
                self.slots.failures.store(0, Ordering::Relaxed);
                return true;
            }
            Some(Err(error)) => error.to_string(),
            None => "it panicked".to_owned(),
        };
        let failures = self.slots.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let name = self.stage.name();
        tracing::error!(stage = %name, failures, %error, "the handler's factory failed");
        if failures >= FACTORY_ATTEMPTS {
            self.close(failures, &error);
        }
        let doublings = failures.saturating_sub(1).min(FACTORY_ATTEMPTS);
        self.retry_at = now.after(FACTORY_DELAY * 2_u32.saturating_pow(doublings));
        false
    }

    /// Closes the stage of a factory that keeps failing: queued events are shed, later ones are
    /// refused, and the journal has the reason.
    fn close(&mut self, failures: u32, error: &str) {
        self.stage.close();
        self.stage.graph.journal_closed(self.stage.name(), failures, error);
        self.shed_taken(LossReason::Closed, self.stage.graph.now());
        self.stage.shed_all(LossReason::Closed);
    }

    /// Returns how many events to take: at most the controller's batch size, a fair part of the
    /// queue, and about a millisecond of service. One before the first batch.
    fn batch_size(&self, others: usize) -> usize {
        let Some(mean) = self.mean else { return 1 };
        // On a 32-bit machine, a number beyond `usize` is no bound.
        let by_time = usize::try_from(BATCH_NANOS / mean.max(1)).unwrap_or(usize::MAX).max(1);
        let depth = self.stage.depth_hint();
        let fair = if depth >= SHARE_FROM * (others + 1) { depth.div_ceil(others + 1) } else { 1 };
        let fair = if others == 0 { usize::MAX } else { fair };
        self.slots.batch_limit().min(by_time).min(fair).max(1)
    }

    fn take(&mut self, cx: &mut Context, others: usize, now: Time) {
        let most = self.batch_size(others);
        self.claimed = self.stage.take(self.worker, most, now, &mut self.events, &mut self.shed);
        if !self.shed.is_empty() {
            self.stage.notify_loss(std::mem::take(&mut self.shed));
        }
        for envelope in &self.events {
            cx.note_wait(now.nanos_since(envelope.enqueued));
        }
    }

    /// Runs the handler over the batch; after a panic, a new handler over the rest of it.
    fn handle(&mut self, cx: &mut Context, now: Time) {
        while !self.events.is_empty() && self.build(now) {
            let Some(handler) = &mut self.handler else {
                return;
            };
            let in_service = self.in_service;
            let mut batch = Batch { stage: &self.stage, events: &mut self.events, in_service };
            match catch_panic(|| handler.handle_batch(&mut batch, cx)) {
                Some(()) => {
                    cx.end_events();
                    self.shed_events(LossReason::Forgotten, now);
                }
                None => {
                    let failed = cx.fail_events();
                    tracing::error!(stage = %self.stage.name(), failed, "a handler panicked");
                    self.drop_handler(LossReason::Panicked);
                }
            }
        }
    }

    fn shed_events(&mut self, reason: LossReason, now: Time) {
        while let Some(envelope) = self.events.pop_front() {
            self.stage.shed_in_hand(envelope, reason, now);
        }
    }

    /// Releases the shards of a batch that has ended. Its sends are published first, so that the
    /// next events of a shard, on another worker, do not overtake them.
    fn release(&mut self) {
        if self.events.is_empty() {
            self.stage.release(&std::mem::take(&mut self.claimed));
        }
    }
}

impl<E, H> AnyRunner for Runner<E, H>
where
    E: Send + 'static,
    H: Handler<E> + 'static,
{
    fn slots(&self) -> &StageSlots {
        &self.slots
    }

    fn is_ready(&self, now: Time) -> bool {
        let waiting = !self.events.is_empty() || self.stage.is_ready_for(self.worker, now);
        waiting && self.retry_at <= now && self.slots.has_room()
    }

    fn leaves_some(&self, others: usize) -> bool {
        let taken = if self.events.is_empty() { self.batch_size(others) } else { 0 };
        self.stage.depth_hint() > taken
    }

    fn waits_until(&self) -> Option<Time> {
        let waiting = !self.events.is_empty() || self.stage.depth_hint() > 0;
        let retry = (waiting && self.retry_at > Time::ZERO).then_some(self.retry_at);
        retry.into_iter().chain(self.next_due()).min()
    }

    fn next_due(&self) -> Option<Time> {
        let due = self.stage.next_due();
        if due < Time::NEVER { Some(due) } else { None }
    }

    fn run(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize> {
        let inside = self.take_batch(cx, place, others, now)?;
        Some(self.handle_taken(cx, inside, now))
    }

    #[cfg(feature = "simulation")]
    fn begin(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize> {
        let inside = self.take_batch(cx, place, others, now)?;
        self.shed_abandoned(now);
        self.begun = Some(inside);
        self.in_service = true;
        for request in self.events.iter().filter_map(|envelope| envelope.meta.request.as_ref()) {
            request.begin_service(self.stage.index, now);
        }
        if let Some(handler) = &mut self.handler {
            let events = self.events.iter().map(|envelope| &envelope.event);
            if catch_panic(|| events.for_each(|event| handler.begin(event))).is_none() {
                tracing::error!(stage = %self.stage.name(), "a handler panicked in `begin`");
            }
        }
        // All events end with the batch, so its whole time must not count for the first one.
        if self.events.len() > 1 {
            cx.time_together();
        }
        Some(if self.handler.is_some() { self.events.len() } else { 0 })
    }

    fn complete(&mut self, cx: &mut Context, now: Time) -> usize {
        let begun = self.begun.take().map_or(0, |inside| self.handle_taken(cx, inside, now));
        self.in_service = false;
        begun
    }

    #[cfg(feature = "simulation")]
    fn stage(&self) -> usize {
        self.stage.index
    }

    fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    fn has_handler(&self) -> bool {
        self.handler.is_some()
    }

    fn finish(&mut self, cx: &mut Context, place: usize, now: Time) {
        let Some(handler) = &mut self.handler else {
            return;
        };
        cx.begin_batch(Arc::clone(&self.stage) as Arc<dyn AnyStage>, place, now, true);
        cx.begin_finish(now);
        if catch_panic(|| handler.finish(cx)).is_none() {
            tracing::error!(stage = %self.stage.name(), "a handler panicked in `finish`");
        }
        cx.end_batch();
        self.drop_handler(LossReason::Forgotten);
    }

    fn shed_taken(&mut self, reason: LossReason, now: Time) {
        self.shed_events(reason, now);
        self.release();
        if let Some(inside) = self.begun.take() {
            self.slots.leave(inside);
        }
    }

    fn drop_handler(&mut self, reason: LossReason) {
        let handler = self.handler.take();
        if catch_panic(|| with_loss_reason(reason, || drop(handler))).is_none() {
            tracing::error!(stage = %self.stage.name(), "dropping a handler panicked");
        }
    }
}
