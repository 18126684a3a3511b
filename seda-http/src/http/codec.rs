//! HTTP/1.1 as a codec of the reactor: the I/O-free codec of [`h1`], the Date field, and 408.

use super::date::Date;
use super::reply::Reply;
use super::responses::{self, FAILED};
use super::routes::{BodyLimits, Routed};
use crate::h1::{self, Decoded, Decoder, Exchange, Limits, RequestHead};
use crate::reactor::{
    Body, BodyCharge, BodyNeed, BodyReader, Codec, Counters, DecodeOutcome, Expecting, Output,
    PieceFraming,
};
use crate::server::catch_panic;
use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode, Version};
use seda_core::Time;
use std::sync::Arc;
use std::time::Duration;

/// The chunked transfer coding around the pieces of a stream.
const CHUNKS: PieceFraming =
    PieceFraming::Framed { before: h1::put_chunk_size, after: h1::CHUNK_END, last: h1::LAST_CHUNK };

/// The body of a request.
#[derive(Debug)]
pub(super) enum RequestBody {
    Whole(Bytes),
    Streamed(BodyReader),
}

/// HTTP/1.1 on all connections of one reactor.
#[derive(Debug)]
pub(super) struct Http1 {
    limits: Limits,
    /// Methods that RFC 9110 does not have reach the program.
    any_method: bool,
    /// The program may stream bodies.
    may_stream: bool,
    date: Date,
    counters: Arc<Counters>,
}

impl Http1 {
    pub(super) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        let (any_method, may_stream) = (false, false);
        Self { limits, any_method, may_stream, date: Date::new(), counters }
    }

    /// Lets other methods than those of RFC 9110 reach the program, and bodies be streamed.
    pub(super) fn allow(self, any_method: bool, may_stream: bool) -> Self {
        Self { any_method, may_stream, ..self }
    }
}

/// The side of the server that a request is for.
pub(super) enum Destination {
    /// The admin side, with the limits of the settings.
    Admin(BodyLimits),
    /// A stage of the graph.
    Route(Routed),
}

impl Codec for Http1 {
    type Head = RequestHead;
    type Request = (RequestHead, RequestBody);
    type Response = Reply;
    type Exchange = Exchange;
    type Decoder = Decoder;
    type Decision = Box<Destination>;

    fn decoder(&self) -> Decoder {
        let decoder = Decoder::new(self.limits);
        let decoder = if self.any_method { decoder.any_method() } else { decoder };
        if self.may_stream { decoder.streams_bodies() } else { decoder }
    }

    fn decode(&self, decoder: &mut Decoder, input: &mut BytesMut) -> DecodeOutcome<Self> {
        match decoder.decode(input) {
            Decoded::Incomplete => DecodeOutcome::Incomplete,
            Decoded::Head => DecodeOutcome::Head,
            Decoded::Continue => DecodeOutcome::Interim(h1::CONTINUE),
            Decoded::Request(head, body, exchange) => {
                DecodeOutcome::Request((head, RequestBody::Whole(body)), exchange)
            }
            Decoded::Reject(rejection, exchange) => {
                let line = format!("{rejection}\n");
                DecodeOutcome::Response(responses::text(rejection.status(), line).into(), exchange)
            }
            Decoded::Piece(piece, is_last) => DecodeOutcome::Piece(piece, is_last),
            Decoded::Refused(exchange) => DecodeOutcome::Refused(exchange),
        }
    }

    fn head(decoder: &Decoder) -> Option<&RequestHead> {
        decoder.head()
    }

    fn limit_body(decoder: &mut Decoder, decision: &Box<Destination>) -> Option<Duration> {
        let (Destination::Admin(limits) | Destination::Route(Routed { limits, .. })) = &**decision;
        decoder.limit_body(limits.bytes);
        limits.time
    }

    fn streams(decision: &Box<Destination>) -> Option<u64> {
        match &**decision {
            Destination::Admin(_) => None,
            Destination::Route(routed) => routed.streams,
        }
    }

    fn refuse(&self, decoder: &mut Decoder, input: &mut BytesMut) -> Exchange {
        decoder.refuse(input)
    }

