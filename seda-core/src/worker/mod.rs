//! A worker and its loop: take a batch, run it, publish its sends, record, park.
//!
//! Handlers and their factories run in this room alone: inside the panic boundary and outside all
//! locks. (`stage` runs the other user code: keys, weights, and the owners of lost events.) The
//! room imports `stage` and the rooms below it. A decision that is taken once per tick, or that
//! reads more than one worker, belongs to `control`.
//!
//! - this file: [`Worker`], its loop, and the choice of the next stage;
//! - `runner`: one stage on one worker, a handler and its batch;
//! - `context`: what a handler can call; `held`, `pending`: events it keeps beyond its call;
//! - `simulation`: turns in two halves, behind a feature.
//!
//! # How a worker sleeps and wakes
//!
//! [`Worker::turn`] does one batch and returns, so a graph can be stepped without threads.
//! [`Worker::run`] is the loop around it. A sender must not pay for a system call per event, and
//! an event must not lie in a queue while a worker that could run it sleeps. So parking is a
//! protocol between a worker and all senders to its pool. A worker is in one of these states:
//!
//! 1. **Running.** Its turns find batches. It appears in no list, and a sender does not wake it.
//! 2. **Yielding.** A turn found no batch. The worker yields its core a few times and looks again:
//!    a park and a wake-up cost both sides 5 to 10 µs, a look 0.3 µs, and the events that other
//!    threads send meanwhile make a batch.
//! 3. **Listed.** It enters the pool's list of idle workers with its unparker and the moment at
//!    which it will wake by itself. From here on every sender sees it.
//! 4. **Looking again.** After it is listed, it looks once more at all queues, at its own
//!    retirement, and at a drain's call. If there is work, it leaves the list and runs.
//! 5. **Parked.** It sleeps until its unparker is called or its moment comes.
//!
//! A sender does two steps in the opposite order: it publishes the event, then reads the list of
//! idle workers, and wakes one if there is any. Both sides write before they read, with
//! sequentially consistent fences between the two. So either the sender sees the worker in the
//! list, or the worker sees the event when it looks again. A wake-up is never lost, and while all
//! workers run, the check costs a publication one fence and one load.
//!
//! One wake-up is enough for any number of events, because of two rules that pass work on:
//!
//! - A woken worker was taken from the list, and its sender woke no other. Before the worker runs
//!   its batch it wakes the next one if events or timers are left (`choose`). After the batch it
//!   does so again (`close_turn`), because its own sends may have gone to its own pool.
//! - A worker that retires wakes the next one, because the wake-up that found it may have been for
//!   an event.
//!
//! In a pool with one worker, a chain of stages therefore wakes no thread per hop: the worker finds
//! the events that it sent in its own next turn. A pool with a parked worker wakes that one.

mod batch_stats;
pub(crate) mod context;
mod handler;
mod held;
mod pending;
mod runner;
#[cfg(feature = "simulation")]
mod simulation;

pub use handler::{Batch, Each, FactoryError, Handler, each};
pub use held::Held;
pub use pending::{DeferError, Pending};
pub(crate) use runner::{AnyRunner, Runner};
#[cfg(feature = "simulation")]
pub use simulation::Begun;

use crate::event::LossReason;
use crate::platform::Time;
use crate::platform::sync::{Arc, Flaw, Ordering, is_seeded, yield_now};
use crate::pool::{Park, PoolCore, Unpark};
use crate::worker::context::Context;
use std::fmt;
use std::time::Duration;

/// How often an idle worker yields its core and looks again before it parks.
const YIELDS: u32 = 3;

/// The result of a worker's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It ran a batch with this number of events; zero if no event could be begun.
    Ran(usize),
    /// It found nothing to run. Work may appear without a send at the given moment; never with
    /// `None`.
    Idle(Option<Time>),
    /// It has finished its handlers and must not get another turn.
    Retired,
}

/// One worker of a pool, with an instance of the handler of each of the pool's stages.
///
/// Workers of ordinary pools have threads of their own. Those of a hosted pool (see
/// [`Graph::hosted_pool`](crate::Graph::hosted_pool)) are driven by the program.
///
/// ```
/// use seda_core::{Graph, Turn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("hosted");
/// let pool = graph.hosted_pool("reactor", 1);
/// let count = graph.stage::<u32>("count", 8);
/// graph.attach_each_in(&pool, count, |_wire| |_number, _cx| {})?;
/// let source = graph.source(count)?;
/// let running = graph.start()?;
/// let mut worker = running.hosted_workers(pool).remove(0);
/// source.send(1)?;
/// assert_eq!(worker.turn(), Turn::Ran(1));
/// # Ok(())
/// # }
/// ```
pub struct Worker {
    pool: Arc<PoolCore>,
    stages: Vec<OwnStage>,
    cx: Context,
    /// The last epoch of the finish barrier that it followed.
    finish_epoch: usize,
    /// The batch between the halves of a split turn.
    in_hand: Option<BatchInHand>,
    /// True while it rests: it is listed as idle.
    rests: bool,
    retired: bool,
}

