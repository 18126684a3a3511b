//! What one worker writes down, once per batch, under a lock of its own.

use crate::platform::sync::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, OnceLock, Ordering,
};
use crate::platform::{Schedstat, ThreadId, Time};
use crate::stats::{Quantiles, ServedCosts};
#[cfg(feature = "simulation")]
use std::time::Duration;

/// A worker's figures of one stage since the book was last collected.
#[derive(Debug, Default)]
pub(crate) struct StageFigures {
    /// From being queued to being taken.
    pub(crate) wait: Quantiles,
    /// From being begun to being done.
    pub(crate) service: Quantiles,
    /// How many of the service times are a batch's mean: its events were too short to be timed
    /// one by one.
    pub(crate) batch_means: u64,
    /// Nanoseconds in which the worker ran the stage.
    pub(crate) busy: u64,
    pub(crate) batches: u64,
    /// What the requests cost that were served in these service times.
    pub(crate) served: ServedCosts,
}

impl StageFigures {
    pub(crate) fn add(&mut self, other: &StageFigures) {
        self.wait.add(&other.wait);
        self.service.add(&other.service);
        self.batch_means += other.batch_means;
        self.busy += other.busy;
        self.batches += other.batches;
        self.served.add(&other.served);
    }

    pub(crate) fn clear(&mut self) {
        self.wait.clear();
        self.service.clear();
        (self.batch_means, self.busy, self.batches) = (0, 0, 0);
        self.served = ServedCosts::default();
    }
}

/// The figures of all stages that a worker runs, by the stage's place among the pool's stages.
#[derive(Debug, Default)]
pub(crate) struct WorkerWindow {
    pub(crate) stages: Vec<StageFigures>,
}

impl WorkerWindow {
    pub(crate) fn new(stages: usize) -> Self {
        Self { stages: (0..stages).map(|_| StageFigures::default()).collect() }
    }
}

const IDLE: u32 = u32::MAX;

/// One worker as others see it: what it wrote down, and what it is doing right now.
#[derive(Debug)]
pub(crate) struct WorkerStats {
    pub(crate) number: usize,
    /// Held while a batch's end is made known, so that who holds the books of all workers sees a
    /// consistent cut; swapped out by the controller.
    pub(crate) window: Mutex<WorkerWindow>,
    thread: OnceLock<Option<ThreadId>>,
    /// What a simulation says instead of the kernel.
    credited: OnceLock<Credit>,
    /// The place of the stage that is being run, and since when, in nanoseconds.
    running: AtomicU32,
    since: AtomicU64,
    written_off: AtomicBool,
    gone: AtomicBool,
    /// The last call to finish that was answered.
    finished: AtomicUsize,
}

/// Time on a core and waiting for one, in nanoseconds.
#[derive(Debug, Default)]
struct Credit {
    cpu: AtomicU64,
    run_queue: AtomicU64,
}

impl WorkerStats {
    pub(crate) fn new(number: usize, stages: usize) -> Self {
        Self {
            number,
            window: Mutex::new(WorkerWindow::new(stages)),
            thread: OnceLock::new(),
            credited: OnceLock::new(),
            running: AtomicU32::new(IDLE),
            since: AtomicU64::new(0),
            written_off: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            finished: AtomicUsize::new(0),
        }
    }

    /// Notes which thread turns this worker; to be called on it.
    pub(crate) fn enter_thread(&self) {
        self.thread.get_or_init(ThreadId::current);
    }

    /// Whether anybody says how the worker's time is split.
    pub(crate) fn is_split(&self) -> bool {
        self.credited.get().is_some() || self.thread().is_some()
    }

    /// How the worker's time was split since it began, if anybody says so.
    pub(crate) fn schedstat(&self) -> Option<Schedstat> {
        match self.credited.get() {
            Some(credit) => Some(Schedstat {
                cpu: credit.cpu.load(Ordering::Relaxed),
                run_queue: credit.run_queue.load(Ordering::Relaxed),
            }),
            None => self.thread().and_then(Schedstat::of),
        }
    }

    /// What it was when the worker began, if that is known: a thread is older than its book.
    pub(crate) fn first_schedstat(&self) -> Option<Schedstat> {
        self.credited.get().map(|_| Schedstat::default())
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn credit(&self, cpu: Duration, run_queue: Duration) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let credit = self.credited.get_or_init(Credit::default);
        credit.cpu.fetch_add(nanos(cpu), Ordering::Relaxed);
        credit.run_queue.fetch_add(nanos(run_queue), Ordering::Relaxed);
    }

    fn thread(&self) -> Option<ThreadId> {
        self.thread.get().copied().flatten()
    }

    /// The worker begins an event, or a batch, of the stage at `place`.
    pub(crate) fn begin(&self, place: usize, now: Time) {
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.running.store(u32::try_from(place).unwrap_or(IDLE), Ordering::Release);
    }

    pub(crate) fn end(&self) {
        self.running.store(IDLE, Ordering::Release);
    }

    /// The stage that is being run, by place, and since when.
    pub(crate) fn running(&self) -> Option<(usize, Time)> {
        let place = self.running.load(Ordering::Acquire);
        (place != IDLE)
            .then(|| (place as usize, Time::from_nanos(self.since.load(Ordering::Relaxed))))
    }

    /// Marks the worker as stuck; false if it was already.
    pub(crate) fn mark_stuck(&self) -> bool {
        !self.written_off.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_marked_stuck(&self) -> bool {
        self.written_off.load(Ordering::Relaxed) && !self.is_gone()
    }

    pub(crate) fn answer_finish(&self, call: usize) {
        self.finished.store(call, Ordering::SeqCst);
    }

    pub(crate) fn has_finished(&self, call: usize) -> bool {
        self.finished.load(Ordering::SeqCst) >= call
    }

    /// The worker has ended; its book can be collected and forgotten.
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}
