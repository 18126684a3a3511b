//! The awaited action of a connection, and the consequence of its time limit.

use super::{Connection, Phase, TurnContext};
use crate::reactor::clients::eviction::{Candidate, Loss};
use crate::reactor::timeouts::Waiting;
use crate::reactor::{Codec, Expecting, Service, Settings};
use seda_core::Time;
use std::time::Duration;

/// Time that an idle connection keeps its buffers.
const BUFFERS_KEPT: Duration = Duration::from_secs(1);

impl<C: Codec> Connection<C> {
    /// Returns the action of the client that the connection waits for.
    pub(super) fn waiting<S: Service<C>>(&self, cx: &TurnContext<'_, C, S>) -> Waiting {
        if self.phase == Phase::Preface || self.stream.is_handshaking() {
            let is_silent = !self.stream.has_begun_handshake();
            if cx.ending.is_drain() && is_silent { Waiting::FirstRequest } else { Waiting::Preface }
        } else if matches!(self.phase, Phase::Lingering(_)) {
            Waiting::Fin
        } else if self.output.has_bytes() || self.stream.has_records() {
            Waiting::Reading
        } else if let Some(feed) = &self.input.feed {
            if feed.room() > 0 { Waiting::Body } else { Waiting::Consumer }
        } else if self.output.is_streaming() {
            Waiting::Piece
        } else if !self.pipeline.is_empty() {
            Waiting::Nothing
        } else {
            match self.input.expecting(cx.codec) {
                Expecting::Nothing if cx.ending.is_drain() && self.is_new => Waiting::FirstRequest,
                expecting => Waiting::from(expecting),
            }
        }
    }

    /// Returns when a sweep has to look at this connection; [`Time::NEVER`] if none has to.
    pub(crate) fn due(&self, settings: &Settings) -> Time {
        let deadline = self.timeout.deadline(settings).min(self.filler_due());
        if self.keeps_idle_buffers() {
            deadline.min(self.timeout.since().after(BUFFERS_KEPT))
        } else {
            deadline
        }
    }

    /// Returns when the stream needs a filler; [`Time::NEVER`] if the program's bytes are due.
    fn filler_due(&self) -> Time {
        match self.output.filler_after() {
            Some(after) if self.timeout.waiting() == Waiting::Piece => {
                self.timeout.since().after(after)
            }
            _ => Time::NEVER,
        }
    }

    /// Enforces the time limit, and releases idle buffers. Returns true if the connection needs a
    /// turn.
    pub(crate) fn sweep(&mut self, codec: &C, settings: &Settings, now: Time) -> bool {
        if self.keeps_idle_buffers() && self.timeout.since().after(BUFFERS_KEPT) <= now {
            self.input.release();
            self.output.shrink();
        }
        if self.filler_due() <= now {
            self.output.put_filler();
            return true;
        }
        if self.timeout.deadline(settings) > now {
            return false;
        }
        match self.timeout.waiting() {
            Waiting::Nothing | Waiting::Piece | Waiting::Consumer => return false,
            Waiting::Request | Waiting::FirstRequest => self.phase = Phase::Ending,
            Waiting::RefusedBody => {
                self.answer_refusal(true);
            }
            Waiting::Head => self.end_with(codec.timeout_response(Expecting::Head)),
            Waiting::Body => {
                let (response, _) = codec.timeout_response(Expecting::Body);
                self.end_upload(codec, response);
            }
            Waiting::Preface | Waiting::Reading | Waiting::Fin => {
                self.stream.time_handshake_out();
                self.stream.is_dead = true;
            }
        }
        true
    }

    /// Returns this connection as one to close for a newcomer; `None` while its request is in the
    /// graph, or it has something to do.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        let loss = match self.timeout.waiting() {
            Waiting::Nothing | Waiting::Consumer => return None,
            Waiting::Body | Waiting::Reading | Waiting::Piece => Loss::Exchange,
            Waiting::Preface
            | Waiting::Request
            | Waiting::FirstRequest
            | Waiting::Head
            | Waiting::RefusedBody
            | Waiting::Fin => Loss::Nothing,
        };
        let client = self.guard.client();
        (!self.is_queued).then(|| Candidate {
            slot: self.address.slot as usize,
            loss,
            network: client.network(),
            connections: client.connections(),
            since: self.timeout.since(),
        })
    }

    pub(super) fn end_with(&mut self, (response, exchange): (C::Response, C::Exchange)) {
        self.pipeline.push_answered(response, exchange);
        self.phase = Phase::Ending;
    }

    fn keeps_idle_buffers(&self) -> bool {
        self.timeout.waiting() == Waiting::Request
            && self.input.bytes.is_empty()
            && (self.input.bytes.capacity() > 0 || self.output.has_memory())
    }
}

#[cfg(test)]
impl<C: Codec> Connection<C> {
    pub(crate) fn awaits_a_head(&self) -> bool {
        self.timeout.waiting() == Waiting::Head
    }

    pub(crate) fn awaits_a_body(&self) -> bool {
        self.timeout.waiting() == Waiting::Body
    }

    pub(crate) fn input_bytes(&self) -> usize {
        self.input.bytes.len()
    }

    /// Returns the bytes discarded since the server's FIN.
    pub(crate) fn lingered_bytes(&self) -> u64 {
        if self.lingers() { self.timeout.bytes() } else { 0 }
    }

    pub(crate) fn drops_a_body(&self) -> bool {
        self.timeout.waiting() == Waiting::RefusedBody
    }

    pub(crate) fn has_input(&self) -> bool {
        !self.input.bytes.is_empty()
    }

    pub(crate) fn waits_for_its_program(&self) -> bool {
        self.timeout.waiting() == Waiting::Consumer
    }

    pub(crate) fn streams(&self) -> bool {
        self.output.is_streaming()
    }

    pub(crate) fn lingers(&self) -> bool {
        self.timeout.waiting() == Waiting::Fin
    }
}
