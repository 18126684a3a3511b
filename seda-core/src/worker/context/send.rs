//! The sends of a handler.
//!
//! A send first secures: a leased place at the target, budget for one more event unless an ended
//! event left its own, and the bytes of a weighed event. Then it puts the event into the outbox of
//! its edge, which cannot fail. The outbox is published with the batch.

use crate::event::{Envelope, EventMeta, Label, Refusal, RefusalReason, Refused};
use crate::platform::Deadline;
use crate::platform::sync::Arc;
use crate::stage::ports::{AnyOutbox, Outbox, Permits, Sink, WaitingSink};
use crate::worker::context::{Context, target};
use std::time::Duration;

/// The places that a send secures.
#[derive(Clone, Copy, Debug)]
struct Places {
    /// Places at the target, each with its budget.
    n: usize,
    /// Further places of the budget that other events need.
    set_aside: usize,
}

impl Context {
    /// Sends an event. Never blocks, and the answer is final: an accepted event has its place. It
    /// is published when the batch ends, or between two events once 100 µs have passed since the
    /// last publication; see [`Context::flush`].
    ///
    /// # Errors
    /// The event and the reason why it was refused.
    pub fn send<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), Refused<E>> {
        // The fast path. A sink to replicas has no outbox, so it always fails here.
        let event = match self.send_leased(sink, event) {
            Ok(()) => return Ok(()),
            Err(event) => event,
        };
        let sink = self.target(sink, 1);
        match self.secure_for(sink, &event, self.ahead + 1, Places { n: 1, set_aside: 0 }) {
            Ok(label) => {
                self.push(sink, event, label);
                Ok(())
            }
            Err(reason) => Err(Refused::new(event, self.refuse(sink, reason, 1))),
        }
    }

    /// Sends an event that is queued at its target after `delay`. If the graph begins to drain
    /// before that, the event is cancelled ([`LossReason::Cancelled`]) and its owner is notified.
    ///
    /// The answer is final: from now on the event has its place in the target's queue and in the
    /// budget, and counts there as pending. The delay does not count as waiting time. It needs no
    /// thread: the target's workers check the clock, so the event is late while all of them are
    /// busy.
    ///
    /// [`LossReason::Cancelled`]: crate::LossReason::Cancelled
    ///
    /// # Errors
    /// The event and the reason why it was refused: [`RefusalReason::Expired`] if its deadline
    /// comes before its delay ends, [`RefusalReason::Closed`] in a drain, and the reasons of
    /// [`Context::send`].
    pub fn send_after<E: Send + 'static>(
        &mut self,
        delay: Duration,
        sink: &Sink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        let sink = self.target(sink, 1);
        let due = self.graph.now().after(delay);
        if self.meta.is_expired(due) {
            return Err(Refused::new(event, self.refuse(sink, RefusalReason::Expired, 1)));
        }
        // It counts at its target from now on, so the events in hand need places of their own.
        let unpublished: usize = self.dirty_outboxes().map(AnyOutbox::len).sum();
        let in_hand = self.counted_in_hand().saturating_sub(unpublished);
        let places = Places { n: 1, set_aside: in_hand };
        let label = match self.secure_for(sink, &event, 1, places) {
            Ok(label) => label,
            Err(reason) => return Err(Refused::new(event, self.refuse(sink, reason, 1))),
        };
        let envelope = Envelope { event, meta: self.labelled(label), enqueued: due };
        let edge = target::edge(&self.stage, sink);
        let Err(Envelope { event, .. }) = sink.stage.send_later(envelope, edge, due) else {
            self.spend_credit();
            let outbox = self.outbox(sink);
            debug_assert!(outbox.is_some(), "a place was leased in this outbox");
            outbox.into_iter().for_each(Outbox::pass_on);
            return Ok(());
        };
        sink.stage.refund_event(label);
        Err(Refused::new(event, self.refuse(sink, RefusalReason::Closed, 1)))
    }

    /// Sends an event that inherits from `meta` and not from the event in hand.
    pub(super) fn send_as<E: Send + 'static>(
        &mut self,
        meta: &EventMeta,
        sink: &Sink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        let own = std::mem::replace(&mut self.meta, meta.clone());
        let sent = self.send(sink, event);
        self.meta = own;
        sent
    }

    /// Sends all of `events`, or none; to a single replica, if the sink leads to several.
    ///
    /// # Errors
    /// All of the events and the reason why they were refused.
    pub fn send_all<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        events: Vec<E>,
    ) -> Result<(), Refused<Vec<E>>> {
        let sink = self.target(sink, events.len());
        match self.secure_all(sink, &events) {
            Ok(labels) => {
                // Without extractors there are no labels, and each event has the default one.
                let mut labels = labels.into_iter();
                for event in events {
                    self.push(sink, event, labels.next().unwrap_or_default());
                }
                Ok(())
            }
            Err(reason) => {
                let refusal = self.refuse(sink, reason, events.len());
                Err(Refused::new(events, refusal))
            }
        }
    }

    /// Sends two events over two sinks, both or neither. For more than two, call
    /// [`Context::reserve`] for each stage before sending to any.
    ///
    /// # Errors
    /// Both events, and the refusal of the stage that had no room.
    pub fn send_both<A: Send + 'static, B: Send + 'static>(
        &mut self,
        (first, a): (&Sink<A>, A),
        (second, b): (&Sink<B>, B),
    ) -> Result<(), Refused<(A, B)>> {
        let first = self.target(first, 1);
        let second = self.target_beside(first, second);
        // Over one edge the second secures both places; else the first's budget is set aside.
        let places = if first.outbox == second.outbox {
            Places { n: 2, set_aside: 0 }
        } else {
            Places { n: 1, set_aside: 1 }
        };
        let refusal = match self.secure_for(first, &a, 0, Places { n: 1, set_aside: 0 }) {
            Err(reason) => self.refuse(first, reason, 1),
            Ok(label) => match self.secure_for(second, &b, 0, places) {
                Err(reason) => {
                    first.stage.refund_event(label);
                    self.refuse(second, reason, 1)
                }
                Ok(other) => {
                    self.push(first, a, label);
                    self.push(second, b, other);
                    return Ok(());
                }
            },
        };
        Err(Refused::new((a, b), refusal))
    }

    /// Sends an event and waits for space if need be, up to the sink's limit. In a stepped graph it
    /// does not wait.
    ///
    /// # Errors
    /// The event and the last reason why it was refused.
    pub fn send_waiting<E: Send + 'static>(
        &mut self,
        sink: &WaitingSink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        let deadline = Deadline::after(sink.limit);
        // The target can only make space by handling events that it sees.
        self.flush();
        loop {
            let target = self.target(&sink.sink, 1);
            let places = Places { n: 1, set_aside: 0 };
            let reason = match self.secure_for(target, &event, 1, places) {
                Ok(label) => {
                    self.push(target, event, label);
                    return Ok(());
                }
                Err(reason) => reason,
            };
            let left = deadline.left();
            if left.is_zero() || !reason.is_transient() || self.graph.is_stepped() {
                return Err(Refused::new(event, self.refuse(target, reason, 1)));
            }
            let graph = Arc::clone(&self.graph);
            let began = graph.now();
            let _ = graph.space.wait(left, || {
                let target = self.target(&sink.sink, 1);
                self.secure(target, 1, places)
            });
            self.stats.wait_for_room(graph.now().nanos_since(began));
        }
    }

    /// Reserves `n` places, for use at any time, also after this event has ended; at a single
    /// replica, if the sink leads to several.
    ///
    /// # Errors
    /// The reason why they were refused; counted as `n` refused events.
    pub fn reserve<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        n: usize,
    ) -> Result<Permits<E>, Refusal> {
        if let Err(reason) = self.may_send(sink) {
            return Err(self.refuse(sink, reason, n));
        }
        let (target, reserved) = self.reserve_at(sink, n);
        reserved.map_err(|reason| self.refuse(target, reason, n))
    }

    /// The fast path: a place is leased, and an ended event left its budget.
    fn send_leased<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), E> {
        let own = sink.stage.graph.id == self.graph.id && !self.meta.is_expired(self.now);
        if self.credit == 0 || !own || sink.stage.has_extractors() {
            return Err(event);
        }
        let place = self.outboxes.get_mut(sink.outbox).and_then(Option::as_mut);
        let Some(outbox) = place.and_then(|o| o.as_any_mut().downcast_mut::<Outbox<E>>()) else {
            return Err(event);
        };
        if !outbox.is_leased() || sink.stage.is_closed_for(&self.meta, outbox.len()) {
            return Err(event);
        }
        outbox.push(Envelope { event, meta: self.meta.clone(), enqueued: self.now });
        self.credit -= 1;
        if outbox.is_new() {
            outbox.count_for(target::edge(&self.stage, sink));
            self.dirty.push(sink.outbox);
        }
        Ok(())
    }

    /// Fails if the event in hand must not send at all, before any queue is looked at.
    fn may_send<E: Send + 'static>(&self, sink: &Sink<E>) -> Result<(), RefusalReason> {
        if sink.stage.graph.id != self.graph.id {
            Err(RefusalReason::Closed)
        } else if self.meta.is_expired(self.now) {
            Err(RefusalReason::Expired)
        } else {
            Ok(())
        }
    }

    /// Leases `n` places at `sink`, and up to `ahead` if there are that many.
    pub(super) fn lease<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        n: usize,
        ahead: usize,
    ) -> Result<(), RefusalReason> {
        let unpublished = self.outbox(sink).ok_or(RefusalReason::Closed)?.len();
        if n == 1 && sink.stage.is_closed_for(&self.meta, unpublished) {
            return Err(RefusalReason::Admission);
        }
        self.outbox(sink).ok_or(RefusalReason::Closed)?.lease(n, ahead)
    }

    /// Secures places at `sink` and the budget for them. Leased places stay leased on failure.
    fn secure<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        ahead: usize,
        Places { n, set_aside }: Places,
    ) -> Result<(), RefusalReason> {
        self.may_send(sink)?;
        self.lease(sink, n, ahead)?;
        let due = (n + set_aside).saturating_sub(self.credit);
        if due > 0 {
            sink.stage.charge_or_make_room(due, self.meta.class, true)?;
            self.credit += due;
        }
        Ok(())
    }

    /// As [`Context::secure`]; also charges the bytes of `event` and returns its label.
    fn secure_for<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        event: &E,
        ahead: usize,
        places: Places,
    ) -> Result<Label, RefusalReason> {
        self.secure(sink, ahead, places)?;
        sink.stage.charge_event(event, self.meta.class, true)
    }

    fn secure_all<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        events: &[E],
    ) -> Result<Vec<Label>, RefusalReason> {
        self.secure(sink, 0, Places { n: events.len(), set_aside: 0 })?;
        sink.stage.charge_events(events, self.meta.class, true)
    }

    /// Returns the metadata of an event sent now: inherited, with its own label.
    fn labelled(&self, label: Label) -> EventMeta {
        self.meta.clone().labelled(label)
    }

    /// Puts an event into a secured place.
    fn push<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E, label: Label) {
        let meta = self.labelled(label);
        let enqueued = self.now;
        self.spend_credit();
        let Some(outbox) = self.outbox(sink) else {
            debug_assert!(false, "a place was secured in this outbox");
            return;
        };
        outbox.push(Envelope { event, meta, enqueued });
    }

    /// Passes one secured place of the budget to an event that is sent.
    fn spend_credit(&mut self) {
        debug_assert!(self.credit > 0, "sent without budget");
        self.credit = self.credit.saturating_sub(1);
    }

    /// Returns the outbox of an edge and marks it as dirty; `None` for a sink without an outbox.
    pub(super) fn outbox<E: Send + 'static>(&mut self, sink: &Sink<E>) -> Option<&mut Outbox<E>> {
        let place = self.outboxes.get_mut(sink.outbox)?;
        let pool = &self.pool;
        let outbox = place.get_or_insert_with(|| Box::new(Outbox::new(sink, pool)));
        let outbox = outbox.as_any_mut().downcast_mut::<Outbox<E>>()?;
        if outbox.is_new() {
            outbox.count_for(target::edge(&self.stage, sink));
            self.dirty.push(sink.outbox);
        }
        Some(outbox)
    }

    /// Counts `n` refused events and returns the refusal.
    fn refuse<E: Send + 'static>(
        &self,
        sink: &Sink<E>,
        reason: RefusalReason,
        n: usize,
    ) -> Refusal {
        if let Some(request) = &self.meta.request
            && sink.stage.graph.id == self.graph.id
        {
            request.visit(sink.stage.index);
        }
        sink.stage.refuse(self.meta.class, target::edge(&self.stage, sink), reason, n)
    }
}
