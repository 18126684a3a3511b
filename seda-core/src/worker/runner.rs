//! One stage on one worker: a handler and the batch it works on.

use crate::event::{Envelope, LossReason, ShardSet, with_loss_reason};
use crate::platform::sync::{Arc, Ordering};
use crate::platform::{Time, catch_panic};
use crate::pool::{SlotGuard, StageSlots};
use crate::queue::Shed;
use crate::stage::{AnyStage, StageCore};
use crate::worker::context::Context;
use crate::worker::handler::{Batch, FactoryError, Handler};
use std::collections::VecDeque;
use std::time::Duration;

/// Events of a microsecond or more are timed one by one: a clock read is 25 ns.
const TIMED_FROM_NANOS: u64 = 1_000;
/// A batch is kept to about a millisecond of service, so that no event in it waits long for its
/// companions while another worker is idle.
const BATCH_NANOS: u64 = 1_000_000;
/// How often in a row a factory may fail before its stage is closed: enough to outlast a
/// database that restarts, with the delays below about six seconds.
const FACTORY_ATTEMPTS: u32 = 10;
/// The delay after a factory's first failure; it doubles each time.
const FACTORY_DELAY: Duration = Duration::from_millis(10);
/// Idle workers of one pool that would each build a handler only to share a few events: below
/// this depth per worker a batch is not cut up.
const SHARE_FROM: usize = 2;

/// A stage on a worker, without its types.
pub(crate) trait AnyRunner: Send {
    fn share(&self) -> &StageSlots;

    /// Whether [`AnyRunner::run`] would find something to do.
    fn is_ready(&self, now: Time) -> bool;

    /// Whether [`AnyRunner::run`] would leave something queued.
    fn leaves_some(&self, others: usize) -> bool;

    /// When there will be something to do without anybody's doing: a factory's delay is over,
    /// or an event that was sent for later is due.
    fn waits_until(&self) -> Option<Time>;

    /// When the next event that was sent for later is due.
    fn next_due(&self) -> Option<Time>;

