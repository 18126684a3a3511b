//! Reserved places in a stage's queue, with the budget to fill them: what every send stands on.

use crate::control::Arrival;
use crate::event::{Envelope, EventMeta};
use crate::refusal::{Refusal, RefusalReason, Refused};
use crate::stage::StageCore;
use crate::sync::Arc;
use std::fmt;

/// Places reserved in one stage's queue. While they are held, a send into them cannot be
/// refused. Places that were not used are given back on drop.
///
/// Reserving first and making the event afterwards saves the work for an event that would be
/// refused; reserving from several stages before sending to any makes a send over several sinks
/// all or none.
#[must_use = "dropping the permits gives the places back"]
pub struct Permits<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    edge: usize,
    meta: EventMeta,
    left: usize,
}

impl<E: Send + 'static> Permits<E> {
    /// Reserves `n` places.
    pub(crate) fn reserve(
        stage: &Arc<StageCore<E>>,
        edge: usize,
        n: usize,
        meta: EventMeta,
        fan_out: bool,
    ) -> Result<Self, RefusalReason> {
        stage.reserve(n, n)?;
        let arrival = Arrival { stage: stage.index, class: meta.class, fan_out };
        if !stage.graph.budget.charge(n) && !stage.graph.make_room(n, arrival) {
            stage.put_back(n);
            return Err(RefusalReason::Budget);
        }
        Ok(Self { stage: Arc::clone(stage), edge, meta, left: n })
    }

    /// How many places are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Sends into a reserved place; it is taken at once and stays taken.
    ///
    /// # Errors
    /// Only when no place is left: the event comes back with [`RefusalReason::TooLarge`].
    pub fn send(&mut self, event: E) -> Result<(), Refused<E>> {
        if self.left == 0 {
            let refusal = Refusal::new(Arc::clone(&self.stage.name), RefusalReason::TooLarge);
            return Err(Refused::new(event, refusal));
        }
        self.left -= 1;
        let now = self.stage.graph.now();
        let envelope = Envelope { event, meta: self.meta.clone(), enqueued: now };
        self.stage.publish_one(envelope, self.edge, now);
        Ok(())
    }

    /// Sends as many of `events` as there are places, in one go, and returns how many that was.
    pub fn send_all(&mut self, events: impl IntoIterator<Item = E>) -> usize {
        let (now, meta, before) = (self.stage.graph.now(), &self.meta, self.left);
        let left = &mut self.left;
        let places = events.into_iter().take(before).map(|event| {
            *left -= 1;
            Envelope { event, meta: meta.clone(), enqueued: now }
        });
        self.stage.publish(&mut places.collect(), self.edge, (0, 0), now);
        self.stage.wake();
        before - self.left
    }

    pub(crate) fn meta_mut(&mut self) -> &mut EventMeta {
        &mut self.meta
    }
}

impl<E: Send + 'static> Drop for Permits<E> {
    fn drop(&mut self) {
        self.stage.unreserve(self.left);
        self.stage.graph.credit(self.left);
    }
}

impl<E: Send + 'static> fmt::Debug for Permits<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("stage", &self.stage.name)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
