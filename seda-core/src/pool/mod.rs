//! Pools: the workers that run one or more stages.
//!
//! A stage is a boundary between modules, a pool one between threads. This room counts a pool's
//! workers and lets idle ones park and wake. It may import `queue` and lower rooms. The worker loop
//! does not belong here (`worker`), nor does the choice of a pool's size (`control/pool_size`).
//!
//! # The parking protocol
//!
//! **Property:** no event waits in a queue beside a parked worker that may run it.
//! `models/tests/wakeups.rs` checks it under loom, `retire.rs` and `shrink.rs` beside it under
//! shuttle.
//!
//! For a sender a worker is in one of three states (`idle` covers *listed*, *looking again* and
//! *parked* in the docs of `worker`):
//!
//! ```text
//!             W1 enter                     S5 a sender takes it off the list
//! ┌─────────┐ ───────────────▶ ┌──────┐ ──────────────────────────────────▶ ┌───────┐
//! │ running │                  │ idle │                                     │ woken │
//! └─────────┘ ◀─────────────── └──────┘                                     └───────┘
//!      ▲       W5 leave: work found, timeout, wake_all                          │
//!      └────────────────────────────────────────────────────────────────────────┘
//!                             W5 leave: the wake-up has arrived
//! ```
//!
//! | variable | writer | reader |
//! | --- | --- | --- |
//! | depth of a stage | sender and worker, under the lanes' lock | worker, without it |
//! | `list` of idle workers | the worker in W1 and W5, a sender in S5, under its lock | – |
//! | `count`, the list's length | as `list`, under its lock | sender, without it |
//! | `waking` | set by a sender in S4; cleared by the woken worker in W5, or in S5 | sender |
//!
//! A **sender** ([`IdleWorkers::wake_one`]):
//! - S1 publishes its events: the stage's depth rises.
//! - S2 runs a full fence.
//! - S3 reads `count` and stops if it is 0.
//! - S4 sets `waking` and stops if it was set.
//! - S5 takes the most recently idle worker off the list. If there is none, it clears `waking`
//!   before it unlocks the list.
//! - S6 unparks the worker.
//!
//! A **worker** that has found no work (`Worker::run`):
//! - W1 enters the list: `count` rises ([`IdleWorkers::enter`]).
//! - W2 runs a full fence.
//! - W3 looks once more at its queues, at the pool's target and at the finish barrier.
//! - W4 parks if W3 found nothing. An unpark that came before ends the park at once.
//! - W5 leaves the list ([`IdleWorkers::leave`]). If a sender took it off, it clears `waking`.
//! - W6 runs a full fence.
//! - W7 takes a batch, and wakes one more worker (S2) if the queues hold more than it takes.
//!
//! Why it holds:
//! - *S1–S3 against W1–W3.* Of two threads that each write, fence and read the other's variable, at
//!   least one sees the other's write. Either the sender sees the idle worker or the worker sees
//!   the event. Flaws: `NoFenceInWake` drops S2, `NoFenceInEnter` drops W2.
//! - *One wake-up at a time.* A sender that stops at S4 relies on the worker that is being woken.
//!   That worker clears `waking` (W5), fences (W6) and looks (W7), so it sees the sender's event. A
//!   burst costs its sender one wake-up, not one per event. Flaw: `WorkNotPassedOn` drops the
//!   wake-up of W7.
//! - *A wake-up that finds no worker.* S5 clears `waking` under the list's lock. A worker that
//!   enters later looks later, and sees the events of all senders that relied on it. Flaw:
//!   `LateCallOff` clears it after the lock.
//! - *Retirement.* A worker that was woken for an event may retire instead. It then wakes another
//!   (S2). Flaw: `SilentRetirement`.
//! - *Shrinking.* A lower target wakes all idle workers; each sees in W3 whether it retires. Flaw:
//!   `SilentShrink`.

mod idle;
mod park;
mod stage_slots;
mod worker_count;
mod worker_stats;

pub(crate) use idle::IdleWorkers;
pub use park::{CondvarPark, Park, Unpark};
pub(crate) use stage_slots::{SlotGuard, StageSlots};
pub(crate) use worker_stats::{StageFigures, WorkerStats, WorkerWindow};

use crate::config::WorkerRange;
use crate::platform::sync::{Arc, AtomicBool, AtomicUsize, Flaw, Mutex, Ordering, is_seeded};
use crate::pool::worker_count::WorkerCount;
use crate::pool::worker_stats::CountState;

