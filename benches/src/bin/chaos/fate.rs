//! The fate of every event, recorded by the events themselves.

use benches::rng::Rng;
use parking_lot::Mutex;
use seda_core::{LossReason, Responder, Sink};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::SeqCst};

/// The counts of one generation, and its first fault.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) begun: AtomicU64,
    pub(crate) lost: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) alive: AtomicI64,
    pub(crate) fault: Mutex<Option<String>>,
    /// The number of the last event begun, by stage, sender and key, for events with an order.
    last: Mutex<HashMap<(usize, usize, u8), u64>>,
}

impl Fates {
    /// Records a fault; only the first one is kept.
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
    pub(crate) panics: PanicOnDrop,
}

impl Job {
    pub(crate) fn new(fates: &Arc<Fates>, stage: usize, hops: u8, seed: u64) -> Self {
        fates.alive.fetch_add(1, SeqCst);
        let fates = Arc::clone(fates);
        let fate = Fate { fates, stage, order: None, settled: AtomicU8::new(0), entry: None };
        Self { hops, seed, reply: None, fate, panics: PanicOnDrop(seed % 64 == 9) }
    }

    pub(crate) fn key(&self) -> u8 {
        Rng(self.seed ^ 2).panic_one_in(200);
        self.sound_key()
    }

    fn sound_key(&self) -> u8 {
        (self.seed >> 8) as u8 % 16
    }

    pub(crate) fn weight(&self) -> usize {
        Rng(self.seed ^ 3).panic_one_in(200);
        (self.seed >> 16) as usize % 5_000
    }

    /// Makes the event the `n`-th that `sender` sends to its keyed stage.
    pub(crate) fn ordered(mut self, sender: usize, n: u64) -> Self {
        let has_key = !Rng(self.seed ^ 2).one_in(200);
        self.fate.order = has_key.then(|| (sender, self.sound_key(), n));
        self
    }

    /// Lets the event come in with a request. It is dropped at the entry if it is too heavy.
    pub(crate) fn through(mut self, entry: &Arc<RequestEntry>) -> Self {
        self.fate.entry = Some(Arc::clone(entry));
        self
    }

    /// Drops an event that was refused or never offered, without its panic.
    pub(crate) fn discard(mut self) {
        self.panics.0 = false;
        self.fate.settle();
    }
}

/// A way out of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    /// The index of the target stage.
    pub(crate) to: usize,
    pub(crate) sink: Sink<Job>,
}

/// Panics when it is dropped, if it holds true and the thread is not panicking already.
#[derive(Debug)]
pub(crate) struct PanicOnDrop(pub(crate) bool);

impl Drop for PanicOnDrop {
    #[expect(clippy::panic, reason = "events that panic when they are dropped are tested")]
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            std::panic::panic_any(benches::rng::ON_PURPOSE);
        }
    }
}

/// The entry of one request's event.
///
/// States: 0 while the request is made, `REFUSED` once the event was dropped at the entry, `CLOSED`
/// once the request was made.
#[derive(Debug, Default)]
pub(crate) struct RequestEntry(AtomicU8);

impl RequestEntry {
    const REFUSED: u8 = 1;
    const CLOSED: u8 = 2;

    /// Closes the entry; returns true if the event was refused.
    pub(crate) fn close(&self) -> bool {
        self.0.swap(Self::CLOSED, SeqCst) == Self::REFUSED
    }

    fn refuse(&self) -> bool {
        self.0.compare_exchange(0, Self::REFUSED, SeqCst, SeqCst).is_ok()
    }
}

/// Settled exactly once: begun, lost, or given back.
#[derive(Debug)]
pub(crate) struct Fate {
    fates: Arc<Fates>,
    stage: usize,
    order: Option<(usize, u8, u64)>,
    settled: AtomicU8,
    entry: Option<Arc<RequestEntry>>,
}

impl Fate {
    pub(crate) fn begin(&self) {
        self.settle();
        self.fates.begun.fetch_add(1, SeqCst);
        if let Some((sender, key, n)) = self.order {
            let last = self.fates.last.lock().insert((self.stage, sender, key), n);
            if last.is_some_and(|last| last >= n) {
                self.fates.fault(format!("stage {}, key {key}: {n} after {last:?}", self.stage));
            }
        }
    }

    pub(crate) fn lose(&self, reason: LossReason) {
        self.settle();
        *self.fates.lost.lock().entry(reason.as_str()).or_default() += 1;
    }

    fn settle(&self) {
        if self.settled.fetch_add(1, SeqCst) > 0 {
            self.fates.fault(format!("an event of stage {} was settled twice", self.stage));
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        let settled = self.settled.load(SeqCst) > 0
            || self.entry.as_ref().is_some_and(|entry| entry.refuse());
        if !settled {
            self.fates.fault(format!("an event of stage {} was never settled", self.stage));
        }
        self.fates.alive.fetch_sub(1, SeqCst);
    }
}
