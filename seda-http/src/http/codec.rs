//! HTTP/1.1 as a codec of the reactor: the I/O-free codec of [`h1`], the Date field, and 408.

use super::date::Date;
use super::responses;
use crate::h1::{self, Decoded, Decoder, Exchange, Limits};
use crate::reactor::{Body, Codec, DecodeOutcome, Expecting, Output};
use crate::server::catch_panic;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, Version};
use seda_core::Time;

/// HTTP/1.1 on all connections of one reactor.
#[derive(Debug)]
pub(super) struct Http1 {
    limits: Limits,
    date: Date,
}

impl Http1 {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, date: Date::new() }
    }
}

impl Codec for Http1 {
    type Request = Request<Bytes>;
    type Response = Response<Body>;
    type Exchange = Exchange;
    type Decoder = Decoder;

    fn decoder(&self) -> Decoder {
        Decoder::new(self.limits)
    }

    fn decode(&self, decoder: &mut Decoder, input: &mut BytesMut) -> DecodeOutcome<Self> {
        match decoder.decode(input) {
            Decoded::Incomplete => DecodeOutcome::Incomplete,
            Decoded::Continue => DecodeOutcome::Interim(h1::CONTINUE),
            Decoded::Request(request, exchange) => DecodeOutcome::Request(request, exchange),
            Decoded::Reject(rejection, exchange) => {
                let line = format!("{rejection}\n");
                DecodeOutcome::Response(responses::text(rejection.status(), line), exchange)
            }
        }
    }

    fn expecting(&self, decoder: &Decoder, input: &BytesMut) -> Expecting {
        if !decoder.mid_request(input) {
            Expecting::Nothing
        } else if decoder.in_body() {
            Expecting::Body
        } else {
            Expecting::Head
        }
    }

    fn timeout_response(&self, expecting: Expecting) -> (Response<Body>, Exchange) {
        let text = match expecting {
            Expecting::Body => "the request's body did not come in time\n",
            Expecting::Head | Expecting::Nothing => "the request's head did not come in time\n",
        };
        let exchange = Exchange { version: Version::HTTP_11, head: false, keep_alive: false };
        (responses::text(StatusCode::REQUEST_TIMEOUT, text), exchange)
    }

    fn is_last(exchange: Exchange) -> bool {
        !exchange.keep_alive
    }

    fn make_last(exchange: Exchange) -> Exchange {
        Exchange { keep_alive: false, ..exchange }
    }

    fn encode(
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
        h1::encode_head(&parts, body.len(), exchange, self.date.at(now), output.buffer());
        if h1::carries_body(parts.status, exchange) {
            output.put_body(body);
        }
    }
}
