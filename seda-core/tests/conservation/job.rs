//! An event that knows what became of it.

use crate::dice::{Bomb, Dice};
use crate::world::World;
use seda_core::{LossReason, Responder};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// The event of a request may turn out too heavy when the request is admitted already: it is then
/// dropped before its call returns.
pub(crate) const ENTERING: u8 = 0;
pub(crate) const TURNED_AWAY: u8 = 1;
pub(crate) const ENTERED: u8 = 2;

#[derive(Debug)]
pub(crate) struct Job {
    /// How many more times its descendants are sent on: cycles end.
    pub(crate) hops: u8,
    /// Everything its handler does follows from this.
    pub(crate) seed: u64,
    pub(crate) reply: Option<Responder<u64>>,
    pub(crate) fate: Fate,
    pub(crate) bomb: Bomb,
}

impl Job {
    /// A job that is about to be sent to `stage`.
    pub(crate) fn new(world: &Arc<World>, stage: usize, class: usize, hops: u8, seed: u64) -> Self {
        let fate = Fate::new(world, stage, class, seed);
        // One in sixteen.
        Job { hops, seed, reply: None, fate, bomb: Bomb(seed % 16 == 7) }
    }

    /// What a keyed stage is told.
    pub(crate) fn key(&self) -> u8 {
        Dice(self.seed ^ 2).panic_one_in(24);
        self.fate.key
    }

    /// What a weighing stage is told. Eleven binary digits: such a weight is not rounded.
    pub(crate) fn weight(&self) -> usize {
        Dice(self.seed ^ 3).panic_one_in(24);
        weight(self.seed) as usize
    }

    /// Given back, and dropped by somebody who would not like to panic.
    pub(crate) fn give_back(mut self) {
        self.bomb.0 = false;
        self.fate.refuse();
    }

    /// Never offered to its stage.
    pub(crate) fn keep(mut self) {
        self.bomb.0 = false;
        self.fate.keep();
    }
}

fn weight(seed: u64) -> u64 {
    let mut dice = Dice(seed ^ 4);
    dice.below(2_048) << (4 * dice.below(2))
}

/// Told exactly once in its life: begun by a handler, given up, or given back.
#[derive(Debug)]
pub(crate) struct Fate {
    world: Arc<World>,
    stage: usize,
    class: usize,
    bytes: u64,
    key: u8,
    /// Its place in the order of what is sent from outside, if its key can be told.
    order: Option<u64>,
    told: AtomicU8,
    at_door: Option<Arc<AtomicU8>>,
}

impl Fate {
    fn new(world: &Arc<World>, stage: usize, class: usize, seed: u64) -> Self {
        let weighs = world.facts(stage).weighs && !Dice(seed ^ 3).one_in(24);
        let bytes = if weighs { weight(seed) } else { 0 };
        let mut counts = world.counts.lock();
        counts.of(stage, class).alive += 1;
        counts.stages[stage].bytes += bytes;
        drop(counts);
        let key = (seed >> 8) as u8 % 4;
        let world = Arc::clone(world);
        Self { world, stage, class, bytes, key, order: None, told: AtomicU8::new(0), at_door: None }
    }

    /// Notes that what is sent from outside from now on comes later.
    pub(crate) fn put_in_order(&mut self, seed: u64) {
        let tellable = self.world.facts(self.stage).keyed && !Dice(seed ^ 2).one_in(24);
        self.order = tellable.then(|| self.world.counts.lock().next_order());
    }

    /// A request is being made around this job.
    pub(crate) fn enter(&mut self, at_door: &Arc<AtomicU8>) {
        self.at_door = Some(Arc::clone(at_door));
    }

    /// Whether it was dropped at the door, where nobody but its client has to hear of it.
    fn is_turned_away(&self) -> bool {
        let turn = |door: &Arc<AtomicU8>| {
            door.compare_exchange(ENTERING, TURNED_AWAY, SeqCst, SeqCst).is_ok()
        };
        self.told.load(SeqCst) == 0 && self.at_door.as_ref().is_some_and(turn)
    }

    /// Returns the job's class.
    pub(crate) fn begin(&self) -> usize {
        self.tell();
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
        self.tell();
    }

    fn keep(&self) {
        self.tell();
    }

    pub(crate) fn lose(&self, reason: LossReason) {
        self.tell();
        let mut counts = self.world.counts.lock();
        *counts.of(self.stage, self.class).lost.entry(reason.as_str()).or_default() += 1;
    }

    fn tell(&self) {
        if self.told.fetch_add(1, SeqCst) > 0 {
            let stage = self.stage;
            self.world.counts.lock().fault(format!("a job of stage {stage} was told twice"));
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        let heard = self.world.facts(self.stage).heard;
        let turned_away = self.is_turned_away();
        let mut counts = self.world.counts.lock();
        counts.stages[self.stage].bytes -= self.bytes;
        let count = counts.of(self.stage, self.class);
        count.alive -= 1;
        if self.told.load(SeqCst) == 0 && !turned_away {
            count.silent += 1;
            if heard {
                counts.fault(format!("a job of stage {} was told nothing", self.stage));
            }
        }
    }
}
