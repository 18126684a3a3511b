//! Tests of the codec with the bytes of a client. Each names the section of the RFC that it checks.

mod chunk_writer;
mod chunked;
mod encode;
mod framing;
mod head;
mod limits;
mod lines;
mod persistence;
mod properties;
mod refused;
mod request_line;
mod streamed;
mod target;

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};

use super::{Decoded, Decoder, Exchange, Limits, Rejection};

/// Decodes bytes that arrive on a new connection in one piece.
fn decode(wire: impl AsRef<[u8]>) -> Decoded {
    decode_within(Limits::default(), wire)
}

fn decode_within(limits: Limits, wire: impl AsRef<[u8]>) -> Decoded {
    next(&mut Decoder::new(limits), &mut BytesMut::from(wire.as_ref()))
}

/// Returns the next outcome, and reads on after a head whose body has not arrived.
fn next(decoder: &mut Decoder, input: &mut BytesMut) -> Decoded {
    match decoder.decode(input) {
        Decoded::Head => decoder.decode(input),
        other => other,
    }
}

/// Decodes bytes that must be one request.
#[track_caller]
fn accepted(wire: impl AsRef<[u8]>) -> (Request<Bytes>, Exchange) {
    match decode(wire) {
        Decoded::Request(head, body, exchange) => (head.into_request(body), exchange),
        other => panic!("not a request: {other:?}"),
    }
}

/// Decodes bytes that must be rejected, and checks that the rejection closes the connection.
#[track_caller]
fn refused(wire: impl AsRef<[u8]>) -> Rejection {
    refused_within(Limits::default(), wire)
}

#[track_caller]
fn refused_within(limits: Limits, wire: impl AsRef<[u8]>) -> Rejection {
    match decode_within(limits, wire) {
        Decoded::Reject(rejection, exchange) => {
            assert!(!exchange.keep_alive, "a rejection closes");
            rejection
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn status(wire: impl AsRef<[u8]>) -> StatusCode {
    refused(wire).status()
}

/// Returns a GET with these lines (each with its CRLF) after its Host.
fn get_with(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

/// Returns a POST with these lines (each with its CRLF) after its Host, and this body.
fn post_with(lines: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}")
}