    /// Runs one batch, of which this worker should leave enough for `others`; returns how many
    /// events it began, and `None` if it could not start.
    fn run(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize>;

    /// The first half of [`AnyRunner::run`]: takes a batch and keeps it in hand; returns how many
    /// events that are, and `None` if it could not start. [`AnyRunner::complete`] has to follow.
    fn begin(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize>;

    /// The second half: handles the batch in hand; returns how many events it began.
    fn complete(&mut self, cx: &mut Context, now: Time) -> usize;

    /// The number of its stage, in order of declaration.
    fn stage(&self) -> usize;

    /// Whether it has taken events that it could not begin yet.
    fn has_events(&self) -> bool;

    /// Whether there is a handler that wants to be finished.
    fn has_handler(&self) -> bool;

    /// Ends the handler in good order.
    fn finish(&mut self, cx: &mut Context, place: usize, now: Time);

    /// Gives up events that were taken and could not be begun.
    fn give_up(&mut self, reason: LossReason, now: Time);

    /// Drops the handler as it is, with whatever it holds.
    fn drop_handler(&mut self, reason: LossReason);
}

/// Makes handlers. Called seldom, so without its type: however a stage was attached, its runner
/// is one piece of code.
pub(crate) type Factory<H> = Arc<dyn Fn() -> Result<H, FactoryError> + Send + Sync>;

pub(crate) struct Runner<E: Send + 'static, H> {
    stage: Arc<StageCore<E>>,
    share: Arc<StageSlots>,
    factory: Factory<H>,
    handler: Option<H>,
    /// Events taken and not begun. Empty between batches, unless the factory failed.
    events: VecDeque<Envelope<E>>,
    given_up: Vec<Shed<E>>,
    /// Mean service time in nanoseconds, smoothed; unknown before the first batch.
    mean: Option<u64>,
    retry_at: Time,
    /// Whose runner it is: shards of a keyed stage are claimed by number.
    worker: usize,
    /// The shards of `events`, and of what was taken with them.
    claimed: ShardSet,
    /// A batch is in hand whose service is going on: between `begin` and `complete`.
    begun: Option<SlotGuard>,
    /// So the events in hand are past the last look whether their client has gone.
    in_service: bool,
}

impl<E, H> Runner<E, H>
where
    E: Send + 'static,
    H: Handler<E> + 'static,
{
    pub(crate) fn new(
        stage: Arc<StageCore<E>>,
        share: Arc<StageSlots>,
        factory: Factory<H>,
        worker: usize,
    ) -> Self {
        Self {
            stage,
            share,
            factory,
            handler: None,
            events: VecDeque::new(),
            given_up: Vec::new(),
            mean: None,
            retry_at: Time::ZERO,
            worker,
            claimed: ShardSet::default(),
            begun: None,
            in_service: false,
        }
    }

    /// Enters the stage, unless its cap is reached, and takes a batch.
    fn take_batch(
        &mut self,
        cx: &mut Context,
        place: usize,
        others: usize,
        now: Time,
    ) -> Option<SlotGuard> {
        let inside = self.share.enter()?;
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

    /// Handles what was taken, makes it known and leaves; returns how many events were begun.
    fn handle_taken(&mut self, cx: &mut Context, inside: SlotGuard, now: Time) -> usize {
        let mut begun = 0;
        // Without a handler the factory failed: what was taken before waits for its next attempt.
        if self.handler.is_some() {
            begun = self.events.len();
            self.handle(cx, now);
            begun -= self.events.len();
        }
        let mean = cx.end_batch();
        self.release();
        if let Some(mean) = mean {
            // Smoothed over a handful of batches: one odd batch must not change the mode.
            self.mean = Some(self.mean.map_or(mean, |old| (old * 3 + mean) / 4));
        }
        self.share.leave(inside);
        begun
    }

    /// Gives up those whose client has gone: their service is not begun.
    fn pass_over_abandoned(&mut self, now: Time) {
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

    /// Builds the handler if there is none; false if that failed.
    fn build(&mut self, now: Time) -> bool {
        if self.handler.is_some() {
            return true;
        }
        let error = match catch_panic(|| (self.factory)()) {
            Some(Ok(handler)) => {
                self.handler = Some(handler);
                self.share.failures.store(0, Ordering::Relaxed);
                return true;
            }
            Some(Err(error)) => error.to_string(),
            None => "it panicked".to_owned(),
        };
        let failures = self.share.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let name = self.stage.name();
        tracing::error!(stage = %name, failures, %error, "the handler's factory failed");
        if failures >= FACTORY_ATTEMPTS {
            self.close(failures, &error);
        }
        let doublings = failures.saturating_sub(1).min(FACTORY_ATTEMPTS);
        self.retry_at = now.after(FACTORY_DELAY * 2_u32.saturating_pow(doublings));
        false
    }

    /// A factory that keeps failing closes its stage: what waits is given up, what comes is
    /// refused, and the journal says why.
    fn close(&mut self, failures: u32, error: &str) {
        self.stage.close();
        self.stage.graph.journal_closed(self.stage.name(), failures, error);
        self.give_up(LossReason::Closed, self.stage.graph.now());
        Arc::clone(&self.stage).shed_all(LossReason::Closed);
    }

    /// How many events to take: the setting or what the controller makes of it, a fair part of what is there, and no more than
    /// about a millisecond's worth.
    fn batch_size(&self, others: usize) -> usize {
        let Some(mean) = self.mean else { return 1 };
        let by_time = usize::try_from(BATCH_NANOS / mean.max(1)).unwrap_or(usize::MAX).max(1);
        let depth = self.stage.depth_hint();
        let fair = if depth >= SHARE_FROM * (others + 1) { depth.div_ceil(others + 1) } else { 1 };
        let fair = if others == 0 { usize::MAX } else { fair };
        self.share.batch_limit().min(by_time).min(fair).max(1)
    }

    fn take(&mut self, cx: &mut Context, others: usize, now: Time) {
        let most = self.batch_size(others);
        let (events, given_up) = (&mut self.events, &mut self.given_up);
        self.claimed = self.stage.take(self.worker, most, now, events, given_up);
        if !self.given_up.is_empty() {
            self.stage.notify_loss(std::mem::take(&mut self.given_up));
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
                    self.shed_rest(LossReason::Forgotten, now);
                }
                None => {
                    let failed = cx.fail_events();
                    tracing::error!(stage = %self.stage.name(), failed, "a handler panicked");
                    self.drop_handler(LossReason::Panicked);
                }
            }
        }
    }

    fn shed_rest(&mut self, reason: LossReason, now: Time) {
        while let Some(envelope) = self.events.pop_front() {
            self.stage.shed_in_hand(envelope, reason, now);
        }
    }

    /// Gives the shards of a batch back that has ended, and whose sends are published: what
    /// follows of them on another worker must not overtake it.
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
    fn share(&self) -> &StageSlots {
        &self.share
    }

    fn is_ready(&self, now: Time) -> bool {
        let waiting = !self.events.is_empty() || self.stage.is_ready_for(self.worker, now);
        waiting && self.retry_at <= now && self.share.has_room()
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
        Some(self.stage.next_due()).filter(|due| *due < Time::NEVER)
    }

    fn run(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize> {
        let inside = self.take_batch(cx, place, others, now)?;
        Some(self.handle_taken(cx, inside, now))
    }

    fn begin(&mut self, cx: &mut Context, place: usize, others: usize, now: Time) -> Option<usize> {
        let inside = self.take_batch(cx, place, others, now)?;
        self.pass_over_abandoned(now);
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
        // All of them end when the batch does: the whole is not the first one's time.
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

    fn give_up(&mut self, reason: LossReason, now: Time) {
        self.shed_rest(reason, now);
        self.release();
        if let Some(inside) = self.begun.take() {
            self.share.leave(inside);
        }
    }

    fn drop_handler(&mut self, reason: LossReason) {
        let handler = self.handler.take();
        if catch_panic(|| with_loss_reason(reason, || drop(handler))).is_none() {
            tracing::error!(stage = %self.stage.name(), "dropping a handler panicked");
        }
    }
}
