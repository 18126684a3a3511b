//! The state machine of one connection's requests.

use bytes::{Buf, Bytes, BytesMut};
use http::Request;

use super::{
    chunked::Chunked,
    exchange::Exchange,
    framing::Framing,
    head::{self, Head},
    limits::Limits,
    lines::Lines,
    rejection::Rejection,
    request_line,
};

/// Empty lines that are skipped before a request line. RFC 9112 §2.2 asks for at least one (old
/// clients sent one after a body); a client that sends nothing else must meet an end.
const EMPTY_LINES: u8 = 4;

/// Reads the requests of one connection, in order. Resumable: [`decode`](Self::decode) takes what
/// has arrived, and gives the same requests however the bytes were split.
///
/// The input's bytes count as read only when they are consumed; an unfinished head, a body of
/// declared length and unfinished trailers stay in it. The caller appends to it, and never takes
/// from it.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    state: State,
    /// Of the head that is being read.
    lines: Lines,
    /// Skipped before it.
    empty_lines: u8,
    /// What is known of the request that is being read.
    exchange: Exchange,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per connection; a box would cost every body")]
enum State {
    /// Between requests, or inside a head.
    Head,
    /// The head is read, the body is not whole.
    Body(Request<()>, BodyState),
    /// The last request was given out, or refused.
    Closed,
}

#[derive(Debug)]
enum BodyState {
    Length(usize),
    Chunked(Chunked),
}

/// What [`Decoder::decode`] found.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once, on to the graph")]
pub enum Decoded {
    /// More bytes are needed, or the connection takes no more requests.
    Incomplete,
    /// The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1): write
    /// [`CONTINUE`](super::CONTINUE) and call `decode` again. At most once a request, and only if
    /// no body byte has arrived and the limits allow the body.
    Continue,
    /// A whole request. If `keep_alive` is false it is the connection's last: what follows it is
    /// discarded (RFC 9112 §9.6).
    Request(Request<Bytes>, Exchange),
    /// The codec's own answer. `keep_alive` is false: close after it, but read on for a moment,
    /// or the client may lose the answer to a reset (RFC 9112 §9.6).
    Reject(Rejection, Exchange),
}

impl Decoder {
    /// A decoder for a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Head,
            lines: Lines::default(),
            empty_lines: 0,
            exchange: Exchange::UNKNOWN,
        }
    }

    /// Consumes from `input` whatever belongs to the next request.
    ///
    /// Call it again after every outcome but `Incomplete`, which asks for more bytes first:
    /// `input` may hold the next, pipelined request. After the connection's last request it
    /// discards its input and answers `Incomplete`.
    #[must_use]
    pub fn decode(&mut self, input: &mut BytesMut) -> Decoded {
        let outcome = match self.state {
            State::Head => self.head(input),
            State::Body(..) => self.body(input),
            State::Closed => Ok(Decoded::Incomplete),
        };
        let decoded = outcome.unwrap_or_else(|rejection| {
            self.state = State::Closed;
            Decoded::Reject(rejection, self.exchange.closing())
        });
        if matches!(self.state, State::Closed) {
            input.clear();
        }
        decoded
    }

    /// True from the first byte of a request to its last: while it is, the client owes bytes, and
    /// the reactor's read timeout runs. Empty lines before a request do not count.
    ///
    /// Call it after `decode` gave `Incomplete`: before, `input` may hold a whole request.
    #[must_use]
    pub fn mid_request(&self, input: &BytesMut) -> bool {
        match self.state {
            State::Head => !input.is_empty(),
            State::Body(..) => true,
            State::Closed => false,
        }
    }

    /// True while the head is read and its body is not whole, so that an answer to a timeout can
    /// say what was waited for.
    #[must_use]
    pub fn in_body(&self) -> bool {
        matches!(self.state, State::Body(..))
    }

    fn head(&mut self, input: &mut BytesMut) -> Result<Decoded, Rejection> {
        if self.lines.untouched() && !self.skip_empty_lines(input)? {
            return Ok(Decoded::Incomplete);
        }
        let Some(end) = self.find_blank_line(input)? else {
            return Ok(Decoded::Incomplete);
        };
        let bytes = input.split_to(end).freeze();
        let Head { request, framing, keep_alive, expects_continue } =
            head::read(&bytes, self.exchange.version, &self.limits)?;
        self.exchange.keep_alive = keep_alive;
        let body = match framing {
            Framing::Length(0) => return Ok(self.complete(request, Bytes::new())),
            Framing::Length(length) => BodyState::Length(length),
            Framing::Chunked => BodyState::Chunked(Chunked::default()),
        };
        self.state = State::Body(request, body);
        if expects_continue && input.is_empty() {
            return Ok(Decoded::Continue);
        }
        self.body(input)
    }

    /// True if a request line begins at the front of the input.
    fn skip_empty_lines(&mut self, input: &mut BytesMut) -> Result<bool, Rejection> {
        while input.starts_with(b"\r\n") {
            input.advance(2);
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES {
                return Err(Rejection::BadRequest("there is no request in these empty lines"));
            }
        }
        match input.first() {
            None => Ok(false),
            Some(b'\r') if input.len() == 1 => Ok(false),
            Some(first) => request_line::check_first_byte(*first).map(|()| true),
        }
    }

    /// The end of the head, once it is there. Each line is judged when it ends, so that what is
    /// refused does not depend on how much has arrived.
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
        let body = match &mut self.state {
            State::Body(_, BodyState::Length(length)) if input.len() >= *length => {
                Some(input.split_to(*length).freeze())
            }
            State::Body(_, BodyState::Chunked(chunked)) => chunked.decode(input, &self.limits)?,
            _ => None,
        };
        let Some(body) = body else {
            return Ok(Decoded::Incomplete);
        };
        match std::mem::replace(&mut self.state, State::Head) {
            State::Body(request, _) => Ok(self.complete(request, body)),
            State::Head | State::Closed => Ok(Decoded::Incomplete),
        }
    }

    /// Gives a request out and gets ready for the next.
    fn complete(&mut self, request: Request<()>, body: Bytes) -> Decoded {
        let exchange = std::mem::replace(&mut self.exchange, Exchange::UNKNOWN);
        self.lines = Lines::default();
        self.empty_lines = 0;
        if !exchange.keep_alive {
            self.state = State::Closed;
        }
        Decoded::Request(request.map(|()| body), exchange)
    }
}