/// A token for a pool of a graph, made by [`Graph::pool`](crate::graph::Graph::pool).
///
/// The same workers run all stages that share a pool, each stage by its weight and within its cap.
///
/// ```
/// use seda_core::{Graph, StageConfig, WorkerRange};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("front");
/// let parse = graph.stage::<u64>("parse", 64);
/// let log = graph.stage::<u64>("log", 64);
/// let workers = graph.pool("workers", WorkerRange::new(1, 4));
/// graph.attach_each_in(&workers, parse, |wire| {
///     let log = wire.sink(log);
///     move |n, cx| cx.send(&log, n).unwrap_or_else(seda_core::Refused::give_up)
/// })?;
/// graph.attach_each_in(&workers, log, |_wire| |n, _cx| println!("{n}"))?;
/// // A busy worker spends four fifths of its time on `parse`; one worker at a time logs.
/// graph.configure(parse, StageConfig { weight: Some(4), ..StageConfig::default() })?;
/// graph.configure(log, StageConfig { cap: Some(1), ..StageConfig::default() })?;
/// let numbers = graph.source(parse)?;
/// let running = graph.start()?;
/// numbers.send(7)?;
/// assert_eq!(running.drain(Duration::from_secs(5)).report.stages[1].pool, "workers");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub(crate) graph: u32,
    pub(crate) index: usize,
}

/// The state that the workers of a pool, the senders into its stages and the control plane share.
#[derive(Debug)]
pub(crate) struct PoolCore {
    pub(crate) name: Arc<str>,
    /// True if the program runs the workers, for example on reactors or in a test.
    pub(crate) hosted: bool,
    pub(crate) idle: IdleWorkers,
    /// Range and target of the number of workers.
    count: WorkerCount,
    /// Number of workers, without those marked as stuck.
    live: AtomicUsize,
    stopping: AtomicBool,
    /// True while the hotspot controller finds the utilization persistently high.
    hot: AtomicBool,
    /// Number of workers created so far; the next worker's number.
    created: AtomicUsize,
    /// Statistics of all workers. An ended worker stays until the monitor has collected its
    /// figures.
    workers: Mutex<Vec<Arc<WorkerStats>>>,
}

impl PoolCore {
    /// Returns a pool without workers, with the range's minimum as its target.
    pub(crate) fn new(name: Arc<str>, range: WorkerRange, hosted: bool) -> Self {
        Self {
            name,
            hosted,
            idle: IdleWorkers::default(),
            count: WorkerCount::new(range),
            live: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            hot: AtomicBool::new(false),
            created: AtomicUsize::new(0),
            workers: Mutex::default(),
        }
    }

    /// Sets the verdict of the hotspot controller.
    pub(crate) fn set_hot(&self, hot: bool) {
        self.hot.store(hot, Ordering::Relaxed);
    }

    /// True while the hotspot controller finds the utilization persistently high.
    pub(crate) fn is_hot(&self) -> bool {
        self.hot.load(Ordering::Relaxed)
    }

    /// Returns the number of workers that the pool should have.
    pub(crate) fn target(&self) -> usize {
        self.count.target()
    }

    /// Returns the numbers of workers that the pool may have.
    pub(crate) fn range(&self) -> WorkerRange {
        self.count.range()
    }

    /// Sets the number of workers that the pool should have, clamped to its range. Wakes idle
    /// workers if some must retire. Returns the new target.
    pub(crate) fn set_target(&self, target: usize) -> usize {
        let target = self.count.set_target(target);
        self.wake_surplus(target);
        target
    }

    /// Sets the range of the number of workers, and clamps the target to it. The caller adds the
    /// missing workers.
    pub(crate) fn set_range(&self, range: WorkerRange) {
        self.wake_surplus(self.count.set_range(range));
    }

    /// Wakes the idle workers if there are more than `target`, so that some can retire.
    fn wake_surplus(&self, target: usize) {
        if self.live() > target && !is_seeded(Flaw::SilentShrink) {
            self.idle.wake_all();
        }
    }

    /// Returns the number of workers, without those marked as stuck.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    /// Returns the number of workers that are marked as stuck in a handler.
    pub(crate) fn stuck(&self) -> usize {
        count_stuck(&self.workers.lock())
    }

