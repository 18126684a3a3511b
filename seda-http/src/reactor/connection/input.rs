//! The bytes that one client has sent, and the request that they begin.

use crate::reactor::body::pipe::PIPE_BYTES;
use crate::reactor::body::reader::{BodyFeed, BodyReader};
use crate::reactor::{BodyCharge, BodyNeed, Codec, DecodeOutcome, Expecting};
use bytes::BytesMut;
use seda_core::Time;
use std::time::Duration;

/// Undecoded bytes, and the state of the decoder behind them.
pub(super) struct Input<C: Codec> {
    decoder: C::Decoder,
    pub(super) bytes: BytesMut,
    /// The bytes are known to hold no whole request.
    pub(super) needs_more: bool,
    /// The time of the last byte; at first that of the connection.
    pub(super) last_read: Time,
    /// The decision about the request whose body is being read.
    pub(super) decision: Option<C::Decision>,
    /// The most bytes of its body, if that is to be streamed and has not begun.
    pub(super) streams: Option<u64>,
    /// The body that is streamed to the program.
    pub(super) feed: Option<BodyFeed>,
    /// The memory of its body.
    pub(super) charge: Option<BodyCharge>,
    /// The bytes that its body needs and the budget does not have. Nothing is decoded meanwhile.
    pub(super) wants_memory: Option<usize>,
}

impl<C: Codec> Input<C> {
    pub(super) fn new(decoder: C::Decoder, now: Time) -> Self {
        Self {
            decoder,
            bytes: BytesMut::new(),
            needs_more: true,
            last_read: now,
            decision: None,
            streams: None,
            feed: None,
            charge: None,
            wants_memory: None,
        }
    }

    pub(super) fn decode(&mut self, codec: &C) -> DecodeOutcome<C> {
        codec.decode(&mut self.decoder, &mut self.bytes)
    }

    /// Returns the head of the request whose body is incomplete.
    pub(super) fn head(&self) -> Option<&C::Head> {
        C::head(&self.decoder)
    }

    /// Reads the body of the announced request within the limits of `decision`. Returns the longest
    /// time for the whole body; `None` for that of the settings.
    pub(super) fn accept(&mut self, decision: C::Decision) -> Option<Duration> {
        let total = C::limit_body(&mut self.decoder, &decision);
        self.streams = C::streams(&decision);
        self.decision = Some(decision);
        total
    }

    /// Returns the announced request, and streams its body from here on; see [`Codec::stream`].
    pub(super) fn stream(
        &mut self,
        codec: &C,
        most: u64,
        make: impl FnOnce(Option<&'static [u8]>) -> BodyReader,
    ) -> Option<(C::Request, C::Exchange)> {
        codec.stream(&mut self.decoder, &self.bytes, most, make)
    }

    /// Gives up the request whose body is incomplete, and frees its memory. Returns the exchange of
    /// its response.
    pub(super) fn refuse(&mut self, codec: &C) -> C::Exchange {
        let mut exchange = codec.refuse(&mut self.decoder, &mut self.bytes);
        self.note_decision(&mut exchange);
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
        self.charge = None;
        self.streams = None;
        exchange
    }

    /// Notes the decision about the request in its exchange: it ends before it is admitted.
    pub(super) fn note_decision(&mut self, exchange: &mut C::Exchange) {
        if let Some(decision) = self.decision.take() {
            C::note_decision(exchange, decision);
        }
    }

    /// Returns the memory that the unfinished body needs.
    pub(super) fn body_need(&self) -> Option<BodyNeed> {
        let need = C::body_need(&self.decoder);
        if self.streams.is_none() {
            return need;
        }
        // The pieces that wait for the program, and not the body.
        Some(match need {
            Some(BodyNeed::Length(bytes)) if bytes < PIPE_BYTES => BodyNeed::Pieces(bytes),
            _ => BodyNeed::Pieces(PIPE_BYTES),
        })
    }

    /// Returns the most bytes that the next read may bring: those behind a body of known length
    /// would make its buffer grow beyond that length.
    pub(super) fn room(&self) -> usize {
        if let Some(feed) = &self.feed {
            // The program may drop its reader at any time. A read of no bytes would seem the end.
            return feed.room().max(1);
        }
        match self.body_need() {
            Some(BodyNeed::Length(bytes)) => bytes.saturating_sub(self.bytes.len()).max(1),
            _ => usize::MAX,
        }
    }

    /// Returns the part of a request that the client still has to send.
    pub(super) fn expecting(&self, codec: &C) -> Expecting {
        codec.expecting(&self.decoder, &self.bytes)
    }

    /// Drops the bytes and releases their memory.
    pub(super) fn release(&mut self) {
        self.bytes = BytesMut::new();
    }
}
