//! The state that all stages of one graph share.

use crate::config::Class;
use crate::event::request::{RequestCounts, RequestLedger};
use crate::gate::{Admission, GateCharge, GateClosed};
use crate::platform::sync::{Arc, AtomicBool, AtomicUsize, Mutex, OnceLock, Ordering, Weak};
use crate::platform::{Clock, Time};
use crate::queue::{Budget, ByteBudget};
use crate::stage::any::AnyStage;
use crate::stage::clock::GraphClock;
use crate::stage::core_claims::CoreClaims;
use crate::stage::early_tick::EarlyTick;
use crate::stage::finish_barrier::FinishBarrier;
use crate::stage::journal::{Controller, Decision, Journal};
use crate::stage::loss_notifier::LossNotifier;
use crate::stage::space_notify::SpaceNotify;
use crate::stage::valve::{Incoming, Valve, ValveScope};

#[derive(Debug)]
pub(crate) struct GraphShared {
    pub(crate) name: Arc<str>,
    /// The graph's number in this process: a token of another graph is recognised by it.
    pub(crate) id: u32,
    pub(crate) clock: Arc<GraphClock>,
    pub(crate) budget: Budget,
    pub(crate) bytes: ByteBudget,
    pub(crate) valve: Valve,
    pub(crate) admission: Arc<Admission>,
    pub(crate) journal: Journal,
    pub(crate) loss_notifier: LossNotifier,
    pub(crate) space: SpaceNotify,
    pub(crate) calls: Calls,
    live: LiveSettings,
    phase: Phase,
    stages: OnceLock<Vec<Weak<dyn AnyStage>>>,
    ledgers: Mutex<Vec<Arc<RequestLedger>>>,
}

/// What workers and the runtime call each other for.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// A drain calls all workers.
    pub(crate) finish_barrier: FinishBarrier,
    /// A worker calls the control thread.
    pub(crate) early_tick: EarlyTick,
    /// A thread that serves sockets calls on workers to rest.
    pub(crate) core_claims: Arc<CoreClaims>,
}

/// Settings of the whole graph that workers and sources read.
#[derive(Debug)]
struct LiveSettings {
    /// The number of declared classes.
    classes: AtomicUsize,
    /// Cores that the workers have; 0: as many as the machine gives this process.
    cores: AtomicUsize,
    /// The cores that the machine gave this process when they were last read.
    machine_cores: AtomicUsize,
    /// True if times and distributions are recorded; the ledgers always are.
    timed: AtomicBool,
    /// The number of changes since the start. A value derived from settings is refreshed when this
    /// differs from the number it was derived at.
    changes: AtomicUsize,
}

/// How far a graph's life has come. Each flag is set once and never cleared.
#[derive(Debug, Default)]
struct Phase {
    /// The entries are closed.
    draining: AtomicBool,
    /// No worker looks at a queue any more: an event sent from now on is shed by its sender.
    ended: AtomicBool,
    /// The graph runs without threads, so a wait inside it would never end.
    stepped: AtomicBool,
}