    /// Counts one more worker and returns its statistics. `None` if the pool stops, has reached
    /// its target, or may have no more substitutes.
    pub(crate) fn add_worker(&self, stages: usize) -> Option<Arc<WorkerStats>> {
        let mut workers = self.workers.lock();
        let allowed = self.allows_substitutes(count_stuck(&workers));
        if self.is_stopping() || self.live() >= self.target() || !allowed {
            return None;
        }
        self.live.fetch_add(1, Ordering::SeqCst);
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let worker = Arc::new(WorkerStats::new(number, stages));
        workers.push(Arc::clone(&worker));
        Some(worker)
    }

    /// True if more workers may be added beside `stuck` ones.
    ///
    /// Each stuck worker still holds a thread, so there are at most twice the pool's maximum of
    /// threads: handlers that never return do not use up the machine. The rate needs no bound of
    /// its own, because a substitute is stuck `control.stuck_after` after its start at the
    /// earliest.
    fn allows_substitutes(&self, stuck: usize) -> bool {
        stuck <= self.range().max
    }

    /// True if all workers are stuck in handlers and no substitute may be added.
    pub(crate) fn is_stuck(&self) -> bool {
        let stuck = count_stuck(&self.workers.lock());
        // The program adds the workers of a hosted pool, and does not know that one is missing.
        let no_substitute = self.hosted || !self.allows_substitutes(stuck);
        !self.is_stopping() && self.live() == 0 && stuck > 0 && no_substitute
    }

    /// True if the calling worker must retire; it is then not counted any more. False for a stuck
    /// worker whose handler has returned if a worker is missing: then it counts again.
    ///
    /// The lock makes the worker's state and the count one. Without it the watch could mark
    /// the worker as stuck between the two, and it would be subtracted twice.
    pub(crate) fn retires(&self, worker: &WorkerStats) -> bool {
        let early = is_seeded(Flaw::StateReadEarly).then(|| worker.count_state());
        let _lock = self.workers.lock();
        let live = self.live();
        match early.unwrap_or_else(|| worker.count_state()) {
            CountState::Counted if self.is_stopping() || live > self.target() => {
                self.live.fetch_sub(1, Ordering::SeqCst);
            }
            CountState::Counted => return false,
            CountState::Stuck if !self.is_stopping() && live < self.target() => {
                worker.set_count_state(CountState::Counted);
                self.live.fetch_add(1, Ordering::SeqCst);
                return false;
            }
            CountState::Stuck | CountState::Retired => {}
        }
        worker.set_count_state(CountState::Retired);
        true
    }

    /// True if [`PoolCore::retires`] may return true. Two or three loads, for every turn.
    pub(crate) fn may_retire(&self, worker: &WorkerStats) -> bool {
        self.live.load(Ordering::Relaxed) > self.target()
            || self.stopping.load(Ordering::Relaxed)
            || worker.is_marked_stuck()
    }

    /// Marks a worker as stuck: it is not counted, and may be replaced. False if it does not count
    /// anyway: a retired worker may be slow to finish its handlers.
    pub(crate) fn mark_stuck(&self, worker: &WorkerStats) -> bool {
        self.discount(worker, CountState::Stuck)
    }

    /// Ends the count of a worker that is dropped.
    pub(crate) fn drop_worker(&self, worker: &WorkerStats) {
        self.discount(worker, CountState::Retired);
    }

    fn discount(&self, worker: &WorkerStats, state: CountState) -> bool {
        let _lock = self.workers.lock();
        let counts = worker.count_state() == CountState::Counted;
        if counts {
            worker.set_count_state(state);
            self.live.fetch_sub(1, Ordering::SeqCst);
        }
        counts
    }

    /// Asks all workers to retire; none is added any more.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.idle.wake_all();
    }

    /// True once [`PoolCore::stop`] was called.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Returns the statistics of all workers, ended ones included until they are forgotten.
    pub(crate) fn workers(&self) -> Vec<Arc<WorkerStats>> {
        self.workers.lock().clone()
    }

    /// Drops the statistics of an ended worker. Its figures must have been collected.
    pub(crate) fn forget(&self, ended: &Arc<WorkerStats>) {
        debug_assert!(ended.is_gone(), "worker {} has not ended", ended.number);
        self.workers.lock().retain(|worker| !Arc::ptr_eq(worker, ended));
    }
}

