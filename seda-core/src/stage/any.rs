//! A stage without its event type: one trait for each kind of caller.
//!
//! | trait | called by |
//! | --- | --- |
//! | [`Observed`] | the monitor and the control plane, to read |
//! | [`Configurable`] | the builder at the start, the control plane in a running graph |
//! | [`Worked`] | workers and pending handles, for the events in their hands |
//! | [`Evictable`] | the overload valve |
//! | [`Expiring`] | the control plane, for deadlines that pass in the queue |
//! | [`Drainable`] | the runtime at the end, and a worker after repeated failures of its factory |

use crate::config::{PerClass, StageSettings};
use crate::event::{EventMeta, LossReason};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::{PoolCore, StageSlots};
use crate::queue::{AqmState, ClassLedger, Evict, Outcome, VictimFilter};
use crate::stage::pending::OutsideService;
use crate::stats::ThreadTimes;
use std::any::Any;
use std::time::Duration;

/// The figures of one stage, read in one critical section.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueFigures {
    pub(crate) depth: usize,
    /// Since when the queue has not been empty; `None` if it is empty.
    pub(crate) standing_since: Option<Time>,
    /// Nanoseconds in which the queue was empty.
    pub(crate) empty_nanos: u64,
    pub(crate) soft: usize,
    pub(crate) capacity: usize,
    pub(crate) classes: PerClass<ClassLedger>,
    /// Events sent and refused, by the number of the edge into this stage.
    pub(crate) edges: Vec<(u64, u64)>,
    /// Service time spent on events that were shed later, in nanoseconds.
    pub(crate) wasted_nanos: u64,
    /// The wait of the oldest queued event that one more worker could take; zero without one.
    pub(crate) longest_wait: Duration,
    /// The state of the queue's delay control.
    pub(crate) aqm: AqmState,
    /// Time integral of the number of events in the stage, in event-nanoseconds.
    pub(crate) occupancy: u128,
    /// The service of deferred events.
    pub(crate) deferred: OutsideService,
    /// Pending events that handlers hold.
    pub(crate) held: usize,
    /// Pending events that wait for their timers.
    pub(crate) delayed: usize,
    /// Bytes of the events in the stage; `None` if it does not weigh them.
    pub(crate) bytes: Option<u64>,
    /// Events accepted so far, by shard; empty unless the stage is keyed.
    pub(crate) shards: Vec<u64>,
}

impl QueueFigures {
    /// Returns the sum over all classes.
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
    /// True if a handler held the event; false if it was handled outside.
    pub(crate) held: bool,
    /// When the worker took the event.
    pub(crate) taken: Time,
    /// The time that it spent on threads outside; `None` if it has told nothing.
    pub(crate) threads: Option<ThreadTimes>,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowding {
    /// Queued events.
    pub(crate) depth: usize,
    /// The depth above which nothing is admitted.
    pub(crate) soft: usize,
}

/// A queue as the overload valve sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueView {
    pub(crate) depth: usize,
    /// Queued events that may be evicted.
    pub(crate) eligible: usize,
}

/// The guard of a consistent cut: while it lives, no event enters or leaves its stage.
pub(crate) trait CutGuard {}

impl<T> CutGuard for T {}

/// A stage of any event type.
pub(crate) trait AnyStage:
    Observed + Configurable + Worked + Evictable + Expiring + Drainable + Send + Sync
{
    fn name(&self) -> &Arc<str>;

    /// Returns the stage's number in order of declaration.
    fn index(&self) -> usize;

    /// Returns the core for [`Arc::downcast`].
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Reading a stage: called by the monitor, the control plane and reports.
pub(crate) trait Observed {
    /// Returns the number of queued events. A hint: exact only on the thread that changed it last.
    fn depth_hint(&self) -> usize;

    /// True if the events of one key are handled in their order.
    fn is_keyed(&self) -> bool;

    /// Returns the number of events outside the workers, and its limit.
    fn outside(&self) -> (usize, usize);

    /// Returns the stage's figures and a guard that keeps them true. With the guards of all stages
    /// held, their figures are a consistent cut through the graph.
    fn cut(&self, now: Time) -> (QueueFigures, Box<dyn CutGuard + '_>);
}

/// Setting up a stage and changing its settings: called by the builder before the first event, and
/// by the control plane while the graph runs.
pub(crate) trait Configurable {
    /// Sets the pool that runs the stage, once; its idle workers are woken for events sent here.
    fn set_pool(&self, pool: Arc<PoolCore>);

    /// Declares the classes by their weights, before the first event.
    fn set_classes(&self, weights: &[u32]);

    /// Changes the weights of the classes.
    fn set_shares(&self, weights: &[u32]);

    /// Adds an edge into the stage and returns its number.
    fn add_edge(&self) -> usize;

    /// Lets events in for the first time.
    fn open(&self);

    /// Applies all settings of the stage; after the start only those that differ from `before`, so
    /// that values which a controller has set since stay.
    fn apply(&self, slots: &StageSlots, settings: &StageSettings, before: Option<&StageSettings>);

    /// Sets the depth above which nothing is admitted.
    fn set_soft(&self, soft: usize);

    /// Sets how long before its deadline an event must begin.
    fn set_lead(&self, lead: Duration);

    /// Sets how many events may be outside the workers before no more are taken.
    fn set_outside_limit(&self, limit: usize);
}

/// The events that a worker has taken: called by its context and by pending handles.
pub(crate) trait Worked {
    /// True if the weight of events is counted here.
    fn weighs(&self) -> bool;

    /// Returns the depth and the depth above which nothing is admitted.
    fn crowding(&self) -> Crowding;

    /// Counts the events that a worker has ended.
    fn settle(&self, outcome: &Outcome, now: Time);

    /// Makes an event in hand pending; false at the stage's limit. `holder` is the worker that
    /// holds the event; `None` if it is handled outside.
    fn defer(&self, meta: &EventMeta, holder: Option<usize>) -> bool;

    /// Ends a pending event.
    fn complete(&self, meta: &EventMeta, how: Completion, now: Time);
}

/// Queued events as victims: called by the overload valve.
pub(crate) trait Evictable {
    /// Returns the depth and the number of events that may be evicted.
    fn eligible(&self, victims: VictimFilter) -> QueueView;

    /// Returns the bytes of the events that may be evicted; 0 in a stage that weighs none.
    fn eligible_bytes(&self, victims: VictimFilter) -> u64;

    /// Evicts up to `most` events and hands them to the graph's loss notifier; returns how many
    /// of each class. The budget's places pass to the caller.
    fn evict_by_class(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> PerClass<usize>;

    /// As [`Evictable::evict_by_class`]; returns how many in all.
    fn evict(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> usize {
        self.evict_by_class(victims, order, most, now).iter().sum()
    }
}

/// Shedding late events: called by the control plane.
pub(crate) trait Expiring {
    /// Sheds queued events whose deadlines can no longer be met. Looks at up to `most` events and
    /// goes on there at the next call.
    fn shed_expired(self: Arc<Self>, most: usize, now: Time);
}

/// Ending a stage: called by the runtime.
pub(crate) trait Drainable {
    /// Refuses every further event.
    fn close(&self);

    /// Returns when the earliest delayed event is due; [`Time::NEVER`] without any.
    fn next_timer(&self) -> Time;

    /// Sheds the delayed events and accepts no more of them; returns how many were shed.
    fn cancel_timers(&self) -> usize;

    /// Sheds every queued event and credits the budget; returns how many.
    fn shed_all(&self, reason: LossReason) -> usize;
}
