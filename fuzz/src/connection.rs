//! The requests of one connection with their answers, in different pieces.

use crate::pieces::{pieces, seed_and_wire};
use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};
use seda_http::h1::{Decoded, Decoder, Exchange, Limits, RequestHead, carries_body, encode_head};

/// Small limits, so that inputs reach them.
const LIMITS: Limits = Limits { head_bytes: 256, uri_bytes: 32, headers: 8, body_bytes: 64 };

/// The most bytes of a streamed body.
const STREAMED_BYTES: usize = 96;

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// Serves the connection with the bytes in one piece, in random pieces and byte by byte.
pub fn check(data: &[u8]) {
    let (seed, wire) = seed_and_wire(data);
    let cut = pieces(wire, seed);
    let bytes: Vec<&[u8]> = wire.chunks(1).collect();
    for (may_stream, may_refuse) in [(false, false), (true, false), (true, true)] {
        let serve = |pieces: &[&[u8]]| Connection::new(may_stream, may_refuse).serve(pieces);
        let whole = serve(&[wire]);
        for other in [serve(&cut), serve(&bytes)] {
            if may_refuse {
                check_refused(&whole, &other);
            } else {
                assert_eq!(other, whole);
            }
        }
    }
}

/// A request as the program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    head: String,
    /// `None` if the body is malformed, too long or not here.
    body: Option<Vec<u8>>,
    is_refused: bool,
}

/// What a connection has come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Served {
    requests: Vec<Seen>,
    answers: Vec<u8>,
    /// The server takes no more requests.
    is_over: bool,
}

/// A server of one connection. It streams and refuses requests by the last byte of their target.
struct Connection {
    decoder: Decoder,
    may_refuse: bool,
    may_stream: bool,
    served: Served,
    /// The request whose body is streamed: its exchange, and the body so far.
    streamed: Option<(Exchange, Vec<u8>)>,
}

impl Connection {
    fn new(may_stream: bool, may_refuse: bool) -> Self {
        let decoder = Decoder::new(LIMITS).any_method();
        let decoder = if may_stream { decoder.streams_bodies() } else { decoder };
        Self { decoder, may_refuse, may_stream, served: Served::default(), streamed: None }
    }

    fn serve(mut self, pieces: &[&[u8]]) -> Served {
        let mut input = BytesMut::new();
        for piece in pieces {
            input.extend_from_slice(piece);
            while self.step(&mut input) {}
        }
        self.served
    }

    /// Takes the next outcome. Returns false if more bytes are needed.
    fn step(&mut self, input: &mut BytesMut) -> bool {
        match self.decoder.decode(input) {
            Decoded::Incomplete => return false,
            // Whether it is sent depends on how much has arrived.
            Decoded::Continue => {}
            Decoded::Head => self.decide(input),
            Decoded::Request(head, body, exchange) => {
                let is_refused = self.refuses(&head);
                let seen = Seen { head: text(&head), body: Some(body.to_vec()), is_refused };
                self.served.requests.push(seen);
                self.answer(if is_refused { 503 } else { 200 }, &body, exchange);
            }
            Decoded::Piece(piece, is_last) => self.take_piece(&piece, is_last),
            Decoded::Reject(rejection, exchange) => {
                self.streamed = None;
                assert!(!exchange.keep_alive);
                let line = rejection.to_string();
                self.answer(rejection.status().as_u16(), line.as_bytes(), exchange);
            }
            Decoded::Refused(exchange) => self.answer(503, b"", exchange),
        }
        true
    }

    /// Decides about a request whose body has not arrived whole.
    fn decide(&mut self, input: &mut BytesMut) {
        let head = self.decoder.head().expect("the announced head").clone();
        if self.refuses(&head) {
            let exchange = self.decoder.refuse(input);
            self.served.requests.push(Seen { head: text(&head), body: None, is_refused: true });
            if !exchange.keep_alive {
                self.answer(503, b"", exchange);
            }
            return;
        }
        let fits = head.content_length().is_none_or(|it| it <= STREAMED_BYTES as u64);
        if self.may_stream && fits && head.uri().path().ends_with('s') {
            let (head, exchange, _) = self.decoder.stream(STREAMED_BYTES as u64, input).unwrap();
            self.served.requests.push(Seen { head: text(&head), body: None, is_refused: false });
            self.streamed = Some((exchange, Vec::new()));
        }
    }

    fn refuses(&self, head: &RequestHead) -> bool {
        self.may_refuse && head.uri().path().ends_with('r')
    }

    fn take_piece(&mut self, piece: &Bytes, is_last: bool) {
        let (exchange, mut body) = self.streamed.take().expect("a body is streamed");
        assert!(is_last || !piece.is_empty());
        body.extend_from_slice(piece);
        assert!(body.len() <= STREAMED_BYTES);
        if !is_last {
            self.streamed = Some((exchange, body));
            return;
        }
        let seen = self.served.requests.last_mut().expect("the request was seen");
        seen.body = Some(body.clone());
        self.answer(200, &body, exchange);
    }

    /// Writes an answer, as the last one if the exchange is.
    fn answer(&mut self, status: u16, body: &[u8], exchange: Exchange) {
        assert!(!self.served.is_over, "an answer behind the last one");
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let (parts, ()) = response.into_parts();
        let mut out = BytesMut::new();
        encode_head(&parts, Some(body.len() as u64), exchange, DATE, &mut out);
        let has_body = carries_body(parts.status, exchange);
        if has_body {
            out.extend_from_slice(body);
        }
        check_answer(&out, has_body);
        self.served.answers.extend_from_slice(&out);
        self.served.is_over = !exchange.keep_alive;
    }
}

fn text(head: &RequestHead) -> String {
    format!("{:?}", head.clone().into_request(Bytes::new()))
}

/// A request that is refused before its body may end the connection, and one that has arrived whole
/// does not. So with other pieces a connection ends earlier, and sees nothing else.
fn check_refused(whole: &Served, other: &Served) {
    let heads = |served: &Served| -> Vec<(String, bool)> {
        served.requests.iter().map(|it| (it.head.clone(), it.is_refused)).collect()
    };
    let (whole_heads, other_heads) = (heads(whole), heads(other));
    let (short, long) = match other_heads.len() <= whole_heads.len() {
        true => (&other_heads, &whole_heads),
        false => (&whole_heads, &other_heads),
    };
    assert_eq!(short[..], long[..short.len()]);
    for (one, other) in whole.requests.iter().zip(&other.requests) {
        let same = one.body == other.body || one.is_refused;
        assert!(same, "{one:?} in place of {other:?}");
    }
}

/// An answer is a response with the declared number of bytes, and nothing behind them.
fn check_answer(answer: &[u8], has_body: bool) {
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(end)) = response.parse(answer) else {
        panic!("no response: {:?}", String::from_utf8_lossy(answer))
    };
    let length = response.headers.iter().find(|it| it.name == "Content-Length").unwrap();
    let length: usize = std::str::from_utf8(length.value).unwrap().parse().unwrap();
    assert_eq!(answer.len() - end, if has_body { length } else { 0 });
}
