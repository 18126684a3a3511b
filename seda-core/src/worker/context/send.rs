//! What a handler sends, and how.

use crate::event::{Envelope, EventMeta, Label, Refusal, RefusalReason, Refused};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::stage::ports::{AnyOutbox, Outbox, Permits, Sink, WaitingSink};
use crate::stage::valve::Incoming;
use crate::worker::context::{Context, target};
use std::time::Duration;

impl Context {
    /// Sends an event on. Never blocks, and the answer is final: once taken, the event has its
    /// place. It is made known to the target when this batch ends, or 100 µs after the last
    /// publication, whichever comes first, and between two events only; see [`Context::flush`].
    ///
    /// # Errors
    /// The event and the reason why it was not taken.
    pub fn send<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), Refused<E>> {
        // A sink to replicas has no outbox of its own, so that it is asked for only behind this.
        let event = match self.send_leased(sink, event) {
            Ok(()) => return Ok(()),
            Err(event) => event,
        };
        let sink = self.target(sink, 1);
        match self.secure_for(sink, &event, self.ahead + 1, (1, 0)) {
            Ok(label) => {
                self.push(sink, event, label);
                Ok(())
            }
            Err(reason) => Err(Refused::new(event, self.refuse(sink, reason, 1))),
        }
    }

    /// Sends an event that becomes known to its target after `delay`, if the graph has not begun
    /// to drain by then: then it is cancelled ([`LossReason::Cancelled`]) and its owner told.
    ///
    /// The answer is final here, too: the event has its place in the target's queue and in the
    /// graph's budget from now on, and counts there as pending. The delay is no waiting time. It
    /// costs no thread: the target's workers look at the clock, and it may come later than asked
    /// for by as long as they are all busy.
    ///
    /// [`LossReason::Cancelled`]: crate::event::LossReason::Cancelled
    ///
    /// # Errors
    /// The event and the reason why it was not taken: [`RefusalReason::Expired`] if its deadline
    /// will have passed, [`RefusalReason::Closed`] in a drain.
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
        // It counts at its target from now on, so what counts here needs places of its own.
        let unpublished: usize = self.dirty_outboxes().map(AnyOutbox::len).sum();
        let in_hand = self.counted_in_hand().saturating_sub(unpublished);
        let label = match self.secure_for(sink, &event, 1, (1, in_hand)) {
            Ok(label) => label,
            Err(reason) => return Err(Refused::new(event, self.refuse(sink, reason, 1))),
        };
        let envelope = Envelope { event, meta: self.labelled(label), enqueued: due };
        let edge = target::edge(&self.stage, sink);
        let Err(Envelope { event, .. }) = sink.stage.send_later(envelope, edge, due) else {
            self.credit = self.credit.saturating_sub(1);
            if let Some(outbox) = self.outbox(sink) {
                outbox.pass_on();
            }
            return Ok(());
        };
        sink.stage.refund_event(label);
        Err(Refused::new(event, self.refuse(sink, RefusalReason::Closed, 1)))
    }

    /// Sends an event that inherits from `meta` and not from the event in hand.
    pub(crate) fn send_as<E: Send + 'static>(
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

    /// Sends all of `events`, or none; to one and the same replica, if the sink leads to several.
    ///
    /// # Errors
    /// All of the events and the reason.
    pub fn send_all<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        events: Vec<E>,
    ) -> Result<(), Refused<Vec<E>>> {
        let sink = self.target(sink, events.len());
        match self.secure_all(sink, &events) {
            Ok(labels) => {
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

    /// Sends two events over two sinks, both or neither. For more than two, [`Context::reserve`]
    /// from each stage before sending to any.
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
        // Over one edge the second asks for both places; else the first's budget is promised.
        let places = if first.outbox == second.outbox { (2, 0) } else { (1, 1) };
        let refusal = match self.secure_for(first, &a, 0, (1, 0)) {
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

    /// Sends an event and waits for room if need be, up to the sink's limit.
    ///
    /// # Errors
    /// The event and the last reason.
    pub fn send_waiting<E: Send + 'static>(
        &mut self,
        sink: &WaitingSink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        use crate::platform::{Clock, MonotonicClock};
        let clock = MonotonicClock::new();
        // What was sent so far must be seen, or the target could not make room by working it off.
        self.flush();
        loop {
            let target = self.target(&sink.sink, 1);
            let reason = match self.secure_for(target, &event, 1, (1, 0)) {
                Ok(label) => {
                    self.push(target, event, label);
                    return Ok(());
                }
                Err(reason) => reason,
            };
            let left = sink.limit.saturating_sub(clock.now().since(Time::ZERO));
            if left.is_zero() || !reason.is_transient() || self.graph.is_stepped() {
                return Err(Refused::new(event, self.refuse(target, reason, 1)));
            }
            let graph = Arc::clone(&self.graph);
            let _ = graph.room.wait(left, || {
                let target = self.target(&sink.sink, 1);
                self.secure(target, 1, 1, 0)
            });
        }
    }

    /// Reserves `n` places, to be used at any time, also after this event has ended; at one and
    /// the same replica, if the sink leads to several.
    ///
    /// # Errors
    /// Why they were not given; counted as `n` refused events.
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

    /// The usual way: a place is leased, and the event in hand leaves its budget behind.
    fn send_leased<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), E> {
        let own = sink.stage.graph.id == self.graph.id && !self.meta.is_expired(self.now);
        if self.credit == 0 || !own || sink.stage.asks() {
            return Err(event);
        }
        let place = self.outboxes.get_mut(sink.outbox).and_then(Option::as_mut);
        let Some(outbox) = place.and_then(|o| o.as_any_mut().downcast_mut::<Outbox<E>>()) else {
            return Err(event);
        };
        if !outbox.is_leased() {
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

    /// What keeps the event in hand from sending before any queue is looked at.
    fn may_send<E: Send + 'static>(&self, sink: &Sink<E>) -> Result<(), RefusalReason> {
        if sink.stage.graph.id != self.graph.id {
            Err(RefusalReason::Closed)
        } else if self.meta.is_expired(self.now) {
            Err(RefusalReason::Expired)
        } else {
            Ok(())
        }
    }

    /// Makes sure of `n` leased places at `sink`, and that there are more for `ahead` if possible.
    pub(super) fn lease<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        n: usize,
        ahead: usize,
    ) -> Result<(), RefusalReason> {
        let class = self.meta.class;
        let outbox = self.outbox(sink).ok_or(RefusalReason::Closed)?;
        match outbox.lease(class, n, ahead) {
            Err(RefusalReason::Admission) if self.meta.is_bound_for(sink.stage.index) => {
                self.outbox(sink).ok_or(RefusalReason::Closed)?.lease_counted(n)
            }
            leased => leased,
        }
    }

    /// Makes sure of `n` leased places at `sink`, and of `n` events' budget beside `promised`.
    fn secure<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        n: usize,
        ahead: usize,
        promised: usize,
    ) -> Result<(), RefusalReason> {
        self.may_send(sink)?;
        self.lease(sink, n, ahead)?;
        let due = (n + promised).saturating_sub(self.credit);
        if due > 0 {
            let arrival =
                Incoming { stage: sink.stage.index, class: self.meta.class, fan_out: true };
            if !self.graph.budget.charge(due) && !self.graph.make_room(due, arrival) {
                return Err(RefusalReason::Budget);
            }
            self.credit += due;
        }
        Ok(())
    }

    /// Makes sure of `places.0` places, as [`Context::secure`], and of what the stage asks of
    /// this event.
    fn secure_for<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        event: &E,
        ahead: usize,
        (places, promised): (usize, usize),
    ) -> Result<Label, RefusalReason> {
        self.secure(sink, places, ahead, promised)?;
        sink.stage.charge_event(event, self.meta.class, true)
    }

    fn secure_all<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        events: &[E],
    ) -> Result<Vec<Label>, RefusalReason> {
        self.secure(sink, events.len(), 0, 0)?;
        sink.stage.check_all_in(events, self.meta.class, true)
    }

    /// What an event that is sent now inherits, and what it has said of itself.
    fn labelled(&self, label: Label) -> EventMeta {
        self.meta.clone().labelled(label)
    }

    /// Puts an event into a place that was made sure of.
    fn push<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E, label: Label) {
        let (meta, enqueued) = (self.labelled(label), self.now);
        self.credit = self.credit.saturating_sub(1);
        if let Some(outbox) = self.outbox(sink) {
            outbox.push(Envelope { event, meta, enqueued });
        }
    }

    /// The outbox of an edge, noted as having something in it.
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

    fn refuse<E: Send + 'static>(
        &self,
        sink: &Sink<E>,
        reason: RefusalReason,
        n: usize,
    ) -> Refusal {
        sink.stage.refuse(self.meta.class, target::edge(&self.stage, sink), reason, n)
    }
}