fn count_stuck(workers: &[Arc<WorkerStats>]) -> usize {
    workers.iter().filter(|worker| worker.is_marked_stuck()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_parsed_from_text_and_a_bad_one_is_quoted() {
        assert_eq!("2..8".parse(), Ok(WorkerRange::new(2, 8)));
        assert_eq!("3".parse(), Ok(WorkerRange::exactly(3)));
        for bad in ["0", "4..2", "x", "1..", "1..99999", "-1"] {
            let error = bad.parse::<WorkerRange>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
        }
    }

    #[test]
    fn a_range_of_another_type_is_refused_with_the_allowed_form() {
        let table = r#"{"min": 1, "max": 3}"#;
        let error = serde_json::from_str::<WorkerRange>(table).unwrap_err();
        assert!(error.to_string().contains(r#"like "1..4", or one number"#), "{error}");
        assert_eq!(serde_json::from_str("3").ok(), Some(WorkerRange::exactly(3)));
        assert_eq!(serde_json::from_str(r#""1..3""#).ok(), Some(WorkerRange::new(1, 3)));
    }

    #[test]
    fn one_surplus_worker_retires_and_no_other() {
        let pool = PoolCore::new("p".into(), WorkerRange::new(1, 3), false);
        pool.set_target(3);
        let workers: Vec<_> = std::iter::from_fn(|| pool.add_worker(1)).collect();
        assert_eq!((workers.len(), pool.live()), (3, 3));
        pool.set_target(2);
        assert_eq!(workers.iter().filter(|worker| pool.retires(worker)).count(), 1);
        assert_eq!(pool.live(), 2);
    }

    #[test]
    fn a_stuck_worker_is_replaced_and_retires_when_its_handler_returns() {
        let pool = PoolCore::new("p".into(), WorkerRange::exactly(1), false);
        let stuck = pool.add_worker(1).unwrap();
        assert!(pool.add_worker(1).is_none());
        assert!(pool.mark_stuck(&stuck) && !pool.mark_stuck(&stuck));
        let substitute = pool.add_worker(1).unwrap();
        assert_eq!((pool.live(), pool.stuck()), (1, 1));
        assert!(pool.retires(&stuck) && !pool.retires(&substitute));
        assert_eq!(pool.live(), 1);
    }

    #[test]
    fn a_stuck_worker_counts_again_if_it_returns_and_a_worker_is_missing() {
        let pool = PoolCore::new("p".into(), WorkerRange::exactly(1), false);
        let workers: Vec<_> = std::iter::from_fn(|| {
            let worker = pool.add_worker(1)?;
            pool.mark_stuck(&worker);
            Some(worker)
        })
        .collect();
        // One substitute, and no more: the first and the substitute hold their threads.
        assert_eq!((workers.len(), pool.live(), pool.stuck()), (2, 0, 2));
        assert!(pool.is_stuck());
        assert!(pool.may_retire(&workers[0]) && !pool.retires(&workers[0]));
        assert_eq!((pool.live(), pool.stuck(), pool.is_stuck()), (1, 1, false));
        assert!(!pool.may_retire(&workers[0]) && pool.retires(&workers[1]));
        assert_eq!(pool.live(), 1);
    }

    #[test]
    fn a_pool_that_may_have_a_substitute_is_not_stuck_and_a_hosted_one_has_none() {
        for hosted in [false, true] {
            let pool = PoolCore::new("p".into(), WorkerRange::exactly(1), hosted);
            assert!(!pool.is_stuck());
            let worker = pool.add_worker(1).unwrap();
            pool.mark_stuck(&worker);
            assert_eq!(pool.is_stuck(), hosted);
        }
    }

    #[test]
    fn a_worker_leaves_the_count_once_however_it_ends() {
        let pool = PoolCore::new("p".into(), WorkerRange::new(1, 3), false);
        pool.set_target(3);
        let workers: Vec<_> = std::iter::from_fn(|| pool.add_worker(1)).collect();
        pool.set_target(1);
        // A retired worker finishes its handlers, and may be slow.
        assert!(pool.retires(&workers[0]) && !pool.mark_stuck(&workers[0]));
        assert!(pool.retires(&workers[0]));
        // A stuck worker whose host drops it.
        assert!(pool.mark_stuck(&workers[1]));
        pool.drop_worker(&workers[1]);
        assert_eq!((pool.live(), pool.retires(&workers[2])), (1, false));
    }
}
