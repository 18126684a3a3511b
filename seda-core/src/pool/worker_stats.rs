//! The statistics of one worker: written once per batch, under a lock of the worker's own.

use crate::platform::sync::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, OnceLock, Ordering,
};
use crate::platform::{Schedstat, ThreadId, Time};
use crate::stats::{Quantiles, ServedCosts};
#[cfg(feature = "simulation")]
use std::time::Duration;

/// The figures of one worker about one stage since the last collection.
#[derive(Debug, Default)]
pub(crate) struct StageFigures {
    /// Time from enqueue to dequeue.
    pub(crate) wait: Quantiles,
    /// Time from the start of an event's handling to its end.
    pub(crate) service: Quantiles,
    /// Number of service times that are a batch's mean, because its events were too short to be
    /// timed one by one.
    pub(crate) batch_means: u64,
    /// Nanoseconds that the worker spent in the stage.
    pub(crate) busy: u64,
    /// Nanoseconds of `busy` spent waiting for room in another stage.
    pub(crate) room_wait: u64,
    pub(crate) batches: u64,
    /// Costs of the requests that these service times were spent on.
    pub(crate) served: ServedCosts,
}

impl StageFigures {
    /// Adds the figures of another worker or another window.
    pub(crate) fn add(&mut self, other: &StageFigures) {
        self.wait.add(&other.wait);
        self.service.add(&other.service);
        self.batch_means += other.batch_means;
        self.busy += other.busy;
        self.room_wait += other.room_wait;
        self.batches += other.batches;
        self.served.add(&other.served);
    }

    /// Sets all figures to zero and keeps the allocated histograms.
    pub(crate) fn clear(&mut self) {
        self.wait.clear();
        self.service.clear();
        (self.batch_means, self.busy, self.batches) = (0, 0, 0);
        self.room_wait = 0;
        self.served = ServedCosts::default();
    }
}

/// The figures of one worker, indexed by the stage's place among the pool's stages.
#[derive(Debug, Default)]
pub(crate) struct WorkerWindow {
    pub(crate) stages: Vec<StageFigures>,
}

impl WorkerWindow {
    pub(crate) fn new(stages: usize) -> Self {
        Self { stages: (0..stages).map(|_| StageFigures::default()).collect() }
    }
}

/// Value of `running` while the worker runs no stage.
const IDLE: u32 = u32::MAX;

/// Whether a worker counts as one of its pool's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum CountState {
    /// It counts.
    Counted,
    /// It does not count while its handler does not return.
    Stuck,
    /// It does not count any more, and ends.
    Retired,
}

/// One worker as the rest of the graph sees it: its statistics and its present state.
#[derive(Debug)]
pub(crate) struct WorkerStats {
    /// Number of the worker within its pool, in order of creation.
    pub(crate) number: usize,
    /// Figures since the last collection. The lock is held while a batch's end is published, so a
    /// holder of all workers' windows sees a consistent cut.
    pub(crate) window: Mutex<WorkerWindow>,
    thread: OnceLock<Option<ThreadId>>,
    /// CPU times from a simulation; they replace the kernel's.
    simulated: OnceLock<CpuTimes>,
    /// Place of the stage that the worker runs, or [`IDLE`].
    running: AtomicU32,
    /// Start of that run, in nanoseconds.
    since: AtomicU64,
    /// A [`CountState`]. Written under the lock of the pool's workers, with the pool's count.
    count_state: AtomicU32,
    gone: AtomicBool,
    /// Latest epoch of the finish barrier that the worker reached.
    finish_epoch: AtomicUsize,
}

/// Time on a core and time waiting for one, in nanoseconds.
#[derive(Debug, Default)]
struct CpuTimes {
    cpu: AtomicU64,
    run_queue: AtomicU64,
}

impl WorkerStats {
    pub(crate) fn new(number: usize, stages: usize) -> Self {
        Self {
            number,
            window: Mutex::new(WorkerWindow::new(stages)),
            thread: OnceLock::new(),
            simulated: OnceLock::new(),
            running: AtomicU32::new(IDLE),
            since: AtomicU64::new(0),
            count_state: AtomicU32::new(CountState::Counted as u32),
            gone: AtomicBool::new(false),
            finish_epoch: AtomicUsize::new(0),
        }
    }

