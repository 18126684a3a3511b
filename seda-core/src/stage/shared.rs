//! What all stages of one graph share: clock, budget, valve, journal, and the way out for events
//! that are given up.

use crate::event::request::{RequestCounts, RequestLedger};
use crate::gate::Admission;
use crate::platform::sync::{
    Arc, AtomicBool, AtomicUsize, Condvar, Flaw, Mutex, OnceLock, Ordering, Weak, is_seeded,
};
use crate::platform::{Clock, Time};
use crate::queue::{Budget, ByteBudget};
use crate::stage::any::AnyStage;
use crate::stage::finish_barrier::FinishBarrier;
use crate::stage::journal::{Controller, Decision, Journal};
use crate::stage::loss_notifier::LossNotifier;
use crate::stage::valve::Valve;
use std::time::Duration;

/// The clock of a graph: set when it starts; until then it stands at its origin.
#[derive(Debug, Default)]
pub(crate) struct GraphClock {
    started: OnceLock<Arc<dyn Clock>>,
}

impl GraphClock {
    pub(crate) fn start(&self, clock: Arc<dyn Clock>) {
        let _ = self.started.set(clock);
    }
}

impl Clock for GraphClock {
    fn now(&self) -> Time {
        self.started.get().map_or(Time::ZERO, |clock| clock.now())
    }
}

#[derive(Debug)]
pub(crate) struct GraphShared {
    pub(crate) name: Arc<str>,
    /// Tells the graphs of one process apart, so that a token of another graph is recognised.
    pub(crate) id: u32,
    pub(crate) clock: Arc<GraphClock>,
    pub(crate) budget: Budget,
    pub(crate) bytes: ByteBudget,
    pub(crate) valve: Valve,
    pub(crate) admission: Arc<Admission>,
    pub(crate) journal: Journal,
    pub(crate) disposal: LossNotifier,
    pub(crate) room: SpaceNotify,
    pub(crate) finish_barrier: FinishBarrier,
    /// How many classes the graph declared.
    classes: AtomicUsize,
    /// How many cores its workers have; 0: as many as the machine gives this process.
    cores: AtomicUsize,
    /// Whether times and distributions are recorded; the ledgers always are.
    timed: AtomicBool,
    draining: AtomicBool,
    /// Nobody works any more: what still arrives is given up by whoever sent it.
    ended: AtomicBool,
    /// Runs without threads: whoever waited would wait for itself.
    stepped: AtomicBool,
    /// How often settings have changed since the start: who keeps what follows from them looks
    /// here whether it still does.
    changes: AtomicUsize,
    stages: OnceLock<Vec<Weak<dyn AnyStage>>>,
    books: Mutex<Vec<Arc<RequestLedger>>>,
}