impl GraphShared {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        // A plain counter and no part of a protocol: std's atomic, which a model does not reset.
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
            loss_notifier: LossNotifier::default(),
            space: SpaceNotify::default(),
            calls: Calls::default(),
            live: LiveSettings {
                classes: AtomicUsize::new(1),
                cores: AtomicUsize::new(0),
                machine_cores: AtomicUsize::new(machine_cores()),
                timed: AtomicBool::new(true),
                changes: AtomicUsize::new(0),
            },
            phase: Phase::default(),
            stages: OnceLock::new(),
            ledgers: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Returns the number of declared classes.
    pub(crate) fn classes(&self) -> usize {
        self.live.classes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_classes(&self, classes: usize) {
        self.live.classes.store(classes, Ordering::Relaxed);
    }

    /// Returns the number of cores that the workers have.
    pub(crate) fn cores(&self) -> usize {
        match self.live.cores.load(Ordering::Relaxed) {
            0 => self.live.machine_cores.load(Ordering::Relaxed),
            cores => cores,
        }
    }

    pub(crate) fn set_cores(&self, cores: usize) {
        self.live.cores.store(cores, Ordering::Relaxed);
    }

    /// Reads how many cores the machine gives this process: a quota or an affinity may change. It
    /// opens several files: half a millisecond, so it is done once a second.
    pub(crate) fn read_machine_cores(&self) {
        if self.live.cores.load(Ordering::Relaxed) == 0 {
            self.live.machine_cores.store(machine_cores(), Ordering::Relaxed);
        }
    }

    /// True if times and distributions are recorded.
    pub(crate) fn is_timed(&self) -> bool {
        self.live.timed.load(Ordering::Relaxed)
    }

    pub(crate) fn set_timed(&self, timed: bool) {
        self.live.timed.store(timed, Ordering::Relaxed);
    }

    /// Returns the number of changes to settings since the start.
    #[inline]
    pub(crate) fn changes(&self) -> usize {
        self.live.changes.load(Ordering::Acquire)
    }

    /// Counts a change to settings, and announces the space that it may have freed.
    pub(crate) fn announce_change(&self) {
        self.live.changes.fetch_add(1, Ordering::Release);
        self.space.announce();
    }

    pub(crate) fn is_stepped(&self) -> bool {
        self.phase.stepped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_stepped(&self) {
        self.phase.stepped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.phase.draining.load(Ordering::SeqCst)
    }

    /// Refuses every event from outside from here on.
    pub(crate) fn close_entries(&self) {
        self.phase.draining.store(true, Ordering::SeqCst);
    }

    /// Marks the graph as ended. Call this before the queues are emptied for the last time: a
    /// sender that takes its stage's lock after that sees the mark.
    pub(crate) fn end(&self) {
        self.phase.ended.store(true, Ordering::Release);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.phase.ended.load(Ordering::Acquire)
    }

    /// Sets the stages, once, when the graph is built.
    pub(crate) fn set_stages(&self, stages: Vec<Weak<dyn AnyStage>>) {
        let set = self.stages.set(stages);
        debug_assert!(set.is_ok(), "a graph is built once");
    }

    /// Returns the names of the stages with stuck workers alone.
    pub(crate) fn stuck_stages(&self) -> Vec<String> {
        let stages = self.stages.get().into_iter().flatten().filter_map(Weak::upgrade);
        let stuck = stages.filter(|stage| self.admission.is_stuck(stage.index()));
        stuck.map(|stage| stage.name().to_string()).collect()
    }

    /// True once the graph is built: its stages are open and its pools known.
    pub(crate) fn is_built(&self) -> bool {
        self.stages.get().is_some()
    }

    /// Charges `bytes` to the byte budget; at the budget the valve may evict others for them.
    pub(super) fn charge_bytes(&self, bytes: u64, incoming: Incoming) -> bool {
        self.bytes.charge(bytes) || self.valve.make_byte_room(&self.valve_scope(), bytes, incoming)
    }

    /// Makes the valve free room in the budget for `need` events, all or none.
    pub(super) fn make_room(&self, need: usize, incoming: Incoming) -> bool {
        self.valve.make_room(&self.valve_scope(), need, incoming)
    }

    /// True if the valve could free room in the budget for one event now.
    pub(super) fn could_make_room(&self, incoming: Incoming) -> bool {
        self.valve.could_make_room(&self.valve_scope(), incoming)
    }

    /// True if a request of `class` that found a gate closed could preempt a lower class.
    pub(super) fn may_preempt(&self, class: Class) -> bool {
        self.valve_scope().may_preempt(class)
    }

    /// Admits a request that found a gate closed, by preempting queued events of lower classes.
    ///
    /// # Errors
    /// A gate that stays closed.
    pub(super) fn preempt(&self, passage: &GateCharge) -> Result<(), GateClosed> {
        self.valve_scope().preempt(&self.admission, passage)
    }

    /// Checks whether [`GraphShared::preempt`] would find an event to preempt at each closed gate.
    ///
    /// # Errors
    /// A gate that would stay closed.
    pub(super) fn check_preempt(&self, charge: &GateCharge) -> Result<(), GateClosed> {
        self.valve_scope().preemptible_gates(&self.admission, charge).map(drop)
    }

    fn valve_scope(&self) -> ValveScope<'_> {
        ValveScope {
            clock: &self.clock,
            budget: &self.budget,
            bytes: &self.bytes,
            space: &self.space,
            notifier: &self.loss_notifier,
            classes: self.classes(),
            stages: self.stages.get().map_or(&[], Vec::as_slice),
        }
    }

    /// Opens a ledger for the requests of one source.
    pub(super) fn open_ledger(&self) -> Arc<RequestLedger> {
        let ledger = Arc::new(RequestLedger::new(
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::clone(&self.admission),
        ));
        self.ledgers.lock().push(Arc::clone(&ledger));
        ledger
    }

    /// Returns the sum of all request ledgers, each read as a consistent cut.
    pub(crate) fn requests(&self) -> RequestCounts {
        let mut sum = RequestCounts::default();
        for ledger in self.ledgers.lock().iter() {
            ledger.add_to(&mut sum);
        }
        sum
    }

    /// Journals that a stage was closed because its factory keeps failing.
    pub(crate) fn journal_closed(&self, stage: &str, failures: u32, error: &str) {
        self.journal.record(
            Decision::by(Controller::Factory, self.now())
                .stage(stage)
                .seen(format!("the factory failed {failures} times in a row: {error}"))
                .action(format!("closed `{stage}`; fix its factory and restart"))
                .changed("open → closed"),
        );
    }

    /// Credits `n` events and their `bytes`, and announces the space.
    pub(super) fn credit_weighed(&self, n: usize, bytes: u64) {
        self.bytes.credit(bytes);
        self.credit(n);
    }

    /// Credits `n` events and announces the space.
    pub(crate) fn credit(&self, n: usize) {
        self.budget.credit(n);
        if n > 0 {
            self.space.announce();
        }
    }
}

fn machine_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
