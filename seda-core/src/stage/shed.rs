//! Events that are given up: credited, counted, their owners told.

use crate::event::{Envelope, LossReason, with_loss_reason};
use crate::platform::{Time, catch_panic};
use crate::queue::Shed;
use crate::stage::any::AnyStage;
use crate::stage::core::StageCore;

impl<E: Send + 'static> StageCore<E> {
    /// The bytes that have to be credited for events that were given up.
    pub(super) fn weight_of(&self, given_up: &[Shed<E>]) -> u64 {
        if !self.weighs() {
            return 0;
        }
        given_up.iter().map(|(envelope, _)| envelope.meta.weight.bytes()).sum()
    }

    /// An event in hand is given up before it was begun; it is credited, and its owner told.
    pub(crate) fn shed_in_hand(&self, envelope: Envelope<E>, reason: LossReason, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.shed_in_hand(&envelope.meta, reason, now);
        self.show_present(&lanes);
        drop(lanes);
        let given_up = vec![(envelope, reason)];
        self.graph.credit_weighed(1, self.weight_of(&given_up));
        self.notify_loss(given_up);
    }

    /// Gives up everything that is queued, credits it and tells the owners; returns how many.
    pub(super) fn shed_queued(&self, reason: LossReason) -> usize {
        let now = self.graph.now();
        let mut given_up = Vec::new();
        let mut lanes = self.lanes.lock();
        lanes.shed_all(reason, now, &mut given_up);
        self.show(&lanes);
        drop(lanes);
        let n = given_up.len();
        self.graph.credit_weighed(n, self.weight_of(&given_up));
        self.notify_loss(given_up);
        n
    }

    /// Tells the owners of events that were given up, with user code inside the panic boundary
    /// and outside all locks.
    pub(crate) fn notify_loss(&self, given_up: Vec<Shed<E>>) {
        for (Envelope { event, meta, .. }, reason) in given_up {
            let told = catch_panic(|| {
                with_loss_reason(reason, || match self.on_lost.get() {
                    Some(on_lost) => on_lost(event, reason),
                    None => drop(event),
                });
            });
            if told.is_none() {
                tracing::error!(stage = %self.name, %reason, "telling an event's owner panicked");
            }
            drop(meta);
        }
    }
}
