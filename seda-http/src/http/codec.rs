//! HTTP/1.1 as a codec of the reactor: the I/O-free codec of [`h1`], the Date field, 408, and the
//! notes of each exchange for the access log.

use super::access_log::{AccessLog, RequestId, RequestIds, Sent};
use super::client::ClientFinder;
use super::date::Date;
use super::exchange::{Exchange, Notes};
use super::reply::Reply;
use super::responses::{self, FAILED};
use super::routes::{BodyLimits, Routed};
use super::times::{ExchangeTrace, Label, RouteLabel, TimeRecorder};
use crate::h1::{self, Decoded, Decoder, Limits, RequestHead};
use crate::reactor::{
    Body, BodyCharge, BodyNeed, BodyReader, Codec, Counters, DecodeOutcome, Expecting, Origin,
    Output, PeerList, PieceFraming,
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

/// A request without its responder.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) head: RequestHead,
    pub(super) body: RequestBody,
    /// `None` if requests have no ids.
    pub(super) id: Option<RequestId>,
}

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
    clients: ClientFinder,
    /// `None` if the log is off.
    log: Option<AccessLog>,
    /// `None` if requests have no ids.
    ids: Option<RequestIds>,
    /// `None` if no times are recorded.
    times: Option<TimeRecorder>,
}

impl Http1 {
    pub(super) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        let (any_method, may_stream) = (false, false);
        let (date, clients) = (Date::new(), ClientFinder::new(PeerList::default()));
        let (log, ids, times) = (None, None, None);
        Self { limits, any_method, may_stream, date, counters, clients, log, ids, times }
    }

    /// Believes what these proxies say about their clients.
    pub(super) fn trust(self, proxies: PeerList) -> Self {
        Self { clients: ClientFinder::new(proxies), ..self }
    }

    /// Lets other methods than those of RFC 9110 reach the program, and bodies be streamed.
    pub(super) fn allow(self, any_method: bool, may_stream: bool) -> Self {
        Self { any_method, may_stream, ..self }
    }

    /// Logs each answered request, and gives each request an id.
    pub(super) fn note(self, log: Option<AccessLog>, ids: Option<RequestIds>) -> Self {
        Self { log, ids, ..self }
    }

    /// Records the time of each answer.
    pub(super) fn time(self, times: TimeRecorder) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Returns the exchange of a request; `head` is `None` if it is malformed or not whole.
    fn exchange(&self, head: Option<&RequestHead>, framing: h1::Exchange) -> Exchange {
        if !self.takes_notes() {
            return framing.into();
        }
        let id = self.ids.as_ref().map(|ids| ids.of(head));
        let record = self.log.as_ref().map(|log| log.record(head));
        Exchange { framing, notes: Some(Box::new(Notes { id, record })), label: None, trace: None }
    }

    /// Returns the exchange of the last response to a client without a readable head.
    fn last_exchange(&self) -> Exchange {
        let framing = h1::Exchange { version: Version::HTTP_11, head: false, keep_alive: false };
        self.exchange(None, framing)
    }

    /// Returns a request with its exchange, which has the same id.
    fn received(
        &self,
        head: RequestHead,
        body: RequestBody,
        framing: h1::Exchange,
    ) -> (Received, Exchange) {
        let exchange = self.exchange(Some(&head), framing);
        let id = exchange.notes.as_ref().and_then(|notes| notes.id.clone());
        (Received { head, body, id }, exchange)
    }

    /// Returns the head of the request whose body is read next, if its notes are taken.
    fn noted_head(&self, decoder: &Decoder) -> Option<RequestHead> {
        if self.takes_notes() { decoder.head().cloned() } else { None }
    }

    fn takes_notes(&self) -> bool {
        self.log.is_some() || self.ids.is_some()
    }
}

/// The decision about a request from its head.
pub(super) struct Checked {
    pub(super) destination: Destination,
    /// The label of its answer, from the head on, if it ends before it is admitted.
    pub(super) label: Label,
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
    type Request = Received;
    type Response = Reply;
    type Exchange = Exchange;
    type Decoder = Decoder;
    type Decision = Box<Checked>;

