//! Reserved places in a stage's queue, with the budget to fill them: what every send stands on.

use crate::event::{Envelope, EventMeta, Label, Refusal, RefusalReason, Refused, give_up};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::stage::StageCore;
use crate::stage::valve::Incoming;
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
    /// Reserved by a handler, and not at an entry.
    fan_out: bool,
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
        stage.reserve_for(&meta, n)?;
        Self::within_budget(stage, edge, n, meta, fan_out)
    }

    /// Reserves a place for a request that has passed the stage's gate, and is not made yet.
    pub(crate) fn reserve_counted(
        stage: &Arc<StageCore<E>>,
        edge: usize,
        meta: EventMeta,
    ) -> Result<Self, RefusalReason> {
        stage.reserve_counted(1)?;
        Self::within_budget(stage, edge, 1, meta, false)
    }

    /// `n` places are reserved; if the graph's budget is used up, others have to make room.
    fn within_budget(
        stage: &Arc<StageCore<E>>,
        edge: usize,
        n: usize,
        meta: EventMeta,
        fan_out: bool,
    ) -> Result<Self, RefusalReason> {
        let arrival = Incoming { stage: stage.index, class: meta.class, fan_out };
        if !stage.graph.budget.charge(n) && !stage.graph.make_room(n, arrival) {
            stage.put_back(n);
            return Err(RefusalReason::Budget);
        }
        Ok(Self { stage: Arc::clone(stage), edge, meta, left: n, fan_out })
    }

    /// How many places are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Sends into a reserved place; it is taken at once and stays taken.
    ///
    /// # Errors
    /// The event comes back with [`RefusalReason::TooLarge`] when no place is left. A stage that
    /// weighs its events refuses one that its graph has no bytes for: how heavy it is could not
    /// be known when its place was reserved, and the place stays reserved.
    pub fn send(&mut self, event: E) -> Result<(), Refused<E>> {
        if self.left == 0 {
            let refusal = Refusal::new(Arc::clone(&self.stage.name), RefusalReason::TooLarge);
            return Err(Refused::new(event, refusal));
        }
        match self.stage.charge_event(&event, self.meta.class, self.fan_out) {
            Ok(label) => {
                self.left -= 1;
                let now = self.stage.graph.now();
                let meta = self.meta.clone().labelled(label);
                self.stage.publish_one(Envelope { event, meta, enqueued: now }, self.edge, now);
                Ok(())
            }
            Err(reason) => {
                let refusal = self.stage.refuse(self.meta.class, self.edge, reason, 1);
                Err(Refused::new(event, refusal))
            }
        }
    }

    /// Sends as many of `events` as there are places, in one go, and returns how many that was.
    /// An event that [`Permits::send`] would refuse is dropped for that reason, with what follows.
    pub fn send_all(&mut self, events: impl IntoIterator<Item = E>) -> usize {
        let now = self.stage.graph.now();
        let mut places = Vec::new();
        for event in events.into_iter().take(self.left) {
            match self.stage.charge_event(&event, self.meta.class, self.fan_out) {
                Ok(label) => {
                    let meta = self.meta.clone().labelled(label);
                    places.push(Envelope { event, meta, enqueued: now });
                }
                Err(reason) => {
                    let refusal = self.stage.refuse(self.meta.class, self.edge, reason, 1);
                    give_up(Refused::new(event, refusal));
                    break;
                }
            }
        }
        self.publish(places, now)
    }

    /// Asks all of `events` what the stage wants to know, or none.
    pub(crate) fn check_all_in(&self, events: &[E]) -> Result<Vec<Label>, RefusalReason> {
        self.stage.check_all_in(events, self.meta.class, self.fan_out)
    }

    /// Sends events that were checked in: at most as many as there are places.
    pub(crate) fn send_checked_in(&mut self, events: Vec<E>, labels: Vec<Label>) {
        let now = self.stage.graph.now();
        let mut labels = labels.into_iter();
        let places = events.into_iter().map(|event| {
            let meta = self.meta.clone().labelled(labels.next().unwrap_or_default());
            Envelope { event, meta, enqueued: now }
        });
        let places = places.collect();
        self.publish(places, now);
    }

    fn publish(&mut self, mut places: Vec<Envelope<E>>, now: Time) -> usize {
        let sent = places.len();
        self.left = self.left.saturating_sub(sent);
        self.stage.publish(&mut places, self.edge, (0, 0), now);
        self.stage.wake();
        sent
    }

    /// Gives the places back that an attempt held until it failed: nobody needs to hear of it.
    pub(crate) fn put_back(mut self) {
        self.stage.put_back(self.left);
        self.stage.graph.budget.credit(std::mem::take(&mut self.left));
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
