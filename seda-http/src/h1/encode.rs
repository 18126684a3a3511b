//! The head of an answer.

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, StatusCode, Version, header, response::Parts};

use super::{exchange::Exchange, framing};

/// The interim answer to [`Decoded::Continue`](super::Decoded::Continue).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Status line and the codec's own fields: at most `HTTP/1.1 431 Request Header Fields Too Large`
/// (44), `Date` (37), `Content-Length` with 20 digits (38), `Connection` (24) and the blank line
/// (2), rounded up.
const OWN_BYTES: usize = 160;

/// Writes status line and header fields to the end of `out`; the body, if
/// [`carries_body`] says so, is the caller's to append.
///
/// Framing is the codec's: Content-Length, Transfer-Encoding, Connection and Date in
/// `parts.headers` are left out, and its own are written instead, so that none is there twice.
/// `parts.version` and `parts.extensions` are not used.
///
/// - The version is always HTTP/1.1, to HTTP/1.0 too (RFC 9110 §6.2).
/// - `length`, in bytes, becomes Content-Length; with 1xx, 204 and 304 there is none (RFC 9110
///   §8.6), with 205 it is 0 (§15.3.6). Answering HEAD, a number in the handler's own
///   Content-Length goes first, so that a handler need not make a body to tell its size.
/// - `date` is an IMF-fixdate (RFC 9110 §5.6.7), made by the caller once a second.
/// - `Connection: close` if the exchange is not kept alive, `keep-alive` if an HTTP/1.0 one is.
pub fn encode_head(
    parts: &Parts,
    length: u64,
    exchange: Exchange,
    date: &[u8; 29],
    out: &mut BytesMut,
) {
    out.reserve(OWN_BYTES + fields_bytes(&parts.headers));
    put_status_line(parts.status, out);
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(date);
    if let Some(length) = content_length(parts, length, exchange) {
        out.extend_from_slice(b"\r\nContent-Length: ");
        put_decimal(length, out);
    }
    if !exchange.keep_alive {
        out.extend_from_slice(b"\r\nConnection: close");
    } else if exchange.version == Version::HTTP_10 {
        out.extend_from_slice(b"\r\nConnection: keep-alive");
    }
    out.extend_from_slice(b"\r\n");
    put_fields(&parts.headers, out);
    out.extend_from_slice(b"\r\n");
}

/// Whether an answer with this status to this exchange has body bytes on the wire: not to HEAD,
/// not with 1xx, 204, 304 (RFC 9112 §6.3) or 205 (RFC 9110 §15.3.6).
#[must_use]
pub fn carries_body(status: StatusCode, exchange: Exchange) -> bool {
    !exchange.head && has_length(status) && status != StatusCode::RESET_CONTENT
}

fn has_length(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

fn content_length(parts: &Parts, length: u64, exchange: Exchange) -> Option<u64> {
    let told = || framing::decimal(parts.headers.get(header::CONTENT_LENGTH)?.as_bytes());
    match parts.status {
        status if !has_length(status) => None,
        StatusCode::RESET_CONTENT => Some(0),
        _ if exchange.head => told().or(Some(length)),
        _ => Some(length),
    }
}

/// RFC 9112 §4: the space before the reason stays where there is no reason.
fn put_status_line(status: StatusCode, out: &mut BytesMut) {
    if status == StatusCode::OK {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn put_fields(headers: &HeaderMap, out: &mut BytesMut) {
    for (name, value) in headers {
        if !is_own(name) {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Room for all fields; those that are left out make it a little too much.
fn fields_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// Whether the codec writes this field itself.
fn is_own(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH
        || *name == header::TRANSFER_ENCODING
        || *name == header::CONNECTION
        || *name == header::DATE
}

/// Decimal digits without the formatting machinery, which costs more than the rest of the head.
fn put_decimal(mut number: u64, out: &mut BytesMut) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}
