//! The state machine that reads the requests of one connection.

use std::net::IpAddr;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    body_state::{BodyNeed, BodyState, StreamedBody},
    chunked::Chunked,
    exchange::Exchange,
    framing::Framing,
    head::{self, Head, Methods, RequestHead},
    limits::Limits,
    lines::Lines,
    rejection::Rejection,
    request_line,
};

/// Empty lines that are skipped before a request line. RFC 9112 §2.2 asks for at least one,
/// because old clients sent one after a body. The bound ends a client that sends nothing else.
const EMPTY_LINES: u8 = 4;

/// Reads the requests of one connection, in order.
///
/// [`decode`](Self::decode) consumes the bytes that have arrived, and returns the same requests
/// regardless of how the network splits them. An unfinished head, a body of declared length and
/// unfinished trailers stay in the input until they are whole. The caller only appends to the
/// input.
///
/// A request whose body has not arrived is announced by its head, so that the caller can
/// [`refuse`](Self::refuse) it before it reads the body.
///
/// ```
/// use seda_http::BytesMut;
/// use seda_http::h1::{Decoded, Decoder, Limits};
///
/// let mut decoder = Decoder::new(Limits::default());
/// let mut input = BytesMut::from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
/// assert!(matches!(decoder.decode(&mut input), Decoded::Head));
/// assert_eq!(decoder.head().and_then(|head| head.content_length()), Some(5));
/// assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
/// assert!(decoder.mid_request(&input) && decoder.in_body());
/// input.extend_from_slice(b"llo");
/// let Decoded::Request(head, body, _) = decoder.decode(&mut input) else { unreachable!() };
/// assert_eq!(head.into_request(body).body(), "hello");
/// ```
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// The connection has TLS.
    is_encrypted: bool,
    methods: Methods,
    /// The caller may stream bodies, so one beyond the limits is announced first.
    may_stream: bool,
    /// The client of the connection, if it is known.
    client: Option<IpAddr>,
    /// The fields of its heads name their clients.
    is_proxied: bool,
    state: State,
    /// The client of the current request waits for `100 Continue`.
    expects_continue: bool,
    /// The scan of the current head.
    lines: Lines,
    /// Empty lines skipped before it.
    empty_lines: u8,
    /// The known properties of the current request.
    exchange: Exchange,
    /// The most bytes of the current request's body, if it is chunked.
    body_bytes: usize,
}

#[derive(Debug)]
enum State {
    /// Between requests, or inside a head.
    Head,
    /// The head is read; the body is incomplete.
    Body(RequestHead, BodyState),
    /// The head was returned; the body is returned piece by piece.
    Streamed(StreamedBody),
    /// The request is refused; its body is dropped before its response.
    Refused(BodyState, Exchange),
    /// The last request was returned or rejected.
    Closed,
}

/// The result of [`Decoder::decode`].
///
/// ```
/// use seda_http::BytesMut;
/// use seda_http::h1::{Decoded, Decoder, Limits, Rejection};
///
/// let mut input = BytesMut::from("GET / HTTP/2.0\r\n");
/// let Decoded::Reject(rejection, exchange) = Decoder::new(Limits::default()).decode(&mut input)
/// else {
///     unreachable!()
/// };
/// assert_eq!(rejection, Rejection::VersionNotSupported);
/// assert!(!exchange.keep_alive);
/// ```
#[derive(Debug)]
pub enum Decoded {
    /// More bytes are needed, or the connection takes no more requests.
    Incomplete,
    /// The head of a request with a body that has not arrived whole; [`Decoder::head`] returns it.
    ///
    /// Call [`Decoder::refuse`] to refuse the request, or `decode` again to read its body. Returned
    /// at most once per request.
    Head,
    /// The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1).
    ///
    /// Write [`CONTINUE`](super::CONTINUE) and call `decode` again. Returned at most once per
    /// request, only if no byte of the body has arrived and the limits allow the body.
    Continue,
    /// A whole request. If `keep_alive` is false it is the last one of its connection, and the
    /// bytes after it are discarded (RFC 9112 §9.6).
    Request(RequestHead, Bytes, Exchange),
    /// The codec's own response. `keep_alive` is false: close after it, but read on for a moment,
    /// because a reset could cost the client the response (RFC 9112 §9.6).
    Reject(Rejection, Exchange),
    /// The next bytes of a body that is [streamed](Decoder::stream), and whether they are its last.
    /// Only the last piece may be empty.
    Piece(Bytes, bool),
    /// The body of a refused request was read and dropped: respond to the request now. If
    /// `keep_alive` is false, the body is malformed or too long and the start of the next request
    /// is unknown: close after the response, as after `Reject`.
    Refused(Exchange),
}

