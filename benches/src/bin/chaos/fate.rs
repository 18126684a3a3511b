//! What became of every event, told by the events themselves.

use benches::rng::Dice;
use parking_lot::Mutex;
use seda_core::{LossReason, Responder};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::SeqCst};

/// One generation's sums, and the first thing that was wrong.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) begun: AtomicU64,
    pub(crate) lost: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) alive: AtomicI64,
    pub(crate) fault: Mutex<Option<String>>,
    /// The latest that was begun, by stage, sender and key, where there is an order.
    last: Mutex<HashMap<(usize, usize, u8), u64>>,
}

impl Fates {
    pub(crate) fn fault(&self, fault: String) {
        self.fault.lock().get_or_insert(fault);
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.lock().values().sum()
    }
}

/// An event.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) hops: u8,
    pub(crate) seed: u64,
    pub(crate) reply: Option<Responder<u64>>,
    pub(crate) fate: Fate,
    pub(crate) bomb: Bomb,
}

impl Job {
    pub(crate) fn new(fates: &Arc<Fates>, stage: usize, hops: u8, seed: u64) -> Self {
        fates.alive.fetch_add(1, SeqCst);
        let fates = Arc::clone(fates);
        let fate = Fate { fates, stage, order: None, told: AtomicU8::new(0), door: None };
        Self { hops, seed, reply: None, fate, bomb: Bomb(seed % 64 == 9) }
    }

    pub(crate) fn key(&self) -> u8 {
        Dice(self.seed ^ 2).panic_one_in(200);
        self.sound_key()
    }

    fn sound_key(&self) -> u8 {
        (self.seed >> 8) as u8 % 16
    }

    pub(crate) fn weight(&self) -> usize {
        Dice(self.seed ^ 3).panic_one_in(200);
        (self.seed >> 16) as usize % 5_000
    }

    /// It is the `n`-th that `sender` sends to its keyed stage.
    pub(crate) fn ordered(mut self, sender: usize, n: u64) -> Self {
        let tellable = !Dice(self.seed ^ 2).one_in(200);
        self.fate.order = tellable.then(|| (sender, self.sound_key(), n));
        self
    }

    /// Its request is being made: the event may turn out too heavy, and is dropped at the door.
    pub(crate) fn at_door(mut self, door: &Arc<Door>) -> Self {
        self.fate.door = Some(Arc::clone(door));
        self
    }

    /// Given back, or never offered: dropped by somebody who would not like to panic.
    pub(crate) fn keep(mut self) {
        self.bomb.0 = false;
        self.fate.tell();
    }
}

/// Panics when it is dropped, unless that happens in a panic already.
#[derive(Debug)]
pub(crate) struct Bomb(pub(crate) bool);

impl Drop for Bomb {
    #[expect(clippy::panic, reason = "events that panic when they are dropped are tested")]
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            std::panic::panic_any(benches::rng::ON_PURPOSE);
        }
    }
}

/// Where the events of requests come in.
#[derive(Debug, Default)]
pub(crate) struct Door(AtomicU8);

impl Door {
    const TURNED_AWAY: u8 = 1;
    const SHUT: u8 = 2;

    /// The request was made; returns whether its event was turned away.
    pub(crate) fn shut(&self) -> bool {
        self.0.swap(Self::SHUT, SeqCst) == Self::TURNED_AWAY
    }

    fn turn_away(&self) -> bool {
        self.0.compare_exchange(0, Self::TURNED_AWAY, SeqCst, SeqCst).is_ok()
    }
}

/// Told exactly once: begun, given up, or given back.
#[derive(Debug)]
pub(crate) struct Fate {
    fates: Arc<Fates>,
    stage: usize,
    order: Option<(usize, u8, u64)>,
    told: AtomicU8,
    door: Option<Arc<Door>>,
}

impl Fate {
    pub(crate) fn begin(&self) {
        self.tell();
        self.fates.begun.fetch_add(1, SeqCst);
        if let Some((sender, key, n)) = self.order {
            let last = self.fates.last.lock().insert((self.stage, sender, key), n);
            if last.is_some_and(|last| last >= n) {
                self.fates.fault(format!("stage {}, key {key}: {n} behind {last:?}", self.stage));
            }
        }
    }

    pub(crate) fn lose(&self, reason: LossReason) {
        self.tell();
        *self.fates.lost.lock().entry(reason.as_str()).or_default() += 1;
    }

    fn tell(&self) {
        if self.told.fetch_add(1, SeqCst) > 0 {
            self.fates.fault(format!("an event of stage {} was told twice", self.stage));
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        let turned_away = || self.door.as_ref().is_some_and(|door| door.turn_away());
        if self.told.load(SeqCst) == 0 && !turned_away() {
            self.fates.fault(format!("an event of stage {} was told nothing", self.stage));
        }
        self.fates.alive.fetch_sub(1, SeqCst);
    }
}
