//! Events that are sent for later, between their timers and the lanes.

use crate::event::{Envelope, LossReason};
use crate::platform::Time;
use crate::stage::core::StageCore;

impl<E: Send + 'static> StageCore<E> {
    /// Takes an event into a place that was reserved for it, to be queued at `due`.
    ///
    /// # Errors
    /// The event, if the graph takes no more such events; the place is still the caller's.
    pub(crate) fn send_later(
        &self,
        envelope: Envelope<E>,
        edge: usize,
        due: Time,
    ) -> Result<(), Envelope<E>> {
        let accept = |envelope: &Envelope<E>| {
            self.lanes.lock().accept_timed(&envelope.meta, edge);
        };
        // Whoever is parked has to park for less long.
        if self.timers.add(envelope, due, accept)? {
            self.wake();
        }
        Ok(())
    }

    /// When the earliest event that was sent for later is due.
    #[inline]
    pub(crate) fn next_due(&self) -> Time {
        self.timers.next()
    }

    /// Queues what is due.
    pub(super) fn fire_due(&self, now: Time) {
        if self.next_due() > now {
            return;
        }
        let due = self.timers.take_due(now);
        let mut lanes = self.lanes.lock();
        lanes.fire(due.into_iter(), now);
        self.show(&lanes);
    }

    /// Gives up what was to be sent later, and takes no more of it; returns how many.
    pub(super) fn cancel_all(&self) -> usize {
        let cancelled = self.timers.close();
        let n = cancelled.len();
        if n == 0 {
            return 0;
        }
        let mut lanes = self.lanes.lock();
        cancelled.iter().for_each(|one| lanes.cancel(&one.meta, LossReason::Cancelled));
        drop(lanes);
        let given_up: Vec<_> =
            cancelled.into_iter().map(|one| (one, LossReason::Cancelled)).collect();
        self.graph.credit_weighed(n, self.weight_of(&given_up));
        self.notify_loss(given_up);
        n
    }
}
