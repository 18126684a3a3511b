//! A worker and its loop: take a batch, run it, publish its sends, record, park.
//!
//! [`Worker::turn`] does one batch and returns, so a graph can be stepped without threads;
//! [`Worker::run`] is the one loop around it, with a pluggable idle action.

mod batch_stats;
pub(crate) mod context;
mod handler;
mod held;
mod pending;
mod runner;

pub(crate) use batch_stats::BatchStats;
pub use handler::{Batch, Each, FactoryError, Handler, each};
pub use held::Held;
pub use pending::{DeferError, Pending};
pub(crate) use runner::{AnyRunner, Runner};

use crate::event::LossReason;
use crate::platform::Time;
use crate::platform::sync::{Arc, Flaw, Ordering, is_seeded, yield_now};
use crate::pool::{Park, PoolCore};
use crate::worker::context::Context;
use std::fmt;
use std::time::Duration;

/// How often an idle worker lets others run and looks again before it parks. Parking and being
/// woken costs both sides 5 to 10 µs, a look about 0.3 µs; where others run meanwhile, what they
/// send has become a batch.
const YIELDS: u32 = 3;

/// What a turn of a worker came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It ran a batch of so many events (zero: it tried and could not begin one).
    Ran(usize),
    /// There was nothing it may run; at the given moment, if any, that may change by itself.
    Idle(Option<Time>),
    /// The worker has finished its handlers and must not be turned again.
    Retired,
}

/// What the beginning of a split turn came to: see [`Worker::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A batch is in hand, to be completed.
    Batch {
        /// Its stage, by number in order of declaration; replicas with a queue each have one each.
        stage: usize,
        /// How many events are in hand; zero if all that was taken was given up.
        events: usize,
    },
    /// As [`Turn::Idle`].
    Idle(Option<Time>),
    /// As [`Turn::Retired`].
    Retired,
}

/// One worker of a pool: an instance of the handler of each of the pool's stages.
///
/// Workers of ordinary pools have threads of their own. Those of a hosted pool (see
/// [`crate::graph::Graph::hosted_pool`]) are given to whoever drives them.
pub struct Worker {
    pool: Arc<PoolCore>,
    runners: Vec<Box<dyn AnyRunner>>,
    /// Service that each stage has had here, divided by its weight: the least served goes first.
    served: Vec<u64>,
    cx: Context,
    /// The last call to finish that was followed.
    finished: usize,
    /// The batch in hand, between [`Worker::begin`] and [`Worker::complete`].
    begun: Option<(Chosen, usize)>,
    retired: bool,
}

/// A stage that a worker is to run.
#[derive(Clone, Copy)]
struct Chosen {
    place: usize,
    weight: u64,
    /// How many other workers the pool has.
    others: usize,
    now: Time,
}

impl Worker {
    pub(crate) fn new(pool: Arc<PoolCore>, runners: Vec<Box<dyn AnyRunner>>, cx: Context) -> Self {
        let served = vec![0; runners.len()];
        Self { pool, runners, served, cx, finished: 0, begun: None, retired: false }
    }

    /// Names its thread after its stage, or after its pool if that runs several.
    pub fn thread_name(&self) -> String {
        format!("{}-{}", self.pool.name, self.cx.book().number)
    }

    /// The worker loop: turns until the worker retires, and parks when there is nothing to do.
    pub fn run(mut self, mut park: impl Park) {
        self.cx.book().enter_thread();
        let _span = tracing::debug_span!("worker", thread = %self.thread_name()).entered();
        let number = self.cx.book().number;
        let mut yields = 0;
        loop {
            match self.turn() {
                Turn::Ran(_) => {
                    yields = 0;
                    park.poll();
                }
                Turn::Retired => break,
                Turn::Idle(_) if yields < YIELDS => {
                    yields += 1;
                    yield_now();
                    park.poll();
                }
                Turn::Idle(_) => {
                    let until = self.waits_until().unwrap_or(Time::NEVER);
                    self.pool.idle.enter(number, park.unparker(), until);
                    match self.look_again() {
                        Some(limit) => park.park(limit),
                        None => park.poll(),
                    }
                    self.pool.idle.leave(number);
                }
            }
        }
    }

    /// How long to park, once the worker is entered as idle; `None` if there is something to do.
    fn look_again(&self) -> Option<Option<Duration>> {
        let now = self.cx.graph().now();
        let called = self.pool.may_retire(self.cx.book()) || self.is_called_to_finish();
        if called || self.has_work(now) {
            return None;
        }
        Some(self.waits_until().map(|until| until.since(now)))
    }