/// A stage of the worker's pool.
struct OwnStage {
    runner: Box<dyn AnyRunner>,
    /// Service of the stage on this worker in nanoseconds, divided by its weight. The stage with
    /// the least goes first.
    served: u64,
}

/// The stage of a turn.
#[derive(Clone, Copy)]
struct Chosen {
    place: usize,
    weight: u64,
    /// The number of other workers of the pool.
    others: usize,
    now: Time,
}

/// A batch that was taken and is not handled yet.
#[derive(Clone, Copy)]
struct BatchInHand {
    chosen: Chosen,
    #[cfg(feature = "simulation")]
    events: usize,
}

impl Worker {
    pub(crate) fn new(pool: Arc<PoolCore>, runners: Vec<Box<dyn AnyRunner>>, cx: Context) -> Self {
        let stages = runners.into_iter().map(|runner| OwnStage { runner, served: 0 }).collect();
        Self { pool, stages, cx, finish_epoch: 0, in_hand: None, rests: false, retired: false }
    }

    /// Returns a name for its thread: that of its pool, or of the one stage that it runs, and its
    /// number.
    pub fn thread_name(&self) -> String {
        format!("{}-{}", self.pool.name, self.cx.worker_stats().number)
    }

    /// Returns the name of its pool.
    pub fn pool(&self) -> &str {
        &self.pool.name
    }

    /// Runs the worker loop: turns until the worker retires, and parks when there is no work. The
    /// module's page describes the states.
    pub fn run(mut self, mut park: impl Park) {
        self.cx.worker_stats().enter_thread();
        let _span = tracing::debug_span!("worker", thread = %self.thread_name()).entered();
        let number = self.cx.worker_stats().number;
        let mut yields = 0;
        loop {
            match self.turn() {
                // Running.
                Turn::Ran(_) => {
                    yields = 0;
                    park.poll();
                    if !self.pool.hosted {
                        self.cx.graph().calls.core_claims.rest();
                    }
                }
                Turn::Retired => break,
                // Yielding.
                Turn::Idle(_) if yields < YIELDS => {
                    yields += 1;
                    yield_now();
                    park.poll();
                }
                Turn::Idle(_) => {
                    // Listed.
                    let until = self.waits_until().unwrap_or(Time::NEVER);
                    self.pool.idle.enter(number, park.unparker(), until);
                    // Looking again, then parked.
                    match self.look_again() {
                        LookAgain::Park(limit) => park.park(limit),
                        LookAgain::Work => park.poll(),
                    }
                    self.pool.idle.leave(number);
                }
            }
        }
    }

    /// Looks for work once the worker is listed as idle.
    fn look_again(&self) -> LookAgain {
        let now = self.cx.graph().now();
        let called = self.pool.may_retire(self.cx.worker_stats()) || self.is_called_to_finish();
        if called || self.has_work(now) {
            return LookAgain::Work;
        }
        LookAgain::Park(self.waits_until().map(|until| until.since(now)))
    }