impl GraphShared {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        // Numbers and no protocol; a model starts anew each time, and this does not.
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        Arc::new(Self {
            name: name.into(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            clock: Arc::default(),
            budget: Budget::default(),
            bytes: ByteBudget::default(),
            valve: Valve::default(),
            admission: Arc::default(),
            journal: Journal::default(),
            disposal: LossNotifier::default(),
            room: SpaceNotify::default(),
            finish_barrier: FinishBarrier::default(),
            classes: AtomicUsize::new(1),
            cores: AtomicUsize::new(0),
            timed: AtomicBool::new(true),
            draining: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            stepped: AtomicBool::new(false),
            changes: AtomicUsize::new(0),
            stages: OnceLock::new(),
            books: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn classes(&self) -> usize {
        self.classes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_classes(&self, classes: usize) {
        self.classes.store(classes, Ordering::Relaxed);
    }

    /// How many cores its workers have.
    pub(crate) fn cores(&self) -> usize {
        match self.cores.load(Ordering::Relaxed) {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            cores => cores,
        }
    }

    pub(crate) fn set_cores(&self, cores: usize) {
        self.cores.store(cores, Ordering::Relaxed);
    }

    pub(crate) fn is_timed(&self) -> bool {
        self.timed.load(Ordering::Relaxed)
    }

    pub(crate) fn set_timed(&self, timed: bool) {
        self.timed.store(timed, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }

    /// Settings have changed.
    pub(crate) fn announce_change(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.room.announce();
    }

    pub(crate) fn is_stepped(&self) -> bool {
        self.stepped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_stepped(&self) {
        self.stepped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// From here on nothing enters the graph from outside.
    pub(crate) fn close_entries(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// From here on nobody looks at the queues. To be called before they are emptied for the
    /// last time: an event that comes later finds this set, by the order of its stage's lock.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(crate) fn set_stages(&self, stages: Vec<Weak<dyn AnyStage>>) {
        let _ = self.stages.set(stages);
    }

    /// All stages that still exist, in order of declaration.
    pub(crate) fn stages(&self) -> Vec<Arc<dyn AnyStage>> {
        self.stages.get().into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    /// One stage, if it still exists.
    pub(crate) fn stage(&self, index: usize) -> Option<Arc<dyn AnyStage>> {
        self.stages.get()?.get(index)?.upgrade()
    }

    /// A new book for the requests of one source.
    pub(crate) fn open_book(&self) -> Arc<RequestLedger> {
        let book = Arc::new(RequestLedger::new(
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::clone(&self.admission),
        ));
        self.books.lock().push(Arc::clone(&book));
        book
    }

    /// All books' figures, each book as a consistent cut.
    pub(crate) fn requests(&self) -> RequestCounts {
        let mut sum = RequestCounts::default();
        for book in self.books.lock().iter() {
            book.add_to(&mut sum);
        }
        sum
    }

    /// Journals that a stage was closed because its factory keeps failing.
    pub(crate) fn journal_closed(&self, stage: &str, failures: u32, error: &str) {
        self.journal.record(
            Decision::by(Controller::Factory, self.now())
                .stage(stage)
                .seen(format!("the factory failed {failures} times in a row: {error}"))
                .action(format!("closed `{stage}`; mend its factory and restart"))
                .changed("open → closed"),
        );
    }

    /// Gives back what `n` events had, and their `bytes`, and tells sources that wait for it.
    pub(crate) fn credit_weighed(&self, n: usize, bytes: u64) {
        self.bytes.credit(bytes);
        self.credit(n);
    }

    /// Gives budget back and tells sources that wait for it.
    pub(crate) fn credit(&self, n: usize) {
        self.budget.credit(n);
        if n > 0 {
            self.room.announce();
        }
    }
}

/// How long a waiting sender sleeps at most before it looks again by itself: what it waits for
/// may come free in ways that nobody announces.
const WAIT_SLICE: Duration = Duration::from_millis(20);

/// Where sources outside the graph wait for room. Few threads ever do, so one place serves all.
#[derive(Debug, Default)]
pub(crate) struct SpaceNotify {
    waiting: AtomicUsize,
    lock: Mutex<u64>,
    changed: Condvar,
}

impl SpaceNotify {
    /// SpaceNotify may have come free; costs one load while nobody waits.
    pub(crate) fn announce(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            *self.lock.lock() += u64::from(!is_seeded(Flaw::NoGeneration));
            self.changed.notify_all();
        }
    }

    /// Makes one more `attempt` once this thread counts as waiting. If that fails it waits until
    /// room is announced, for `limit` and for 20 ms at most: callers attempt in a loop.
    pub(crate) fn wait<T, E>(
        &self,
        limit: Duration,
        attempt: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Attempted without the lock, as an attempt may announce room itself; the generation
        // tells whether someone announced room in between.
        let generation = *self.lock.lock();
        let result = attempt();
        if result.is_err() {
            let mut now = self.lock.lock();
            if *now == generation {
                self.changed.wait_for(&mut now, limit.min(WAIT_SLICE));
            }
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        result
    }
}
