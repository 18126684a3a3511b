//! The state that all workers of a stage share beside its queue: batch size, cap and weight.

use crate::platform::sync::{AtomicU32, AtomicUsize, Ordering};

/// The number of a stage's first services whose end asks for a tick before its time: enough for a
/// mean within a factor of two, also of exponential services.
const FIRST_SERVICES: usize = 4;

/// The slots in which workers run one stage, and the settings that they read per batch.
#[derive(Debug)]
pub(crate) struct StageSlots {
    /// Events per batch at most, as configured.
    pub(crate) batch: AtomicUsize,
    /// Events per batch at most, as set by the batch-size controller.
    pub(crate) size: AtomicUsize,
    /// Workers that may run the stage at once; `usize::MAX` without a cap.
    pub(crate) cap: AtomicUsize,
    /// Workers that run the stage now. Counted only under a cap.
    pub(crate) running: AtomicUsize,
    /// Share of the workers' time, relative to the pool's other stages; at least 1.
    pub(crate) weight: AtomicU32,
    /// Consecutive failures of the handler's factory, over all workers.
    pub(crate) failures: AtomicU32,
    /// How many of the first services have not ended yet.
    first_services: AtomicUsize,
}

impl StageSlots {
    /// Returns free slots; a `cap` of `None` is no cap.
    pub(crate) fn new(batch: usize, cap: Option<usize>, weight: u32) -> Self {
        Self {
            batch: AtomicUsize::new(batch.max(1)),
            size: AtomicUsize::new(usize::MAX),
            cap: AtomicUsize::new(cap.unwrap_or(usize::MAX)),
            running: AtomicUsize::new(0),
            weight: AtomicU32::new(weight.max(1)),
            failures: AtomicU32::new(0),
            first_services: AtomicUsize::new(FIRST_SERVICES),
        }
    }

    /// Takes a slot for one batch; `None` if the cap is reached.
    ///
    /// Without a cap, slots are not counted: the count would move one cache line between all
    /// workers twice a batch. Workers inside when the first cap is set are therefore not counted.
    pub(crate) fn enter(&self) -> Option<SlotGuard> {
        let cap = self.cap.load(Ordering::Relaxed);
        if cap == usize::MAX {
            return Some(SlotGuard { counted: false });
        }
        let entered = self.running.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |running| {
            (running < cap).then_some(running + 1)
        });
        entered.is_ok().then_some(SlotGuard { counted: true })
    }

    /// Releases the slot if `enter` counted it, even if the cap has changed since.
    pub(crate) fn leave(&self, slot: SlotGuard) {
        if slot.counted {
            let before = self.running.fetch_sub(1, Ordering::AcqRel);
            debug_assert!(before > 0, "a slot was released twice");
        }
    }

    /// Counts ended services; returns true once, when the first services of the stage have ended.
    pub(crate) fn ends_first_services(&self, ended: usize) -> bool {
        // After the first services this is a load of an unchanging value.
        if ended == 0 || self.first_services.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let counted = |left: usize| (left > 0).then(|| left.saturating_sub(ended));
        let before =
            self.first_services.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
        before.is_ok_and(|left| left <= ended)
    }

    /// Returns the largest batch that a worker may take now, in events.
    pub(crate) fn batch_limit(&self) -> usize {
        self.batch.load(Ordering::Relaxed).min(self.size.load(Ordering::Relaxed))
    }

    /// True if a slot is free. A hint: another worker may take it first.
    pub(crate) fn has_room(&self) -> bool {
        self.running.load(Ordering::Relaxed) < self.cap.load(Ordering::Relaxed)
    }
}

/// A slot in which a worker runs the stage; given back with [`StageSlots::leave`].
#[derive(Debug)]
#[must_use = "a slot that is entered must be left"]
pub(crate) struct SlotGuard {
    counted: bool,
}