    /// Lets an idle worker rest until the next event: `unpark` is then called, once, by the thread
    /// that sends the event, and the worker needs a turn. Returns false if there is work already.
    ///
    /// It is for a host without a thread for the worker. `unpark` is called without a lock, so it
    /// may give the worker its turn at once, if no other thread does.
    ///
    /// ```
    /// use seda_core::{Graph, Turn, Unpark};
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    ///
    /// #[derive(Default)]
    /// struct Called(AtomicBool);
    ///
    /// impl Unpark for Called {
    ///     fn unpark(&self) {
    ///         self.0.store(true, Ordering::SeqCst);
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = Graph::new("hosted");
    /// let pool = graph.hosted_pool("host", 1);
    /// let count = graph.stage::<u32>("count", 8);
    /// graph.attach_each_in(&pool, count, |_wire| |_number, _cx| {})?;
    /// let source = graph.source(count)?;
    /// let running = graph.start()?;
    /// let mut worker = running.hosted_workers(pool).remove(0);
    /// let called = Arc::new(Called::default());
    /// assert!(worker.rest(called.clone()));
    /// source.send(1)?;
    /// assert!(called.0.load(Ordering::SeqCst));
    /// assert_eq!(worker.turn(), Turn::Ran(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rest(&mut self, unpark: Arc<dyn Unpark>) -> bool {
        let number = self.cx.worker_stats().number;
        let until = self.waits_until().unwrap_or(Time::NEVER);
        self.end_rest();
        self.pool.idle.enter(number, unpark, until);
        self.rests = true;
        if matches!(self.look_again(), LookAgain::Work) {
            self.end_rest();
        }
        self.rests
    }

    /// Takes the worker off the list of idle ones if it rests.
    fn end_rest(&mut self) {
        if std::mem::take(&mut self.rests) {
            self.pool.idle.leave(self.cx.worker_stats().number);
        }
    }

    /// Does one batch of the stage that had the least service for its weight. If a batch is in
    /// hand already, completes it instead.
    pub fn turn(&mut self) -> Turn {
        self.end_rest();
        if self.in_hand.is_some() {
            return Turn::Ran(self.complete_in_hand());
        }
        let chosen = match self.choose() {
            Ok(chosen) => chosen,
            Err(turn) => return turn,
        };
        let Chosen { place, others, now, .. } = chosen;
        let Some(own) = self.stages.get_mut(place) else {
            debug_assert!(false, "a chosen stage is one of the worker's");
            return Turn::Idle(None);
        };
        let Some(begun) = own.runner.run(&mut self.cx, place, others, now) else {
            return Turn::Idle(None);
        };
        self.close_turn(chosen, begun);
        Turn::Ran(begun)
    }

    /// Handles the batch in hand; returns how many events were begun, 0 without a batch.
    fn complete_in_hand(&mut self) -> usize {
        let Some(BatchInHand { chosen, .. }) = self.in_hand.take() else {
            return 0;
        };
        let now = self.cx.graph().now();
        let own = self.stages.get_mut(chosen.place);
        debug_assert!(own.is_some(), "a chosen stage is one of the worker's");
        let begun = own.map_or(0, |own| own.runner.complete(&mut self.cx, now));
        self.close_turn(chosen, begun);
        begun
    }

    /// Chooses the stage of a turn.
    ///
    /// # Errors
    /// The result of the turn if there is none: retired, or idle.
    fn choose(&mut self) -> Result<Chosen, Turn> {
        // Retire if the pool has one worker too many.
        if self.retired {
            return Err(Turn::Retired);
        }
        if self.pool.may_retire(self.cx.worker_stats()) && self.retire() {
            return Err(Turn::Retired);
        }
        let now = self.cx.graph().now();
        let mut next = self.next_stage(now);
        // Follow a drain's call only with empty queues, because a queued event may build a new
        // handler.
        if next.is_none() && self.is_called_to_finish() {
            self.answer_finish();
            next = self.next_stage(now);
        }
        let Some(place) = next else {
            if !is_seeded(Flaw::LeaseKept) {
                self.cx.return_leases();
            }
            return Err(Turn::Idle(self.waits_until()));
        };
        let others = self.pool.live().saturating_sub(1);
        // Pass on the rest: the wake-up of this worker woke no other, and the rest must not wait
        // for this worker's batch.
        if self.passes_on() && (self.leaves_work(place, others, now) || self.leaves_timers()) {
            self.pool.idle.wake_one();
        }
        let Some(own) = self.stages.get(place) else {
            debug_assert!(false, "a chosen stage is one of the worker's");
            return Err(Turn::Idle(None));
        };
        let weight = u64::from(own.runner.slots().weight.load(Ordering::Relaxed));
        Ok(Chosen { place, weight, others, now })
    }

    /// Charges the stage for the batch, and passes on the work that is left.
    fn close_turn(&mut self, chosen: Chosen, begun: usize) {
        let spent = self.cx.now().nanos_since(chosen.now).max(begun as u64);
        self.charge(chosen.place, spent / chosen.weight);
        // More events than one batch, its own sends, or a free slot of a capped stage.
        if self.passes_on() && self.has_work(self.cx.now()) {
            self.pool.idle.wake_one();
        }
    }

    /// Returns the ready stage that had the least service for its weight.
    fn next_stage(&self, now: Time) -> Option<usize> {
        let ready = self.stages.iter().enumerate().filter(|(_, own)| own.runner.is_ready(now));
        ready.min_by_key(|(_, own)| own.served).map(|(place, _)| place)
    }

    /// Charges a stage for its service. Every stage is raised to at least the previous service of
    /// the charged one, so that a stage does not save up its idle time.
    fn charge(&mut self, place: usize, service: u64) {
        let Some(floor) = self.stages.get(place).map(|own| own.served) else {
            debug_assert!(false, "a charged stage is one of the worker's");
            return;
        };
        for (other, own) in self.stages.iter_mut().enumerate() {
            own.served = own.served.max(floor);
            if other == place {
                own.served = own.served.saturating_add(service);
            }
        }
    }

    /// True if there is an idle worker to pass work on to.
    fn passes_on(&self) -> bool {
        self.pool.idle.count() > 0 && !is_seeded(Flaw::WorkNotPassedOn)
    }

    /// True if a batch of the stage at `place` leaves events that another worker could run.
    fn leaves_work(&self, place: usize, others: usize, now: Time) -> bool {
        self.stages.iter().enumerate().any(|(other, own)| {
            if other == place { own.runner.leaves_some(others) } else { own.runner.is_ready(now) }
        })
    }

    /// True if an event becomes due before any parked worker wakes by itself.
    fn leaves_timers(&self) -> bool {
        let next = self.stages.iter().filter_map(|own| own.runner.next_due()).min();
        next.is_some_and(|due| !self.pool.idle.wakes_by(due))
    }

    fn has_work(&self, now: Time) -> bool {
        self.stages.iter().any(|own| own.runner.is_ready(now))
    }

    /// Returns the moment at which there may be work without a send; `None` if there will be none.
    fn waits_until(&self) -> Option<Time> {
        self.stages.iter().filter_map(|own| own.runner.waits_until()).min()
    }

    /// Retires if the pool has one worker too many. False if it has not, or if this worker has
    /// taken events that no other could begin.
    fn retire(&mut self) -> bool {
        let has_events = self.stages.iter().any(|own| own.runner.has_events());
        if has_events && !self.pool.is_stopping() || !self.pool.retires(self.cx.worker_stats()) {
            return false;
        }
        let now = self.cx.graph().now();
        // Finish the handlers. A drain that is calling must count them: the events they sent on may
        // be held once more.
        let finished = self.finish();
        self.cx.graph().calls.finish_barrier.add_finished(finished);
        // Return leased places and events.
        self.cx.return_leases();
        self.stages.iter_mut().for_each(|own| own.runner.shed_taken(LossReason::Drain, now));
        self.cx.worker_stats().leave();
        self.retired = true;
        // Pass on the wake-up, which may have been for an event, perhaps one of its own sends.
        if !is_seeded(Flaw::SilentRetirement) {
            self.pool.idle.wake_one();
        }
        true
    }

    fn is_called_to_finish(&self) -> bool {
        self.cx.graph().calls.finish_barrier.epoch() != self.finish_epoch
    }

    /// Follows a drain's call: the handlers send on the events they hold.
    fn answer_finish(&mut self) {
        self.finish_epoch = self.cx.graph().calls.finish_barrier.epoch();
        let finished = self.finish();
        self.cx.graph().calls.finish_barrier.add_finished(finished);
        self.cx.worker_stats().reach_finish_epoch(self.finish_epoch);
    }

    /// Finishes all handlers and returns how many there were. Later events build new ones.
    fn finish(&mut self) -> usize {
        let now = self.cx.graph().now();
        let mut finished = 0;
        for (place, own) in self.stages.iter_mut().enumerate() {
            finished += usize::from(own.runner.has_handler());
            own.runner.finish(&mut self.cx, place, now);
        }
        finished
    }
}

/// The result of the last look before a worker parks.
enum LookAgain {
    /// There is work.
    Work,
    /// There is none: park for this time at most; `None` has no limit.
    Park(Option<Duration>),
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end_rest();
        if !self.retired {
            // A worker that its host drops, or that got no thread, leaves the count. The events
            // that it took and did not begin are shed.
            let now = self.cx.graph().now();
            self.pool.drop_worker(self.cx.worker_stats());
            self.cx.return_leases();
            for own in &mut self.stages {
                own.runner.shed_taken(LossReason::Forgotten, now);
                // Inside the panic boundary: a handler's panic must not unwind into the host.
                own.runner.drop_handler(LossReason::Forgotten);
            }
            self.cx.worker_stats().leave();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("pool", &self.pool.name)
            .field("number", &self.cx.worker_stats().number)
            .finish_non_exhaustive()
    }
}