impl Decoder {
    /// Returns the decoder of a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            is_encrypted: false,
            methods: Methods::Known,
            may_stream: false,
            client: None,
            is_proxied: false,
            state: State::Head,
            expects_continue: false,
            lines: Lines::default(),
            empty_lines: 0,
            exchange: Exchange::UNKNOWN,
            body_bytes: limits.body_bytes,
        }
    }

    /// Accepts every method except CONNECT, also those that RFC 9110 does not have, such as
    /// PROPFIND, PURGE or QUERY. Without this call they are rejected with 501.
    ///
    /// ```
    /// use seda_http::BytesMut;
    /// use seda_http::h1::{Decoded, Decoder, Limits};
    ///
    /// let mut decoder = Decoder::new(Limits::default()).any_method();
    /// let mut input = BytesMut::from("PURGE /page HTTP/1.1\r\nHost: a\r\n\r\n");
    /// let Decoded::Request(head, ..) = decoder.decode(&mut input) else { unreachable!() };
    /// assert_eq!(head.method().as_str(), "PURGE");
    /// ```
    #[must_use]
    pub fn any_method(self) -> Self {
        Self { methods: Methods::Any, ..self }
    }

    /// Reads a connection with TLS: the scheme of its targets is `https`, and one with `http` is
    /// rejected with 421.
    ///
    /// ```
    /// use seda_http::BytesMut;
    /// use seda_http::h1::{Decoded, Decoder, Limits, Rejection};
    ///
    /// let mut decoder = Decoder::new(Limits::default()).over_tls();
    /// let mut input = BytesMut::from("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
    /// let Decoded::Reject(rejection, _) = decoder.decode(&mut input) else { unreachable!() };
    /// assert_eq!(rejection, Rejection::Misdirected);
    /// ```
    #[must_use]
    pub fn over_tls(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// Lets the caller [stream](Self::stream) bodies, also those beyond [`Limits::body_bytes`]. A
    /// longer body that is not streamed is rejected after [`Decoded::Head`].
    #[must_use]
    pub fn streams_bodies(self) -> Self {
        Self { may_stream: true, ..self }
    }

    /// Consumes the bytes of the next request from `input`.
    ///
    /// Call it again after every result except `Incomplete`, because `input` may hold the next,
    /// pipelined request. `Incomplete` needs more bytes first. After the last request of the
    /// connection it discards all input and returns `Incomplete`.
    #[must_use]
    pub fn decode(&mut self, input: &mut BytesMut) -> Decoded {
        let streamed = match &self.state {
            State::Streamed(streamed) => Some(streamed.exchange),
            _ => None,
        };
        let outcome = match self.state {
            State::Head => self.read_head(input),
            State::Body(..) => self.body(input),
            State::Streamed(..) => self.streamed_body(input),
            State::Refused(..) => Ok(self.refused_body(input)),
            State::Closed => Ok(Decoded::Incomplete),
        };
        let decoded = outcome.unwrap_or_else(|rejection| {
            self.state = State::Closed;
            Decoded::Reject(rejection, streamed.unwrap_or(self.exchange).closing())
        });
        if matches!(self.state, State::Closed) {
            input.clear();
        }
        decoded
    }

    /// Returns true from the first byte of a request to its last: the client owes bytes, and a read
    /// timeout applies. Empty lines before a request do not count.
    ///
    /// Valid only after `decode` returned `Incomplete`; before, `input` may hold a whole request.
    #[must_use]
    pub fn mid_request(&self, input: &BytesMut) -> bool {
        match self.state {
            State::Head => !input.is_empty(),
            State::Body(..) | State::Streamed(..) | State::Refused(..) => true,
            State::Closed => false,
        }
    }

    /// Returns true while the head of a request is read and its body is incomplete. The response to
    /// a timeout then names the missing part.
    #[must_use]
    pub fn in_body(&self) -> bool {
        matches!(self.state, State::Body(..) | State::Streamed(..))
    }

    /// Returns true while the body of a refused request is dropped.
    #[must_use]
    pub fn in_refused_body(&self) -> bool {
        matches!(self.state, State::Refused(..))
    }

    /// Gives every head this client.
    pub(crate) fn of_client(self, client: Option<IpAddr>) -> Self {
        Self { client, ..self }
    }

    /// Says that a trusted proxy sends the heads, whose fields name their clients.
    pub(crate) fn of_proxy(self) -> Self {
        Self { is_proxied: true, ..self }
    }

    /// Returns true if a trusted proxy sends the heads.
    pub(crate) fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    /// Returns the head of the request whose body is incomplete, as [`Decoder::head`] does.
    pub(crate) fn head_mut(&mut self) -> Option<&mut RequestHead> {
        match &mut self.state {
            State::Body(head, _) => Some(head),
            _ => None,
        }
    }

    /// Returns the head of the request whose body is incomplete; `None` at any other time.
    #[must_use]
    pub fn head(&self) -> Option<&RequestHead> {
        match &self.state {
            State::Body(head, _) => Some(head),
            State::Head | State::Streamed(..) | State::Refused(..) | State::Closed => None,
        }
    }

    /// Gives up the request that [`Decoded::Head`] announced, and returns the exchange of its
    /// response. Nothing is allocated for the body.
    ///
    /// If `keep_alive` is true, the body has at most 64 KiB and is read and dropped first: respond
    /// after [`Decoded::Refused`]. A server that responds before a body and keeps the connection
    /// leaves two readings of the bytes that follow, which desync attacks need.
    ///
    /// In three cases `keep_alive` is false: the body is longer, its request was the last one
    /// anyway, or the client expects `100 Continue`. Such a client may send the body or not (RFC
    /// 9110 §10.1.1), so the start of its next request is unknown. Respond at once and close.
    #[must_use]
    pub fn refuse(&mut self, input: &mut BytesMut) -> Exchange {
        let exchange = self.begin_next();
        let is_unclear = std::mem::take(&mut self.expects_continue);
        let dropped = match std::mem::replace(&mut self.state, State::Closed) {
            State::Body(_, body) if exchange.keep_alive && !is_unclear => body.dropped(),
            _ => None,
        };
        let Some(body) = dropped else {
            input.clear();
            return exchange.closing();
        };
        self.state = State::Refused(body, exchange);
        exchange
    }

    /// Sets the most bytes of the body that is read next, in place of [`Limits::body_bytes`].
    pub(crate) fn limit_body(&mut self, bytes: usize) {
        self.body_bytes = bytes;
    }

    /// Returns the head of the request that [`Decoded::Head`] announced, its exchange, and whether
    /// the client waits for [`CONTINUE`](super::CONTINUE). From here on [`decode`](Self::decode)
    /// returns the body as [`Decoded::Piece`]s. `None` if no request is announced.
    ///
    /// A chunked body of more than `most` bytes is rejected. A declared length is the caller's to
    /// check ([`RequestHead::content_length`]).
    ///
    /// ```
    /// use seda_http::BytesMut;
    /// use seda_http::h1::{Decoded, Decoder, Limits};
    ///
    /// let mut decoder = Decoder::new(Limits::default()).streams_bodies();
    /// let mut input = BytesMut::from("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    /// assert!(matches!(decoder.decode(&mut input), Decoded::Head));
    /// let (head, _, _) = decoder.stream(5, &input).unwrap();
    /// assert_eq!(head.content_length(), Some(5));
    /// let Decoded::Piece(piece, false) = decoder.decode(&mut input) else { unreachable!() };
    /// assert_eq!(piece, "he");
    /// ```
    pub fn stream(&mut self, most: u64, input: &BytesMut) -> Option<(RequestHead, Exchange, bool)> {
        self.head()?;
        let State::Body(head, body) = std::mem::replace(&mut self.state, State::Closed) else {
            return None;
        };
        let awaits_continue = std::mem::take(&mut self.expects_continue) && input.is_empty();
        let exchange = self.begin_next();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.state = State::Streamed(StreamedBody { body, most, exchange });
        Some((head, exchange, awaits_continue))
    }

    /// Returns the memory that the unfinished body needs; `None` if no body is kept.
    pub(crate) fn body_need(&self) -> Option<BodyNeed> {
        match &self.state {
            State::Body(_, body) => body.need(self.body_bytes),
            State::Head | State::Streamed(..) | State::Refused(..) | State::Closed => None,
        }
    }

    fn read_head(&mut self, input: &mut BytesMut) -> Result<Decoded, Rejection> {
        if self.lines.untouched() && !self.skip_empty_lines(input)? {
            return Ok(Decoded::Incomplete);
        }
        let Some(end) = self.find_blank_line(input)? else {
            return Ok(Decoded::Incomplete);
        };
        // The head is whole.
        let bytes = input.split_to(end).freeze();
        let Head { request, keep_alive, expects_continue } = self.parse_head(&bytes)?;
        self.exchange.keep_alive = keep_alive;
        // Its framing says whether more bytes follow.
        let body = match request.framing() {
            Framing::Length(0) => return Ok(self.complete(request, Bytes::new())),
            Framing::Length(length) if length <= input.len().min(self.limits.body_bytes) => {
                let body = input.split_to(length).freeze();
                return Ok(self.complete(request, body));
            }
            Framing::Length(length) => BodyState::Length(length),
            Framing::Chunked => BodyState::Chunked(Chunked::default()),
        };
        // The head of an unfinished body keeps no part of the input's memory.
        let Head { request, .. } = self.parse_head(&Bytes::copy_from_slice(&bytes))?;
        self.state = State::Body(request, body);
        self.expects_continue = expects_continue;
        Ok(Decoded::Head)
    }

    fn parse_head(&self, bytes: &Bytes) -> Result<Head, Rejection> {
        let limits = self.head_limits();
        let (version, is_encrypted) = (self.exchange.version, self.is_encrypted);
        let mut head = head::read(bytes, version, is_encrypted, self.methods, &limits)?;
        head.request.set_client(self.client);
        Ok(head)
    }

    /// Returns the limits of a head: a body that may be streamed has any length.
    fn head_limits(&self) -> Limits {
        let body_bytes = if self.may_stream { usize::MAX } else { self.limits.body_bytes };
        Limits { body_bytes, ..self.limits }
    }

    /// Returns true if a request line begins at the front of the input.
    fn skip_empty_lines(&mut self, input: &mut BytesMut) -> Result<bool, Rejection> {
        while input.starts_with(b"\r\n") {
            input.advance(2);
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES {
                return Err(Rejection::BadRequest("there are only empty lines"));
            }
        }
        match input.first() {
            None => Ok(false),
            Some(b'\r') if input.len() == 1 => Ok(false),
            Some(first) => request_line::check_first_byte(*first).map(|()| true),
        }
    }

    /// Returns the end of the head; `None` if it has not arrived. Each line is checked at its own
    /// end, so that a rejection does not depend on how much has arrived.
    fn find_blank_line(&mut self, input: &mut BytesMut) -> Result<Option<usize>, Rejection> {
        let Limits { head_bytes, uri_bytes, .. } = self.limits;
        let first_line = head_bytes.min(uri_bytes.saturating_add(request_line::REST_BYTES));
        loop {
            let first = self.lines.at_first();
            let limit = if first { first_line } else { head_bytes };
            let line = self.lines.next(input, limit).map_err(|error| {
                error.rejection(match first {
                    true => request_line::too_long(input.get(..limit).unwrap_or(input), uri_bytes),
                    false => Rejection::HeadTooLarge { limit: head_bytes },
                })
            })?;
            let Some(line) = line else { return Ok(None) };
            if line.is_empty() {
                return Ok(Some(line.end + 2));
            }
            if first {
                self.exchange = request_line::read(input.get_mut(line).unwrap_or_default())?;
            }
        }
    }

    fn body(&mut self, input: &mut BytesMut) -> Result<Decoded, Rejection> {
        let limit = self.body_bytes;
        if matches!(self.state, State::Body(_, BodyState::Length(length)) if length > limit) {
            return Err(Rejection::BodyTooLarge { limit });
        }
        if std::mem::take(&mut self.expects_continue) && input.is_empty() {
            return Ok(Decoded::Continue);
        }
        let limits = Limits { body_bytes: self.body_bytes, ..self.limits };
        let body = match &mut self.state {
            // The input keeps no part of the body's memory.
            State::Body(_, BodyState::Length(length)) if input.len() == *length => {
                Some(std::mem::take(input).freeze())
            }
            State::Body(_, BodyState::Length(length)) if input.len() > *length => {
                Some(input.split_to(*length).freeze())
            }
            State::Body(_, BodyState::Chunked(chunked)) => chunked.decode(input, &limits)?,
            _ => None,
        };
        let Some(body) = body else {
            return Ok(Decoded::Incomplete);
        };
        match std::mem::replace(&mut self.state, State::Head) {
            State::Body(request, _) => Ok(self.complete(request, body)),
            State::Head | State::Streamed(..) | State::Refused(..) | State::Closed => {
                debug_assert!(false, "a body is complete only inside a body");
                Ok(Decoded::Incomplete)
            }
        }
    }

    /// Returns the next piece of a streamed body.
    fn streamed_body(&mut self, input: &mut BytesMut) -> Result<Decoded, Rejection> {
        let State::Streamed(StreamedBody { body, most, exchange }) = &mut self.state else {
            debug_assert!(false, "a streamed body is read in its state alone");
            return Ok(Decoded::Incomplete);
        };
        let keep_alive = exchange.keep_alive;
        let (piece, is_last) = body.next_piece(input, *most, &self.limits)?;
        if is_last {
            self.state = if keep_alive { State::Head } else { State::Closed };
        } else if piece.is_empty() {
            return Ok(Decoded::Incomplete);
        }
        Ok(Decoded::Piece(piece, is_last))
    }

    /// Drops the body of a refused request.
    fn refused_body(&mut self, input: &mut BytesMut) -> Decoded {
        let State::Refused(body, exchange) = &mut self.state else {
            debug_assert!(false, "the body of a refused request is dropped in its state alone");
            return Decoded::Incomplete;
        };
        let exchange = *exchange;
        let Ok(is_whole) = body.drop_from(input, &self.limits) else {
            self.state = State::Closed;
            return Decoded::Refused(exchange.closing());
        };
        if !is_whole {
            return Decoded::Incomplete;
        }
        self.state = State::Head;
        Decoded::Refused(exchange)
    }

    /// Returns a request and resets the state for the next one.
    fn complete(&mut self, request: RequestHead, body: Bytes) -> Decoded {
        let exchange = self.begin_next();
        if !exchange.keep_alive {
            self.state = State::Closed;
        }
        Decoded::Request(request, body, exchange)
    }

    /// Resets the scan for the next head, and returns the exchange of the current request.
    fn begin_next(&mut self) -> Exchange {
        self.lines = Lines::default();
        self.empty_lines = 0;
        self.body_bytes = self.limits.body_bytes;
        std::mem::replace(&mut self.exchange, Exchange::UNKNOWN)
    }
}
