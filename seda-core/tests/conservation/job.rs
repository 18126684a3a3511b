//! An event that knows what became of it.

use crate::support::ON_PURPOSE;
use parking_lot::Mutex;
use seda_core::{LossReason, Responder};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering::SeqCst};

/// How often each fate was told, over all jobs.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    pub(crate) begun: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) lost: Mutex<BTreeMap<String, u64>>,
    /// Jobs that were dropped without a fate, or with two.
    pub(crate) wrong: AtomicU64,
    pub(crate) alive: AtomicI64,
}

/// Told exactly once in its life: begun by a handler, given up, or given back.
#[derive(Debug)]
pub(crate) struct Fate {
    fates: Arc<Fates>,
    told: AtomicU8,
    armed: AtomicBool,
}

impl Fate {
    pub(crate) fn new(fates: &Arc<Fates>) -> Self {
        fates.alive.fetch_add(1, SeqCst);
        Self { fates: Arc::clone(fates), told: AtomicU8::new(0), armed: AtomicBool::new(false) }
    }

    pub(crate) fn begin(&self) {
        self.told.fetch_add(1, SeqCst);
        self.fates.begun.fetch_add(1, SeqCst);
    }

    pub(crate) fn refuse(&self) {
        self.told.fetch_add(1, SeqCst);
        self.fates.refused.fetch_add(1, SeqCst);
    }

    /// Panics when it is dropped.
    pub(crate) fn arm(&self) {
        self.armed.store(true, SeqCst);
    }

    /// Never offered to a stage.
    pub(crate) fn keep(&self) {
        self.told.fetch_add(1, SeqCst);
    }

    pub(crate) fn lose(&self, reason: LossReason) {
        self.told.fetch_add(1, SeqCst);
        *self.fates.lost.lock().entry(reason.to_string()).or_default() += 1;
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        self.fates.alive.fetch_sub(1, SeqCst);
        if self.told.load(SeqCst) != 1 {
            self.fates.wrong.fetch_add(1, SeqCst);
        }
        if self.armed.load(SeqCst) && !std::thread::panicking() {
            std::panic::panic_any(ON_PURPOSE);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Job {
    /// How many more times its descendants are sent on: cycles end.
    pub(crate) hops: u8,
    /// Everything its handler does follows from this.
    pub(crate) seed: u64,
    pub(crate) fate: Fate,
    pub(crate) reply: Option<Responder<u64>>,
}

impl Job {
    pub(crate) fn key(&self) -> u64 {
        self.seed % 5
    }

    /// Now and then more than any budget has. A request's job has none: one that turns out too
    /// heavy would be dropped where nobody could note it (`bytes.rs` has that case).
    pub(crate) fn bytes(&self) -> usize {
        if self.reply.is_some() {
            return 0;
        }
        let mut dice = Dice(self.seed ^ 3);
        if dice.one_in(40) { 1 << 30 } else { dice.below(3_000) as usize }
    }

    /// Its owner hears of its loss, and may panic over it, or over its end.
    pub(crate) fn lose(self, reason: LossReason) {
        self.fate.lose(reason);
        let mut dice = Dice(self.seed ^ 2);
        if dice.one_in(5) {
            std::panic::panic_any(ON_PURPOSE);
        }
        if dice.one_in(5) {
            self.fate.arm();
        }
    }
}

/// Repeatable choices (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