    /// Does one batch, of the stage that had the least service for its weight. A batch that was
    /// [begun](Worker::begin) is completed first.
    pub fn turn(&mut self) -> Turn {
        if self.begun.is_some() {
            return Turn::Ran(self.complete());
        }
        let chosen = match self.choose() {
            Ok(chosen) => chosen,
            Err(turn) => return turn,
        };
        let Chosen { place, others, now, .. } = chosen;
        let Some(runner) = self.runners.get_mut(place) else {
            return Turn::Idle(None);
        };
        let Some(begun) = runner.run(&mut self.cx, place, others, now) else {
            return Turn::Idle(None);
        };
        self.close_turn(chosen, begun);
        Turn::Ran(begun)
    }

    /// The first half of a [turn](Worker::turn): takes a batch at the clock's present moment and
    /// keeps it in hand. Whoever drives the clock moves it by the batch's service time and calls
    /// [`Worker::complete`]: so a simulation steps real workers whose service is not real. In a
    /// batch of several events each has the batch's mean as its service time, for they all end
    /// with it. An event whose client has gone is not begun; one that is begun is handled, even if
    /// its client goes meanwhile.
    ///
    /// With a batch in hand it says what that is, and does nothing.
    pub fn begin(&mut self) -> Begun {
        let (chosen, events) = match self.begun {
            Some(begun) => begun,
            None => match self.begin_chosen() {
                Ok(begun) => begun,
                Err(Turn::Retired) => return Begun::Retired,
                Err(Turn::Idle(until)) => return Begun::Idle(until),
                Err(Turn::Ran(_)) => return Begun::Idle(None),
            },
        };
        let stage = self.runners.get(chosen.place).map_or(0, |runner| runner.stage());
        Begun::Batch { stage, events }
    }

    fn begin_chosen(&mut self) -> Result<(Chosen, usize), Turn> {
        let chosen = self.choose()?;
        let Chosen { place, others, now, .. } = chosen;
        let runner = self.runners.get_mut(place).ok_or(Turn::Idle(None))?;
        let begun = runner.begin(&mut self.cx, place, others, now).ok_or(Turn::Idle(None))?;
        self.begun = Some((chosen, begun));
        Ok((chosen, begun))
    }

    /// The second half of a turn: runs the handler over the batch in hand and publishes its sends,
    /// at the clock's present moment. Returns how many events it began; none without a batch.
    pub fn complete(&mut self) -> usize {
        let Some((chosen, _)) = self.begun.take() else {
            return 0;
        };
        let now = self.cx.graph().now();
        let runner = self.runners.get_mut(chosen.place);
        let begun = runner.map_or(0, |runner| runner.complete(&mut self.cx, now));
        self.close_turn(chosen, begun);
        begun
    }

    /// Adds to the time that the worker has spent on a core, and waiting for one, for a worker
    /// whose service is simulated: the kernel knows nothing of it. Once credited, with nothing if
    /// need be, the kernel is not asked about it again.
    pub fn credit(&self, cpu: Duration, run_queue: Duration) {
        self.cx.book().credit(cpu, run_queue);
    }

    /// The name of its pool.
    pub fn pool(&self) -> &str {
        &self.pool.name
    }

    /// Retires if it is called to, or chooses the stage that is to be run.
    fn choose(&mut self) -> Result<Chosen, Turn> {
        if self.retired {
            return Err(Turn::Retired);
        }
        if self.pool.may_retire(self.cx.book()) && self.retire() {
            return Err(Turn::Retired);
        }
        let now = self.cx.graph().now();
        let mut next = self.next_stage(now);
        // Not before the queues are empty: what waits there may make a handler once more.
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
        // Whoever woke this worker woke no other: what it leaves must not wait for its batch.
        if self.passes_on() && (self.leaves_work(place, others, now) || self.leaves_timers()) {
            self.pool.idle.wake_one();
        }
        let runner = self.runners.get(place).ok_or(Turn::Idle(None))?;
        let weight = u64::from(runner.share().weight.load(Ordering::Relaxed));
        Ok(Chosen { place, weight, others, now })
    }

