//! What all workers of a stage share beside its queue: its settings, and how many run it.

use crate::platform::sync::{AtomicU32, AtomicUsize, Ordering};

/// What all workers of a stage share beside its queue.
#[derive(Debug)]
pub(crate) struct StageSlots {
    /// The most events taken at once: by the setting, and within it by the controller.
    pub(crate) batch: AtomicUsize,
    pub(crate) size: AtomicUsize,
    /// The most workers that run the stage at once, and how many do.
    pub(crate) cap: AtomicUsize,
    pub(crate) running: AtomicUsize,
    pub(crate) weight: AtomicU32,
    /// How often in a row the factory has failed, over all workers.
    pub(crate) failures: AtomicU32,
}

impl StageSlots {
    pub(crate) fn new(batch: usize, cap: Option<usize>, weight: u32) -> Self {
        Self {
            batch: AtomicUsize::new(batch.max(1)),
            size: AtomicUsize::new(usize::MAX),
            cap: AtomicUsize::new(cap.unwrap_or(usize::MAX)),
            running: AtomicUsize::new(0),
            weight: AtomicU32::new(weight.max(1)),
            failures: AtomicU32::new(0),
        }
    }

    /// Becomes one of the workers that run the stage, if the cap allows. Without a cap nobody
    /// counts: the workers of a pool would hand one cache line around for it, twice a batch. So
    /// those who are inside when the first cap is set are beside it until they leave.
    pub(crate) fn enter(&self) -> Option<SlotGuard> {
        let cap = self.cap.load(Ordering::Relaxed);
        if cap == usize::MAX {
            return Some(SlotGuard { counted: false });
        }
        let enter = |running| (running < cap).then_some(running + 1);
        let entered = self.running.fetch_update(Ordering::AcqRel, Ordering::Relaxed, enter);
        entered.is_ok().then_some(SlotGuard { counted: true })
    }

    /// Whoever was counted on the way in is counted on the way out, whatever the cap is now.
    pub(crate) fn leave(&self, inside: SlotGuard) {
        if inside.counted {
            self.running.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// The most events that are taken at once now.
    pub(crate) fn batch_limit(&self) -> usize {
        self.batch.load(Ordering::Relaxed).min(self.size.load(Ordering::Relaxed))
    }

    pub(crate) fn has_room(&self) -> bool {
        self.running.load(Ordering::Relaxed) < self.cap.load(Ordering::Relaxed)
    }
}

/// A worker runs the stage.
#[derive(Debug)]
#[must_use = "who enters must leave"]
pub(crate) struct SlotGuard {
    counted: bool,
}
