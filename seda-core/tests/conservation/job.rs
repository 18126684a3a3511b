//! An event that records its own end.

use crate::conservation::rng::{PanicOnDrop, Rng};
use crate::conservation::world::World;
use seda_core::{LossReason, Responder};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// The state of a request's event. If the event is too heavy for the admitted request, it is
/// dropped before the call returns: turned away.
pub(crate) const ENTERING: u8 = 0;
pub(crate) const TURNED_AWAY: u8 = 1;
pub(crate) const ENTERED: u8 = 2;

#[derive(Debug)]
pub(crate) struct Job {
    /// Remaining hops of its descendants, so that cycles end.
    pub(crate) hops: u8,
    /// Determines all actions of its handler.
    pub(crate) seed: u64,
    pub(crate) reply: Option<Responder<u64>>,
    pub(crate) fate: Fate,
    pub(crate) panic_on_drop: PanicOnDrop,
}

impl Job {
    /// Returns a job for `stage`.
    pub(crate) fn new(world: &Arc<World>, stage: usize, class: usize, hops: u8, seed: u64) -> Self {
        let fate = Fate::new(world, stage, class, seed);
        // One job in sixteen panics when dropped.
        Job { hops, seed, reply: None, fate, panic_on_drop: PanicOnDrop(seed % 16 == 7) }
    }

    /// Returns the key for a keyed stage; panics at times.
    pub(crate) fn key(&self) -> u8 {
        Rng(self.seed ^ 2).panic_one_in(24);
        self.fate.key
    }

    /// Returns the weight for a weighing stage; panics at times. Eleven binary digits, because such
    /// a weight is not rounded.
    pub(crate) fn weight(&self) -> usize {
        Rng(self.seed ^ 3).panic_one_in(24);
        weight(self.seed) as usize
    }

    /// Records a refusal and drops the job without a panic.
    pub(crate) fn give_back(mut self) {
        self.panic_on_drop.0 = false;
        self.fate.refuse();
    }

    /// Drops a job that was never offered to its stage.
    pub(crate) fn keep(mut self) {
        self.panic_on_drop.0 = false;
        self.fate.keep();
    }
}

fn weight(seed: u64) -> u64 {
    let mut rng = Rng(seed ^ 4);
    rng.below(2_048) << (4 * rng.below(2))
}

/// The end of a job, recorded exactly once: begun by a handler, lost, or given back.
#[derive(Debug)]
pub(crate) struct Fate {
    world: Arc<World>,
    stage: usize,
    class: usize,
    bytes: u64,
    key: u8,
    /// Position among the jobs sent from outside; `None` if its key is unknown.
    order: Option<u64>,
    ends: AtomicU8,
    entry_state: Option<Arc<AtomicU8>>,
}

impl Fate {
    fn new(world: &Arc<World>, stage: usize, class: usize, seed: u64) -> Self {
        let weighs = world.facts(stage).weighs && !Rng(seed ^ 3).one_in(24);
        let bytes = if weighs { weight(seed) } else { 0 };
        let mut counts = world.counts.lock();
        counts.of(stage, class).alive += 1;
        counts.stages[stage].bytes += bytes;
        drop(counts);
        let key = (seed >> 8) as u8 % 4;
        let world = Arc::clone(world);
        Self {
            world,
            stage,
            class,
            bytes,
            key,
            order: None,
            ends: AtomicU8::new(0),
            entry_state: None,
        }
    }

    /// Assigns the next position in the order of jobs sent from outside.
    pub(crate) fn put_in_order(&mut self, seed: u64) {
        let has_known_key = self.world.facts(self.stage).keyed && !Rng(seed ^ 2).one_in(24);
        self.order = has_known_key.then(|| self.world.counts.lock().next_order());
    }

    /// Links the job to the state of its request.
    pub(crate) fn enter(&mut self, entry_state: &Arc<AtomicU8>) {
        self.entry_state = Some(Arc::clone(entry_state));
    }

    /// True if it was dropped before its request was entered; then only the client is notified.
    fn is_turned_away(&self) -> bool {
        self.ends.load(SeqCst) == 0
            && self.entry_state.as_ref().is_some_and(|state| {
                state.compare_exchange(ENTERING, TURNED_AWAY, SeqCst, SeqCst).is_ok()
            })
    }

    /// Returns the job's class.
    pub(crate) fn begin(&self) -> usize {
        self.end();
        let mut counts = self.world.counts.lock();
        counts.of(self.stage, self.class).begun += 1;
        if let Some(order) = self.order {
            let last = counts.last.insert((self.stage, self.class, self.key), order);
            if last.is_some_and(|last| last >= order) {
                counts.fault(format!("key {} of stage {}: overtaken", self.key, self.stage));
            }
        }
        self.class
    }

    fn refuse(&self) {
        self.end();
    }

    fn keep(&self) {
        self.end();
    }

    pub(crate) fn lose(&self, reason: LossReason) {
        self.end();
        let mut counts = self.world.counts.lock();
        *counts.of(self.stage, self.class).lost.entry(reason.as_str()).or_default() += 1;
    }

    fn end(&self) {
        if self.ends.fetch_add(1, SeqCst) > 0 {
            let stage = self.stage;
            self.world.counts.lock().fault(format!("a job of stage {stage} has two ends"));
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        let notified = self.world.facts(self.stage).notified;
        let turned_away = self.is_turned_away();
        let mut counts = self.world.counts.lock();
        counts.stages[self.stage].bytes -= self.bytes;
        let count = counts.of(self.stage, self.class);
        count.alive -= 1;
        if self.ends.load(SeqCst) == 0 && !turned_away {
            count.silent += 1;
            if notified {
                counts.fault(format!("a job of stage {} has no end", self.stage));
            }
        }
    }
}
