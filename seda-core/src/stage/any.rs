//! A stage seen without its event type: what controllers, valve, reports and drains need.

use crate::config::{PerClass, RateConfig, StandingConfig};
use crate::event::{EventMeta, LossReason};
use crate::gate::Limits;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::queue::{AqmState, ClassLedger, Evict, Outcome, VictimFilter};
use std::any::Any;
use std::time::Duration;

/// One consistent cut through a stage's queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueFigures {
    pub(crate) depth: usize,
    pub(crate) soft: usize,
    pub(crate) capacity: usize,
    pub(crate) classes: PerClass<ClassLedger>,
    /// Sent and refused, by the number of the edge into this stage.
    pub(crate) edges: Vec<(u64, u64)>,
    pub(crate) wasted_nanos: u64,
    /// What is being done about the queue, if it stands.
    pub(crate) stood: AqmState,
    /// Event-nanoseconds in the stage.
    pub(crate) occupancy: u128,
    /// Service of deferred events, from being taken to completion.
    pub(crate) deferred_service: crate::stats::Quantiles,
    /// Of the pending events, those that handlers keep.
    pub(crate) held: usize,
    /// Of the pending events, those that were sent for later.
    pub(crate) delayed: usize,
    /// Bytes of the events in the stage, if it weighs them.
    pub(crate) bytes: Option<u64>,
    /// Share of the busiest shard, if the stage is keyed.
    pub(crate) busiest_shard: Option<f64>,
}

impl QueueFigures {
    pub(crate) fn total(&self) -> ClassLedger {
        let mut sum = ClassLedger::default();
        self.classes.iter().for_each(|class| sum.add(class));
        sum
    }
}

/// How a pending event ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub(crate) succeeded: bool,
    /// Kept by a handler, and not handled outside.
    pub(crate) held: bool,
    pub(crate) taken: Time,
}

/// A lock's guard, whatever it guards.
pub(crate) trait Held {}

impl<T> Held for T {}

pub(crate) trait AnyStage: Send + Sync {
    fn name(&self) -> &Arc<str>;

    /// Its place in order of declaration.
    fn index(&self) -> usize;

    /// The stage's core by type, for [`Arc::downcast`].
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;

    /// How many events are queued: a hint, exact for who just changed it.
    fn depth_hint(&self) -> usize;

    /// Says which pool runs the stage; its idle workers are woken for what is sent here.
    fn set_pool(&self, pool: Arc<crate::pool::PoolCore>);

    /// To be called before the first event.
    fn set_classes(&self, weights: &[u32]);

    /// Changes the weights of the classes, live.
    fn set_shares(&self, weights: &[u32]);

    fn set_capacity(&self, capacity: usize);

    fn set_soft(&self, soft: usize);

    /// Sets how many events may be held before nothing more is admitted, and how long before its
    /// deadline each has to be begun.
    fn set_admission(&self, limits: &Limits, lead: Duration);

    fn set_pending_limit(&self, limit: usize);

    /// Sets how many events may be outside before nothing more is taken.
    fn set_outside_limit(&self, limit: usize);

    /// How many events are outside, and how many may be before nothing more is taken.
    fn outside(&self) -> (usize, usize);

    /// Sets what is done about a queue that stands.
    fn set_standing(&self, config: &StandingConfig);

    /// Bounds the rate at which events enter, or no more.
    fn set_rate(&self, config: Option<RateConfig>);

    /// Whether events of one key are handled in their order.
    fn is_keyed(&self) -> bool;

    fn add_edge(&self) -> usize;

    fn open(&self);

    fn close(&self);

    /// The stage's figures, and what keeps events from entering and leaving it while it lives: with
    /// all stages held, their figures are a consistent cut through the graph.
    fn cut(&self, now: Time) -> (QueueFigures, Box<dyn Held + '_>);

    fn settle(&self, outcome: &Outcome, now: Time);

    /// An event in hand becomes pending; false at the stage's limit. `holder` is the worker
    /// whose handler keeps it, if it is not handled outside.
    fn defer(&self, meta: &EventMeta, holder: Option<usize>) -> bool;

    fn complete(&self, meta: &EventMeta, how: Completion, now: Time);

    /// Whether the weight of events is counted here.
    fn weighs(&self) -> bool;

    /// When the earliest event that was sent for later is due; never without any.
    fn next_timer(&self) -> Time;

    /// Gives up what was to be sent later, and takes no more of it; returns how many.
    fn cancel_timers(&self) -> usize;

    /// How many events are queued, and how many may be before nothing more is admitted.
    fn crowding(&self) -> (usize, usize);

    /// Depth, and how many of it may give way.
    fn eligible(&self, victims: VictimFilter) -> (usize, usize);

    /// Bytes of the events that may give way.
    fn eligible_bytes(&self, victims: VictimFilter) -> u64;

    /// Gives up to `most` events up and hands them to the graph's disposal; returns how many.
    fn evict(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> usize {
        self.evict_lower(victims, order, most, now).iter().sum()
    }

    /// The same; returns how many of each class.
    fn evict_lower(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> PerClass<usize>;

    /// Gives up everything that is queued; returns how many. The budget is credited.
    fn shed_all(self: Arc<Self>, reason: LossReason) -> usize;
}