    fn decoder(&self, origin: &Origin) -> Decoder {
        let decoder = Decoder::new(self.limits).of_client(origin.client());
        let decoder = if origin.is_encrypted() { decoder.over_tls() } else { decoder };
        let decoder = if self.any_method { decoder.any_method() } else { decoder };
        let decoder = if self.may_stream { decoder.streams_bodies() } else { decoder };
        if self.clients.trusts(origin) { decoder.of_proxy() } else { decoder }
    }

    fn decode(&self, decoder: &mut Decoder, input: &mut BytesMut) -> DecodeOutcome<Self> {
        // A rejected body ends its head.
        let head = self.noted_head(decoder);
        match decoder.decode(input) {
            Decoded::Incomplete => DecodeOutcome::Incomplete,
            Decoded::Head => {
                if decoder.is_proxied() {
                    decoder.head_mut().into_iter().for_each(|head| self.clients.resolve(head));
                }
                DecodeOutcome::Head
            }
            Decoded::Continue => DecodeOutcome::Interim(h1::CONTINUE),
            Decoded::Request(mut head, body, framing) => {
                if decoder.is_proxied() {
                    self.clients.resolve(&mut head);
                }
                let (request, exchange) = self.received(head, RequestBody::Whole(body), framing);
                DecodeOutcome::Request(request, exchange)
            }
            Decoded::Reject(rejection, framing) => {
                let line = format!("{rejection}\n");
                let exchange = self.exchange(head.as_ref(), framing);
                DecodeOutcome::Response(responses::text(rejection.status(), line).into(), exchange)
            }
            Decoded::Piece(piece, is_last) => DecodeOutcome::Piece(piece, is_last),
            // The notes are those of `refuse`.
            Decoded::Refused(framing) => DecodeOutcome::Refused(framing.into()),
        }
    }

    fn head(decoder: &Decoder) -> Option<&RequestHead> {
        decoder.head()
    }

    fn limit_body(decoder: &mut Decoder, decision: &Box<Checked>) -> Option<Duration> {
        let (Destination::Admin(limits) | Destination::Route(Routed { limits, .. })) =
            &decision.destination;
        decoder.limit_body(limits.bytes);
        limits.time
    }

    fn streams(decision: &Box<Checked>) -> Option<u64> {
        match &decision.destination {
            Destination::Admin(_) => None,
            Destination::Route(routed) => routed.streams,
        }
    }

    fn refuse(&self, decoder: &mut Decoder, input: &mut BytesMut) -> Exchange {
        let head = self.noted_head(decoder);
        let framing = decoder.refuse(input);
        self.exchange(head.as_ref(), framing)
    }

