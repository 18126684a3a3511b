//! Events that a stage sheds: counted, credited, and their owners told.
//!
//! The owner is told last, by user code inside the panic boundary and outside all locks.

use crate::config::PerClass;
use crate::event::{Envelope, LossReason, with_loss_reason};
use crate::platform::sync::Arc;
use crate::platform::{Time, catch_panic};
use crate::queue::{Evict, Shed, VictimFilter};
use crate::stage::any::{Drainable, Evictable, Expiring, Observed, QueueView, Worked};
use crate::stage::core::StageCore;

/// The events that are looked at for expired ones under one lock: 12 to 60 us.
const EXPIRY_PART: usize = 4_096;

impl<E: Send + 'static> StageCore<E> {
    /// Returns the bytes to be credited for shed events.
    pub(super) fn weight_of(&self, shed: &[Shed<E>]) -> u64 {
        if !self.weighs() {
            return 0;
        }
        shed.iter().map(|(envelope, _)| envelope.meta.weight.bytes()).sum()
    }

    /// Sheds an event that was taken and not begun.
    pub(crate) fn shed_in_hand(&self, envelope: Envelope<E>, reason: LossReason, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.shed_in_hand(&envelope.meta, reason, now);
        self.show_present(&lanes);
        drop(lanes);
        self.credit_and_notify(vec![(envelope, reason)]);
    }

    /// Sheds every queued event; returns how many.
    pub(super) fn shed_queued(&self, reason: LossReason) -> usize {
        let now = self.graph.now();
        let mut shed = Vec::new();
        let mut lanes = self.lanes.lock();
        lanes.shed_all(reason, now, &mut shed);
        self.show(&lanes);
        drop(lanes);
        self.credit_and_notify(shed)
    }

    /// Credits shed events and tells their owners; returns how many they are.
    fn credit_and_notify(&self, shed: Vec<Shed<E>>) -> usize {
        let n = shed.len();
        self.graph.credit_weighed(n, self.weight_of(&shed));
        self.notify_loss(shed);
        n
    }

    /// Tells the owners of shed events.
    pub(crate) fn notify_loss(&self, shed: Vec<Shed<E>>) {
        for (Envelope { event, meta, .. }, reason) in shed {
            let notified = catch_panic(|| {
                with_loss_reason(reason, || match self.on_lost.get() {
                    Some(on_lost) => on_lost(event, reason),
                    None => drop(event),
                });
            });
            if notified.is_none() {
                tracing::error!(stage = %self.name, %reason, "an `on_lost` or a `Drop` panicked");
            }
            drop(meta);
        }
    }
}

impl<E: Send + 'static> Evictable for StageCore<E> {
    fn eligible(&self, victims: VictimFilter) -> QueueView {
        let lanes = self.lanes.lock();
        QueueView { depth: lanes.depth(), eligible: lanes.eligible(victims) }
    }

    fn eligible_bytes(&self, victims: VictimFilter) -> u64 {
        if self.weighs() { self.lanes.lock().eligible_bytes(victims) } else { 0 }
    }

    fn evict_by_class(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> PerClass<usize> {
        let mut shed = Vec::with_capacity(most);
        let mut lanes = self.lanes.lock();
        lanes.evict(victims, order, most, now, &mut shed);
        self.show(&lanes);
        drop(lanes);
        let mut evicted = PerClass::default();
        for (envelope, _) in &shed {
            evicted[envelope.meta.class] += 1;
        }
        if !shed.is_empty() {
            self.graph.bytes.credit(self.weight_of(&shed));
            let graph = Arc::clone(&self.graph);
            graph.loss_notifier.deliver_notices(Box::new(move || self.notify_loss(shed)));
        }
        evicted
    }
}

impl<E: Send + 'static> Expiring for StageCore<E> {
    fn shed_expired(self: Arc<Self>, most: usize, now: Time) {
        if self.depth_hint() == 0 || !self.graph.loss_notifier.has_room_for_many() {
            return;
        }
        let mut looked = 0;
        let mut shed = Vec::new();
        while looked < most {
            let mut lanes = self.lanes.lock();
            let part = lanes.shed_expired(EXPIRY_PART.min(most - looked), now, &mut shed);
            self.show(&lanes);
            drop(lanes);
            looked += part.events;
            if part.is_over {
                break;
            }
        }
        if !shed.is_empty() {
            self.graph.credit_weighed(shed.len(), self.weight_of(&shed));
            let graph = Arc::clone(&self.graph);
            graph.loss_notifier.deliver_notices(Box::new(move || self.notify_loss(shed)));
        }
    }
}

impl<E: Send + 'static> Drainable for StageCore<E> {
    fn close(&self) {
        self.lanes.lock().set_open(false);
        self.graph.space.announce();
    }

    fn next_timer(&self) -> Time {
        self.next_due()
    }

    fn cancel_timers(&self) -> usize {
        let cancelled = self.timers.close();
        if cancelled.is_empty() {
            return 0;
        }
        let mut lanes = self.lanes.lock();
        cancelled.iter().for_each(|one| lanes.cancel(&one.meta, LossReason::Cancelled));
        drop(lanes);
        let shed = cancelled.into_iter().map(|one| (one, LossReason::Cancelled)).collect();
        self.credit_and_notify(shed)
    }

    fn shed_all(&self, reason: LossReason) -> usize {
        self.shed_queued(reason)
    }
}
