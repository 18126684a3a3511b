//! The way of a connection through its phases.

use super::{Connection, Phase, TurnContext, TurnOutcome};
use crate::reactor::stream::Disconnected;
use crate::reactor::timeouts::Waiting;
use crate::reactor::{Codec, Service};
use crate::tls::HandshakeFailure;
use seda_core::LossReason;

/// Bytes discarded after the server's FIN, so that the client reads its response before it sees a
/// reset (RFC 9112 §9.6). Reading them takes 10 ms of a core. A client that sends more ignores its
/// response.
const LINGER_BYTES: usize = 64 * 1024 * 1024;

impl<C: Codec> Connection<C> {
    /// Moves from `Open` to `Ending` to `Lingering` as far as possible. Returns true if a response
    /// is due that was not due before.
    pub(super) fn advance_phase<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<bool, Disconnected> {
        let is_answering = self.pipeline.has_pending() || self.output.is_streaming();
        let abandons = !cx.settings.half_close && is_answering;
        // A client that has shut its sending side counts as gone, unless half-close is allowed.
        if self.stream.is_read_closed && abandons {
            return Err(Disconnected);
        }
        // The rest of a streamed body will not come.
        if self.stream.is_at_eof && self.input.needs_more {
            self.input.feed = None;
        }
        // Open → Ending: the input has ended, or the server drains and the client has no request.
        let is_idle = self.pipeline.is_empty() && self.output.is_empty();
        if self.phase == Phase::Open && self.input.needs_more {
            let is_drained =
                cx.ending.is_drain() && !self.is_new && is_idle && !self.stream.is_readable;
            if self.stream.is_at_eof && abandons {
                return Err(Disconnected);
            }
            if self.stream.is_at_eof || is_drained && !self.input.expecting(cx.codec).is_request() {
                self.phase = Phase::Ending;
                // A refused request is not owed the end of its body.
                if self.answer_refusal(true) {
                    return Ok(true);
                }
            }
        }
        // Ending → Lingering: all responses are written, and the end of an encrypted stream.
        if self.phase == Phase::Ending && is_idle && self.stream.close()? {
            if self.stream.is_at_eof {
                return Err(Disconnected);
            }
            self.stream.send_fin()?;
            self.input.feed = None;
            self.input.release();
            self.phase = Phase::Lingering(LINGER_BYTES);
        }
        Ok(false)
    }

    /// Reads and discards input after the server's FIN.
    pub(super) fn discard<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<(), Disconnected> {
        while let Phase::Lingering(left) = self.phase
            && self.stream.is_readable
            && cx.budget.bytes > 0
        {
            let read = self.stream.discard(cx.scratch)?;
            if self.stream.is_at_eof || read >= left {
                return Err(Disconnected);
            }
            self.phase = Phase::Lingering(left - read);
            if read > 0 {
                self.timeout.note_progress(Waiting::Fin, read, cx.now);
            }
            cx.budget.spend(read);
        }
        Ok(())
    }

    /// Answers all requests in flight with [`LossReason::Drain`], takes no more, and has a turn.
    pub(in crate::reactor) fn shutdown<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> TurnOutcome {
        self.stream.fail_handshake(HandshakeFailure::Server);
        let service = &mut *cx.service;
        self.pipeline.answer_all(|| service.lost(LossReason::Drain));
        self.answer_refusal(true);
        self.input.feed = None;
        if matches!(self.phase, Phase::Preface | Phase::Open) {
            self.phase = Phase::Ending;
        }
        self.turn(cx)
    }
}