    /// Charges the stage for the batch, and passes on what is left.
    fn close_turn(&mut self, chosen: Chosen, begun: usize) {
        let spent = self.cx.now().nanos_since(chosen.now).max(begun as u64);
        self.charge(chosen.place, spent / chosen.weight);
        // More than one worker's batch, or a cap that was just left: pass it on.
        if self.passes_on() && self.has_work(self.cx.now()) {
            self.pool.idle.wake_one();
        }
    }

    /// The ready stage that had the least service for its weight.
    fn next_stage(&self, now: Time) -> Option<usize> {
        let ready = self.runners.iter().enumerate().filter(|(_, runner)| runner.is_ready(now));
        ready.min_by_key(|(place, _)| self.served.get(*place)).map(|(place, _)| place)
    }

    /// Charges a stage for its service. A stage that was idle does not save up the time it did
    /// not use: it is lifted to the least served of those that were busy.
    fn charge(&mut self, place: usize, service: u64) {
        let floor = self.served.get(place).copied().unwrap_or(0);
        for served in &mut self.served {
            *served = (*served).max(floor);
        }
        if let Some(served) = self.served.get_mut(place) {
            *served = served.saturating_add(service);
        }
    }

    /// Whether there is anybody to pass work on to.
    fn passes_on(&self) -> bool {
        self.pool.idle.count() > 0 && !is_seeded(Flaw::WorkNotPassedOn)
    }

    /// Whether a batch of the stage at `place` leaves something that another worker could run.
    fn leaves_work(&self, place: usize, others: usize, now: Time) -> bool {
        let mut runners = self.runners.iter().enumerate();
        runners.any(
            |(other, runner)| {
                if other == place { runner.leaves_some(others) } else { runner.is_ready(now) }
            },
        )
    }

    /// Whether an event will be due that no parked worker would get up for.
    fn leaves_timers(&self) -> bool {
        let next = self.runners.iter().filter_map(|runner| runner.next_due()).min();
        next.is_some_and(|due| !self.pool.idle.wakes_by(due))
    }

    fn has_work(&self, now: Time) -> bool {
        self.runners.iter().any(|runner| runner.is_ready(now))
    }

    fn waits_until(&self) -> Option<Time> {
        self.runners.iter().filter_map(|runner| runner.waits_until()).min()
    }

    /// Finishes all handlers if this worker is one too many; false if it is not, or if it holds
    /// events that nobody else could begin.
    fn retire(&mut self) -> bool {
        let holds_events = self.runners.iter().any(|runner| runner.has_events());
        if holds_events && !self.pool.is_stopping() || !self.pool.retires(self.cx.book()) {
            return false;
        }
        let now = self.cx.graph().now();
        // A drain that is calling must hear of it: what was sent on may be held back once more.
        let finished = self.finish();
        self.cx.graph().finish_barrier.add_finished(finished);
        self.cx.return_leases();
        self.runners.iter_mut().for_each(|runner| runner.give_up(LossReason::Drain, now));
        self.cx.book().leave();
        self.retired = true;
        // It may have been woken for an event, and what it sent on may be for its own pool: let
        // somebody else look.
        if !is_seeded(Flaw::SilentRetirement) {
            self.pool.idle.wake_one();
        }
        true
    }

    fn is_called_to_finish(&self) -> bool {
        self.cx.graph().finish_barrier.epoch() != self.finished
    }

    /// Follows a drain's call: everything that handlers hold back is sent on.
    fn answer_finish(&mut self) {
        self.finished = self.cx.graph().finish_barrier.epoch();
        let finished = self.finish();
        self.cx.graph().finish_barrier.add_finished(finished);
        self.cx.book().reach_finish_epoch(self.finished);
    }

    /// Ends all handlers in good order and returns how many there were; they are made anew if
    /// more events come.
    fn finish(&mut self) -> usize {
        let now = self.cx.graph().now();
        let mut finished = 0;
        for (place, runner) in self.runners.iter_mut().enumerate() {
            finished += usize::from(runner.has_handler());
            runner.finish(&mut self.cx, place, now);
        }
        finished
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.retired {
            // Dropped by its host, or for want of a thread: it no longer counts, and what it took
            // and had not begun is given up.
            let now = self.cx.graph().now();
            self.pool.mark_stuck(self.cx.book());
            self.cx.return_leases();
            for runner in &mut self.runners {
                runner.give_up(LossReason::Forgotten, now);
                // In here: its host is not to unwind over it.
                runner.drop_handler(LossReason::Forgotten);
            }
            self.cx.book().leave();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("pool", &self.pool.name)
            .field("number", &self.cx.book().number)
            .finish_non_exhaustive()
    }
}