    fn stream(
        &self,
        decoder: &mut Decoder,
        input: &BytesMut,
        most: u64,
        make: impl FnOnce(Option<&'static [u8]>) -> BodyReader,
    ) -> Option<(Self::Request, Exchange)> {
        let (head, framing, awaits_continue) = decoder.stream(most, input)?;
        let body = make(awaits_continue.then_some(h1::CONTINUE));
        Some(self.received(head, RequestBody::Streamed(body), framing))
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

    fn head_of(request: &Received) -> Option<&RequestHead> {
        Some(&request.head)
    }

    fn note_decision(exchange: &mut Exchange, decision: Box<Checked>) {
        exchange.label = Some(decision.label);
    }

    fn body_bytes(request: &Received) -> usize {
        match &request.body {
            RequestBody::Whole(body) => body.len(),
            RequestBody::Streamed(_) => 0,
        }
    }

    fn hold(request: Received, charge: BodyCharge) -> Received {
        let body = match request.body {
            RequestBody::Whole(body) => RequestBody::Whole(charge.hold(body)),
            streamed @ RequestBody::Streamed(_) => streamed,
        };
        Received { body, ..request }
    }

    fn timeout_response(&self, expecting: Expecting) -> (Reply, Exchange) {
        let text = match expecting {
            Expecting::Body => "the request's body did not come in time\n",
            _ => "the request's head did not come in time\n",
        };
        (responses::text(StatusCode::REQUEST_TIMEOUT, text).into(), self.last_exchange())
    }

    fn foreign_response(&self) -> Option<(Reply, Exchange)> {
        let text = "this port speaks HTTPS: ask for an https address\n";
        Some((responses::text(StatusCode::BAD_REQUEST, text).into(), self.last_exchange()))
    }

    fn is_last(exchange: &Exchange) -> bool {
        !exchange.framing.keep_alive
    }

    fn make_last(exchange: Exchange) -> Exchange {
        let framing = h1::Exchange { keep_alive: false, ..exchange.framing };
        Exchange { framing, ..exchange }
    }

    fn ends_with_connection(reply: &Reply, exchange: &Exchange) -> bool {
        let Reply::Response(response) = reply else { return false };
        let length = response.body().len();
        length.is_none()
            && !h1::is_chunked(length, exchange.framing)
            && h1::carries_body(response.status(), exchange.framing)
    }

    fn close_file(reply: &mut Reply) {
        reply.close_file();
    }

    fn encode(
        &mut self,
        reply: Reply,
        exchange: Exchange,
        origin: &Origin,
        now: Time,
        output: &mut Output,
    ) {
        let Exchange { framing, notes, label, trace } = exchange;
        let id = notes.as_ref().and_then(|notes| notes.id.as_ref());
        let reply = reply.with_open_file();
        let is_refused = matches!(reply, Reply::Unavailable { .. });
        let (status, bytes) = match reply {
            Reply::Response(response) => {
                let mut response = self.sendable(response);
                if let Some(id) = id {
                    response.headers_mut().insert(RequestId::FIELD, id.value().clone());
                }
                if let Some(timing) = trace.as_ref().and_then(|trace| trace.server_timing()) {
                    response.headers_mut().append(ExchangeTrace::FIELD, timing);
                }
                self.encode_response(response, framing, now, output)
            }
            Reply::Unavailable { text, retry_after_seconds } => {
                self.encode_unavailable(text, retry_after_seconds, id, framing, now, output)
            }
        };
        if let Some(trace) = trace {
            trace.end(status);
        }
        if let Some(times) = &mut self.times {
            // A head that no service has seen is malformed, or did not come in time.
            let unseen = || Label::new(RouteLabel::Unmatched, None).begun(now);
            times.record(&label.unwrap_or_else(unseen), status, now);
        }
        let record = notes.as_ref().and_then(|notes| notes.record.as_ref());
        if let (Some(log), Some(record)) = (&self.log, record) {
            let (id, version) = (id.map(RequestId::as_str), framing.version);
            let sent = Sent { client: origin.client(), version, status, bytes, id, is_refused };
            log.write(record, &sent, self.date.at(now));
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

    /// Returns the status and the bytes of the body; `None` if their number is not known.
    fn encode_response(
        &mut self,
        response: Response<Body>,
        framing: h1::Exchange,
        now: Time,
        output: &mut Output,
    ) -> (StatusCode, Option<u64>) {
        let (mut parts, body) = response.into_parts();
        if !parts.extensions.is_empty() {
            // The extensions are the only part of a response with user code in its drop.
            let extensions = std::mem::take(&mut parts.extensions);
            catch_panic("the drop of a response's extensions", || drop(extensions));
        }
        let length = body.len();
        h1::encode_head(&parts, length, framing, self.date.at(now), output.buffer());
        if !h1::carries_body(parts.status, framing) {
            return (parts.status, Some(0));
        }
        let is_chunked = h1::is_chunked(length, framing);
        output.put_body(body, if is_chunked { CHUNKS } else { PieceFraming::Plain });
        (parts.status, length)
    }

    /// Returns the status and the bytes of the body, as [`Self::encode_response`].
    fn encode_unavailable(
        &mut self,
        text: Bytes,
        retry_after_seconds: u64,
        id: Option<&RequestId>,
        framing: h1::Exchange,
        now: Time,
        output: &mut Output,
    ) -> (StatusCode, Option<u64>) {
        let (status, length) = (StatusCode::SERVICE_UNAVAILABLE, text.len() as u64);
        let field = id.map(|id| (RequestId::FIELD, id.value()));
        let (date, buffer) = (self.date.at(now), output.buffer());
        h1::encode_unavailable(retry_after_seconds, length, field, framing, date, buffer);
        if !h1::carries_body(status, framing) {
            return (status, Some(0));
        }
        output.put_body(Body::Bytes(text), PieceFraming::Plain);
        (status, Some(length))
    }
}