    /// Records the calling thread as the one that runs this worker.
    pub(crate) fn enter_thread(&self) {
        self.thread.get_or_init(ThreadId::current);
    }

    /// True if CPU times of the worker are known, from the kernel or from a simulation.
    pub(crate) fn is_split(&self) -> bool {
        self.simulated.get().is_some() || self.thread().is_some()
    }

    /// Returns the worker's CPU times since its start; `None` if they are unknown.
    pub(crate) fn schedstat(&self) -> Option<Schedstat> {
        match self.simulated.get() {
            Some(times) => Some(Schedstat {
                cpu: times.cpu.load(Ordering::Relaxed),
                run_queue: times.run_queue.load(Ordering::Relaxed),
            }),
            None => self.thread().and_then(Schedstat::of),
        }
    }

    /// Returns the CPU times at the worker's start, which are zero in a simulation. `None` for a
    /// thread of the machine: it may be older than its worker.
    pub(crate) fn first_schedstat(&self) -> Option<Schedstat> {
        self.simulated.get().map(|_| Schedstat::default())
    }

    /// Adds simulated CPU times. From then on the kernel's are not read.
    #[cfg(feature = "simulation")]
    pub(crate) fn credit(&self, cpu: Duration, run_queue: Duration) {
        let times = self.simulated.get_or_init(CpuTimes::default);
        times.cpu.fetch_add(nanos(cpu), Ordering::Relaxed);
        times.run_queue.fetch_add(nanos(run_queue), Ordering::Relaxed);
    }

    /// Returns the thread that runs the worker; `None` without procfs, or before it starts.
    pub(crate) fn thread(&self) -> Option<ThreadId> {
        self.thread.get().copied().flatten()
    }

    /// Records the start of an event or a batch of the stage at `place`.
    pub(crate) fn begin(&self, place: usize, now: Time) {
        debug_assert!(place < IDLE as usize, "a pool with {place} stages");
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.running.store(u32::try_from(place).unwrap_or(IDLE), Ordering::Release);
    }

    /// Records that the worker runs no stage.
    pub(crate) fn end(&self) {
        self.running.store(IDLE, Ordering::Release);
    }

    /// Returns the place of the stage that the worker runs and the start of that run.
    pub(crate) fn running(&self) -> Option<(usize, Time)> {
        let place = self.running.load(Ordering::Acquire);
        (place != IDLE)
            .then(|| (place as usize, Time::from_nanos(self.since.load(Ordering::Relaxed))))
    }

    pub(super) fn count_state(&self) -> CountState {
        match self.count_state.load(Ordering::SeqCst) {
            counted if counted == CountState::Counted as u32 => CountState::Counted,
            stuck if stuck == CountState::Stuck as u32 => CountState::Stuck,
            _ => CountState::Retired,
        }
    }

    pub(super) fn set_count_state(&self, state: CountState) {
        self.count_state.store(state as u32, Ordering::SeqCst);
    }

    /// True for a worker that was marked as stuck and has not come back or ended.
    pub(crate) fn is_marked_stuck(&self) -> bool {
        self.count_state.load(Ordering::Relaxed) == CountState::Stuck as u32 && !self.is_gone()
    }

    /// Records that the worker has finished its handlers for `epoch` of the finish barrier.
    pub(crate) fn reach_finish_epoch(&self, epoch: usize) {
        self.finish_epoch.store(epoch, Ordering::SeqCst);
    }

    /// True if the worker has finished its handlers for `epoch`.
    pub(crate) fn has_reached(&self, epoch: usize) -> bool {
        self.finish_epoch.load(Ordering::SeqCst) >= epoch
    }

    /// Marks the worker as ended; its figures are collected once more, then it is forgotten.
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    /// True if the worker has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

/// Returns `time` in nanoseconds; 64 bits last 584 years.
#[cfg(feature = "simulation")]
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