    fn stream(
        &self,
        decoder: &mut Decoder,
        input: &BytesMut,
        most: u64,
        make: impl FnOnce(Option<&'static [u8]>) -> BodyReader,
    ) -> Option<(Self::Request, Exchange)> {
        let (head, exchange, awaits_continue) = decoder.stream(most, input)?;
        let body = make(awaits_continue.then_some(h1::CONTINUE));
        Some(((head, RequestBody::Streamed(body)), exchange))
    }

    fn expecting(&self, decoder: &Decoder, input: &BytesMut) -> Expecting {
        if !decoder.mid_request(input) {
            Expecting::Nothing
        } else if decoder.in_refused_body() {
            Expecting::RefusedBody
        } else if decoder.in_body() {
            Expecting::Body
        } else {
            Expecting::Head
        }
    }

    fn body_need(decoder: &Decoder) -> Option<BodyNeed> {
        match decoder.body_need()? {
            h1::BodyNeed::Length(bytes) => Some(BodyNeed::Length(bytes)),
            h1::BodyNeed::Pieces(bytes) => Some(BodyNeed::Pieces(bytes)),
        }
    }

    fn body_bytes((_, body): &Self::Request) -> usize {
        match body {
            RequestBody::Whole(body) => body.len(),
            RequestBody::Streamed(_) => 0,
        }
    }

    fn hold((head, body): Self::Request, charge: BodyCharge) -> Self::Request {
        let body = match body {
            RequestBody::Whole(body) => RequestBody::Whole(charge.hold(body)),
            RequestBody::Streamed(_) => body,
        };
        (head, body)
    }

    fn timeout_response(&self, expecting: Expecting) -> (Reply, Exchange) {
        let text = match expecting {
            Expecting::Body => "the request's body did not come in time\n",
            _ => "the request's head did not come in time\n",
        };
        let exchange = Exchange { version: Version::HTTP_11, head: false, keep_alive: false };
        (responses::text(StatusCode::REQUEST_TIMEOUT, text).into(), exchange)
    }

    fn is_last(exchange: Exchange) -> bool {
        !exchange.keep_alive
    }

    fn make_last(exchange: Exchange) -> Exchange {
        Exchange { keep_alive: false, ..exchange }
    }

    fn ends_with_connection(reply: &Reply, exchange: Exchange) -> bool {
        let Reply::Response(response) = reply else { return false };
        let length = response.body().len();
        length.is_none()
            && !h1::is_chunked(length, exchange)
            && h1::carries_body(response.status(), exchange)
    }

    fn encode(&mut self, reply: Reply, exchange: Exchange, now: Time, output: &mut Output) {
        match reply {
            Reply::Response(response) => {
                let response = self.sendable(response);
                self.encode_response(response, exchange, now, output);
            }
            Reply::Unavailable { text, retry_after_seconds } => {
                let length = text.len() as u64;
                let date = self.date.at(now);
                let buffer = output.buffer();
                h1::encode_unavailable(retry_after_seconds, length, exchange, date, buffer);
                if h1::carries_body(StatusCode::SERVICE_UNAVAILABLE, exchange) {
                    output.put_body(Body::Bytes(text), PieceFraming::Plain);
                }
            }
        }
    }
}

impl Http1 {
    /// Replaces a response that HTTP/1.1 cannot carry by a 500, which is logged and counted.
    fn sendable(&self, response: Response<Body>) -> Response<Body> {
        let (status, length) = (response.status(), response.body().len());
        let Some(fault) = h1::unsendable(status, length) else { return response };
        self.counters.replaced_responses.count();
        let status = status.as_u16();
        tracing::error!(status, length, "a handler's answer is replaced by 500: {fault}");
        catch_panic("the drop of a response", || drop(response));
        responses::text(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
    }

    fn encode_response(
        &mut self,
        response: Response<Body>,
        exchange: Exchange,
        now: Time,
        output: &mut Output,
    ) {
        let (mut parts, body) = response.into_parts();
        if !parts.extensions.is_empty() {
            // The extensions are the only part of a response with user code in its drop.
            let extensions = std::mem::take(&mut parts.extensions);
            catch_panic("the drop of a response's extensions", || drop(extensions));
        }
        let length = body.len();
        h1::encode_head(&parts, length, exchange, self.date.at(now), output.buffer());
        if h1::carries_body(parts.status, exchange) {
            let is_chunked = h1::is_chunked(length, exchange);
            output.put_body(body, if is_chunked { CHUNKS } else { PieceFraming::Plain });
        }
    }
}
