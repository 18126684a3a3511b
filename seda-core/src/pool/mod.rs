//! A pool: the workers that run one or more stages. A stage is a module boundary, a pool is a
//! concurrency boundary, and the two are chosen separately.

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

/// A pool of a graph: a token, made by [`crate::graph::Graph::pool`]. A stage is a boundary between
/// modules, a pool one between threads: stages that share a pool are run by the same workers, each
/// by its weight and within its cap.
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
/// // Of five moments of a busy worker four are for `parse`, and one worker at most logs.
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

/// What the workers of a pool, the senders into its stages and the controller share.
#[derive(Debug)]
pub(crate) struct PoolCore {
    pub(crate) name: Arc<str>,
    /// Its workers are turned by someone else: a reactor, or a test.
    pub(crate) hosted: bool,
    pub(crate) idle: IdleWorkers,
    /// How many workers there may be and should be.
    headcount: WorkerCount,
    /// How many there are, without those written off as stuck.
    live: AtomicUsize,
    stopping: AtomicBool,
    /// Whether its utilization is and stays high.
    hot: AtomicBool,
    made: AtomicUsize,
    books: Mutex<Vec<Arc<WorkerStats>>>,
}

impl PoolCore {
    pub(crate) fn new(name: Arc<str>, range: WorkerRange, hosted: bool) -> Self {
        Self {
            name,
            hosted,
            idle: IdleWorkers::default(),
            headcount: WorkerCount::new(range),
            live: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            hot: AtomicBool::new(false),
            made: AtomicUsize::new(0),
            books: Mutex::default(),
        }
    }

    pub(crate) fn set_hot(&self, hot: bool) {
        self.hot.store(hot, Ordering::Relaxed);
    }

    pub(crate) fn is_hot(&self) -> bool {
        self.hot.load(Ordering::Relaxed)
    }

    pub(crate) fn target(&self) -> usize {
        self.headcount.target()
    }

    pub(crate) fn range(&self) -> WorkerRange {
        self.headcount.range()
    }

    /// Sets how many workers there should be, within the range; wakes idle ones so that they can
    /// retire. Returns what was set.
    pub(crate) fn set_target(&self, target: usize) -> usize {
        let target = self.headcount.set_target(target);
        self.release(target);
        target
    }

    /// Sets how many workers there may be; how many there should be follows if it must. Those
    /// that are missing then have to be hired.
    pub(crate) fn set_range(&self, range: WorkerRange) {
        self.release(self.headcount.set_range(range));
    }

    /// Wakes idle workers that are too many.
    fn release(&self, target: usize) {
        if self.live() > target && !is_seeded(Flaw::SilentShrink) {
            self.idle.wake_all();
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    /// How many workers are stuck in a handler and written off.
    pub(crate) fn stuck(&self) -> usize {
        self.books.lock().iter().filter(|book| book.is_marked_stuck()).count()
    }

    /// Makes the book of one more worker, if the range and the number of stuck ones allow it.
    /// Stuck workers hold a thread each, so as many as the pool's maximum are replaced, no more.
    pub(crate) fn add_worker(&self, stages: usize) -> Option<Arc<WorkerStats>> {
        let mut books = self.books.lock();
        let stuck = books.iter().filter(|book| book.is_marked_stuck()).count();
        if self.is_stopping() || self.live() >= self.target() || stuck > self.range().max {
            return None;
        }
        self.live.fetch_add(1, Ordering::SeqCst);
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let book = Arc::new(WorkerStats::new(number, stages));
        books.push(Arc::clone(&book));
        Some(book)
    }

    /// Whether the calling worker is one too many; if so it is counted off and must retire.
    pub(crate) fn retires(&self, book: &WorkerStats) -> bool {
        if book.is_marked_stuck() {
            return true;
        }
        self.live
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |live| {
                (self.is_stopping() || live > self.target()).then(|| live.saturating_sub(1))
            })
            .is_ok()
    }

    /// Whether [`PoolCore::retires`] may say yes: cheap enough to be asked on every turn.
    pub(crate) fn may_retire(&self, book: &WorkerStats) -> bool {
        self.live.load(Ordering::Relaxed) > self.target()
            || self.stopping.load(Ordering::Relaxed)
            || book.is_marked_stuck()
    }

    /// Writes a stuck worker off: it no longer counts, and may be replaced.
    pub(crate) fn mark_stuck(&self, book: &WorkerStats) {
        if book.mark_stuck() {
            self.live.fetch_sub(1, Ordering::SeqCst);
        }
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.idle.wake_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn books(&self) -> Vec<Arc<WorkerStats>> {
        self.books.lock().clone()
    }

    /// Forgets the books of workers that are gone; their figures must have been collected.
    pub(crate) fn forget(&self, gone: &Arc<WorkerStats>) {
        self.books.lock().retain(|book| !Arc::ptr_eq(book, gone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_from_text_and_a_bad_one_is_named() {
        assert_eq!("2..8".parse(), Ok(WorkerRange::new(2, 8)));
        assert_eq!("3".parse(), Ok(WorkerRange::exactly(3)));
        for bad in ["0", "4..2", "x", "1..", "1..99999", "-1"] {
            let error = bad.parse::<WorkerRange>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
        }
    }

    #[test]
    fn a_range_of_another_type_is_refused_with_the_form_that_is_allowed() {
        let table = r#"{"min": 1, "max": 3}"#;
        let error = serde_json::from_str::<WorkerRange>(table).unwrap_err();
        assert!(error.to_string().contains(r#"like "1..4", or one number"#), "{error}");
        assert_eq!(serde_json::from_str("3").ok(), Some(WorkerRange::exactly(3)));
        assert_eq!(serde_json::from_str(r#""1..3""#).ok(), Some(WorkerRange::new(1, 3)));
    }

    #[test]
    fn one_worker_too_many_retires_and_no_other() {
        let pool = PoolCore::new("p".into(), WorkerRange::new(1, 3), false);
        pool.set_target(3);
        let books: Vec<_> = std::iter::from_fn(|| pool.add_worker(1)).collect();
        assert_eq!((books.len(), pool.live()), (3, 3));
        pool.set_target(2);
        assert_eq!(books.iter().filter(|book| pool.retires(book)).count(), 1);
        assert_eq!(pool.live(), 2);
    }

    #[test]
    fn a_stuck_worker_is_replaced_and_retires_when_it_comes_back() {
        let pool = PoolCore::new("p".into(), WorkerRange::exactly(1), false);
        let stuck = pool.add_worker(1).unwrap();
        assert!(pool.add_worker(1).is_none());
        pool.mark_stuck(&stuck);
        let substitute = pool.add_worker(1).unwrap();
        assert_eq!((pool.live(), pool.stuck()), (1, 1));
        assert!(pool.retires(&stuck) && !pool.retires(&substitute));
        assert_eq!(pool.live(), 1);
    }
}
