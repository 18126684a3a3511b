//! The settings of a stage: applied by one function, at the start and while the graph runs.

use crate::config::StageSettings;
use crate::platform::sync::{Arc, Ordering};
use crate::pool::{PoolCore, StageSlots};
use crate::stage::any::{Configurable, Observed};
use crate::stage::core::{OnLost, StageCore};
use std::time::Duration;

impl<E: Send + 'static> StageCore<E> {
    /// Makes the stage keyed; false if it was already.
    pub(crate) fn set_keyed(&self, shard: Box<dyn Fn(&E) -> u8 + Send + Sync>) -> bool {
        self.lanes.lock().set_keyed();
        self.extractors.set_shard(shard)
    }

    /// Makes the stage weigh its events; false if it did already.
    pub(crate) fn set_weighing(&self, bytes: Box<dyn Fn(&E) -> usize + Send + Sync>) -> bool {
        self.lanes.lock().set_weighing();
        self.extractors.set_bytes(bytes)
    }

    /// Sets the function that is told of lost events; false if there was one already.
    pub(crate) fn set_on_lost(&self, on_lost: OnLost<E>) -> bool {
        self.on_lost.set(on_lost).is_ok()
    }

    fn set_capacity(&self, capacity: usize) {
        self.lanes.lock().set_capacity(capacity);
        self.graph.space.announce();
    }
}

impl<E: Send + 'static> Configurable for StageCore<E> {
    fn set_pool(&self, pool: Arc<PoolCore>) {
        let set = self.pool.set(pool);
        debug_assert!(set.is_ok(), "one pool runs a stage");
    }

    fn set_classes(&self, weights: &[u32]) {
        self.lanes.lock().set_classes(weights);
    }

    fn set_shares(&self, weights: &[u32]) {
        self.lanes.lock().set_shares(weights);
    }

    fn add_edge(&self) -> usize {
        self.lanes.lock().ledger_mut().add_edge()
    }

    fn open(&self) {
        self.lanes.lock().set_open(true);
    }

    fn apply(&self, slots: &StageSlots, settings: &StageSettings, before: Option<&StageSettings>) {
        if before.is_none_or(|before| before.capacity != settings.capacity) {
            self.set_capacity(settings.capacity);
        }
        if before.is_none_or(|before| before.soft != settings.soft) {
            self.set_soft(settings.soft.unwrap_or(usize::MAX));
        }
        if before.is_none_or(|before| before.batch != settings.batch) {
            slots.batch.store(settings.batch.max(1), Ordering::Relaxed);
        }
        if before.is_none_or(|before| before.weight != settings.weight) {
            slots.weight.store(settings.weight.max(1), Ordering::Relaxed);
        }
        if before.is_none_or(|before| before.cap != settings.cap) {
            slots.cap.store(settings.cap.unwrap_or(usize::MAX), Ordering::Relaxed);
        }
        if before.is_none_or(|before| before.pending != settings.pending) {
            self.pending.set_limit(settings.pending);
        }
        // A new range may mean another remote side, so the number found for the old one is void.
        if before.is_none_or(|before| {
            before.outstanding != settings.outstanding || before.pending != settings.pending
        }) {
            self.set_outside_limit(settings.outstanding.unwrap_or(usize::MAX));
        }
        if before.is_none_or(|before| before.rate != settings.rate) {
            self.lanes.lock().set_rate(settings.rate, self.graph.now());
            self.graph.space.announce();
        }
        if before.is_none_or(|before| before.aqm != settings.aqm) {
            self.lanes.lock().aqm.set(&settings.aqm);
        }
    }

    fn set_soft(&self, soft: usize) {
        self.lanes.lock().set_soft(soft);
        self.graph.space.announce();
    }

    fn set_lead(&self, lead: Duration) {
        self.lanes.lock().set_lead(lead);
    }

    fn set_outside_limit(&self, limit: usize) {
        let before = self.pending.set_outside_limit(limit);
        if before < limit && self.depth_hint() > 0 {
            self.wake();
        }
    }
}
