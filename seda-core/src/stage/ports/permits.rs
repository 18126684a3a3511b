//! Reserved places in a stage's queue, with the budget to fill them. Every send builds on them.

use crate::event::{Envelope, EventMeta, Label, Refusal, RefusalReason, Refused, give_up};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::stage::StageCore;
use std::fmt;

/// Places reserved in one stage's queue. While they are held, a send into them is not refused.
/// Unused places are returned on drop.
///
/// Reserve a place before you make the event, to save the work on an event that would be refused.
/// Reserve places at several stages before you send to any, to make the sends all or none.
///
/// ```
/// use seda_core::{Graph, ManualClock};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("pairs");
/// let keep = graph.stage::<u32>("keep", 2);
/// graph.attach_each(keep, |_wire| |_number, _cx| {})?;
/// let source = graph.source(keep)?;
/// let _graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// let mut permits = source.reserve(2)?;
/// assert!(source.send(9).is_err(), "both places are reserved");
/// permits.send(1)?;
/// assert_eq!(permits.left(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping the permits returns their places"]
pub struct Permits<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    edge: usize,
    meta: EventMeta,
    left: usize,
    /// True if a handler reserved them, false at an entry.
    fan_out: bool,
}

impl<E: Send + 'static> Permits<E> {
    /// Reserves `n` places and charges the budget for them.
    pub(crate) fn reserve(
        stage: &Arc<StageCore<E>>,
        edge: usize,
        n: usize,
        meta: EventMeta,
        fan_out: bool,
    ) -> Result<Self, RefusalReason> {
        stage.reserve_charged(meta.class, n, fan_out)?;
        Ok(Self { stage: Arc::clone(stage), edge, meta, left: n, fan_out })
    }

    /// Returns the number of places left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Sends an event into a reserved place. It is accepted at once, and the answer is final.
    ///
    /// # Errors
    /// The event, with [`RefusalReason::TooLarge`] when no place is left. A stage that weighs its
    /// events refuses one that exceeds the free byte budget, because its weight was not known when
    /// the place was reserved; the place stays reserved.
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

    /// Sends as many of `events` as there are places, at once; returns how many. At the first
    /// event that [`Permits::send`] would refuse it stops: that event counts as refused and is
    /// dropped with all that follow.
    pub fn send_all(&mut self, events: impl IntoIterator<Item = E>) -> usize {
        let now = self.stage.graph.now();
        let mut envelopes = Vec::new();
        for event in events.into_iter().take(self.left) {
            match self.stage.charge_event(&event, self.meta.class, self.fan_out) {
                Ok(label) => {
                    let meta = self.meta.clone().labelled(label);
                    envelopes.push(Envelope { event, meta, enqueued: now });
                }
                Err(reason) => {
                    let refusal = self.stage.refuse(self.meta.class, self.edge, reason, 1);
                    give_up(Refused::new(event, refusal));
                    break;
                }
            }
        }
        self.publish(envelopes, now)
    }

    /// Charges the bytes of all events, or of none.
    pub(super) fn charge_events(&self, events: &[E]) -> Result<Vec<Label>, RefusalReason> {
        self.stage.charge_events(events, self.meta.class, self.fan_out)
    }

    /// Sends charged events, at most as many as there are places.
    pub(super) fn send_charged(&mut self, events: Vec<E>, labels: Vec<Label>) {
        let now = self.stage.graph.now();
        // Without extractors there are no labels, and each event has the default one.
        let mut labels = labels.into_iter();
        let mut envelopes = Vec::with_capacity(events.len());
        for event in events {
            let meta = self.meta.clone().labelled(labels.next().unwrap_or_default());
            envelopes.push(Envelope { event, meta, enqueued: now });
        }
        self.publish(envelopes, now);
    }

    fn publish(&mut self, mut envelopes: Vec<Envelope<E>>, now: Time) -> usize {
        let sent = envelopes.len();
        debug_assert!(sent <= self.left, "{sent} events for {} reserved places", self.left);
        self.left = self.left.saturating_sub(sent);
        self.stage.publish(&mut envelopes, self.edge, (0, 0), now);
        self.stage.wake();
        sent
    }

    /// Returns the places of a failed attempt, without an announcement: see `StageCore::put_back`.
    pub(super) fn put_back(mut self) {
        self.stage.put_back(self.left);
        self.stage.graph.budget.credit(std::mem::take(&mut self.left));
    }

    pub(super) fn meta_mut(&mut self) -> &mut EventMeta {
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
