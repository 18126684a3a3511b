//! What a connection waits for, and what becomes of it when that does not come.

use super::super::timeouts::Waiting;
use super::super::{Codec, Expecting, Service, Settings};
use super::{Connection, Phase, TurnContext};
use bytes::BytesMut;
use seda_core::Time;
use std::time::Duration;

/// How long a connection is idle before its buffers are given back.
const BUFFERS_KEPT: Duration = Duration::from_secs(1);

impl<P: Codec> Connection<P> {
    /// What the connection waits for.
    pub(super) fn waiting<S: Service<P>>(&self, cx: &TurnContext<'_, P, S>) -> Waiting {
        if matches!(self.phase, Phase::Lingering(_)) {
            Waiting::Fin
        } else if !self.output.is_empty() {
            Waiting::Reading
        } else if !self.pipeline.is_empty() {
            Waiting::Nothing
        } else if cx.draining && self.is_new && self.expecting(cx) == Expecting::Nothing {
            Waiting::FirstRequest
        } else {
            Waiting::from(self.expecting(cx))
        }
    }

    /// When this connection has to be looked at again though nothing happens.
    pub(in crate::reactor) fn due(&self, settings: &Settings) -> Time {
        let deadline = self.timeout.deadline(settings);
        if self.keeps_idle_buffers() {
            deadline.min(self.timeout.since().after(BUFFERS_KEPT))
        } else {
            deadline
        }
    }

    /// Looks after it when it is due; true if it then needs a turn.
    pub(in crate::reactor) fn sweep(
        &mut self,
        protocol: &P,
        settings: &Settings,
        now: Time,
    ) -> bool {
        if self.keeps_idle_buffers() && self.timeout.since().after(BUFFERS_KEPT) <= now {
            self.input = BytesMut::new();
            self.output.shrink();
        }
        if self.timeout.deadline(settings) > now {
            return false;
        }
        match self.timeout.waiting() {
            Waiting::Nothing => return false,
            Waiting::Request | Waiting::FirstRequest => self.phase = Phase::Ending,
            Waiting::Head => self.end_overdue(protocol.timeout_response(Expecting::Head)),
            Waiting::Body => self.end_overdue(protocol.timeout_response(Expecting::Body)),
            Waiting::Reading | Waiting::Fin => self.stream.dead = true,
        }
        true
    }

    fn end_overdue(&mut self, (answer, exchange): (P::Response, P::Exchange)) {
        self.pipeline.push_answered(answer, exchange);
        self.phase = Phase::Ending;
    }

    fn keeps_idle_buffers(&self) -> bool {
        self.timeout.waiting() == Waiting::Request
            && self.input.is_empty()
            && (self.input.capacity() > 0 || self.output.has_memory())
    }

    #[cfg(test)]
    pub(in crate::reactor) fn awaits_a_head(&self) -> bool {
        self.timeout.waiting() == Waiting::Head
    }
}
