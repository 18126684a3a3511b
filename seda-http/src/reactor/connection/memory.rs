//! The memory of the request body that a connection reads.

use super::{Connection, Phase, TurnContext};
use crate::reactor::clients::uploads::{MemoryRequest, Upload};
use crate::reactor::timeouts::Waiting;
use crate::reactor::{BodyCharge, BodyNeed, Codec, Service};
use seda_core::Time;
use std::sync::Arc;

impl<C: Codec> Connection<C> {
    /// Charges the memory of the body that is being read. Without memory the connection waits for
    /// one turn.
    pub(super) fn charge<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        let Some(need) = self.input.body_need() else { return };
        if !self.try_charge(need.bytes(), cx) {
            self.input.wants_memory = Some(need.bytes());
            return;
        }
        match need {
            // The buffer gets its size at once: it would double beyond it.
            BodyNeed::Length(bytes) => {
                self.input.bytes.reserve(bytes.saturating_sub(self.input.bytes.len()));
            }
            // The pieces hold the body, so an empty input needs no memory until the next read.
            BodyNeed::Pieces(_) if self.input.bytes.is_empty() => self.input.release(),
            BodyNeed::Pieces(_) => {}
        }
    }

    /// Charges what the last turn could not, or refuses the request with 503.
    pub(super) fn charge_again<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        if self.input.wants_memory.take().is_none() {
            return;
        }
        self.charge(cx);
        if self.input.wants_memory.take().is_none() {
            return self.begin_stream(cx);
        }
        cx.counters.refused_bodies.count();
        let response = cx.service.no_memory();
        // The end of a chunked body that has begun is not looked for.
        let is_begun = !matches!(self.input.body_need(), Some(BodyNeed::Length(_)));
        let exchange = self.input.refuse(cx.codec);
        let exchange = if is_begun { C::make_last(exchange) } else { exchange };
        self.refuse(response, exchange, cx);
    }

    /// Charges the body of a whole request. Returns false if there is no memory for it.
    pub(super) fn charge_whole<S: Service<C>>(
        &mut self,
        request: &C::Request,
        cx: &mut TurnContext<'_, C, S>,
    ) -> bool {
        let bytes = C::body_bytes(request);
        let is_charged = bytes > 0 && self.try_charge(bytes, cx);
        if !is_charged {
            self.input.charge = None;
        }
        is_charged || bytes == 0
    }

    /// Responds to a whole request for whose body there is no memory.
    pub(super) fn refuse_whole<S: Service<C>>(
        &mut self,
        request: &C::Request,
        mut exchange: C::Exchange,
        cx: &mut TurnContext<'_, C, S>,
    ) {
        // The service has not seen a request whose body came with its head.
        if self.input.decision.is_none()
            && let Some(head) = C::head_of(request)
        {
            match cx.service.check(head, cx.now) {
                Ok(decision) => self.input.decision = Some(decision),
                Err(response) => {
                    cx.service.label(&mut exchange, cx.now);
                    return self.pipeline.push_answered(response, exchange);
                }
            }
        }
        cx.counters.refused_bodies.count();
        self.input.note_decision(&mut exchange);
        self.pipeline.push_answered(cx.service.no_memory(), exchange);
    }

    /// Lets a whole request hold the charge of its body.
    pub(super) fn hold(&mut self, request: C::Request) -> C::Request {
        match self.input.charge.take() {
            Some(charge) => C::hold(request, charge),
            None => request,
        }
    }

    fn try_charge<S: Service<C>>(&mut self, bytes: usize, cx: &mut TurnContext<'_, C, S>) -> bool {
        let client = self.guard.client();
        let charge = self
            .input
            .charge
            .get_or_insert_with(|| BodyCharge::new(Arc::clone(cx.bodies), Arc::clone(client)));
        charge.grow_to(bytes)
    }

    /// Returns the memory that this connection waits for, while the budget has `free` bytes.
    pub(crate) fn memory_request(&self, free: usize) -> Option<MemoryRequest> {
        let needed = self.input.wants_memory?;
        let client = self.guard.client();
        let more = needed.saturating_sub(self.charged());
        Some(MemoryRequest {
            bytes: more.saturating_sub(free),
            network: client.network(),
            of_client: client.body_bytes().saturating_add(more),
        })
    }

    /// Returns the upload of this connection; `None` if no body is read, or the program has to read
    /// what has arrived of it.
    pub(crate) fn upload(&self, now: Time) -> Option<Upload> {
        let is_sending = match &self.input.feed {
            Some(feed) => feed.room() > 0,
            None => self.phase == Phase::Open && self.input.charge.is_some(),
        };
        if !is_sending {
            return None;
        }
        let (rate, since) = match self.timeout.waiting() {
            Waiting::Body => (self.timeout.rate(now), self.timeout.since()),
            // The time limits are those of a response in front of the body.
            _ => (0, self.input.last_read),
        };
        let client = self.guard.client();
        Some(Upload {
            slot: self.address.slot as usize,
            network: client.network(),
            of_client: client.body_bytes(),
            bytes: self.charged(),
            rate,
            silence: now.since(since),
        })
    }

    /// Ends the upload of this connection with this response, and frees its memory.
    pub(crate) fn end_upload(&mut self, codec: &C, response: C::Response) {
        if self.input.feed.is_some() {
            return self.fail_stream(response);
        }
        let exchange = C::make_last(self.input.refuse(codec));
        self.end_with((response, exchange));
    }

    fn charged(&self) -> usize {
        match &self.input.feed {
            Some(feed) => feed.charged(),
            None => self.input.charge.as_ref().map_or(0, BodyCharge::bytes),
        }
    }
}
