//! The head of a response.

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, response::Parts};

use super::{exchange::Exchange, framing};

/// The interim response to [`Decoded::Continue`](super::Decoded::Continue).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The most bytes of the status line and the codec's own fields, rounded up: `HTTP/1.1 431 Request
/// Header Fields Too Large` (44), `Date` (37), `Content-Length` with 20 digits (38), `Connection`
/// (24) and the blank line (2).
const OWN_BYTES: usize = 160;

/// The most bytes of the other fields of a 503: `content-type` (41) and `retry-after` with 20
/// digits (35), rounded up.
const UNAVAILABLE_BYTES: usize = 80;

/// Appends the status line and the header fields of a response to `out`. The caller appends the
/// body if [`carries_body`] returns true.
///
/// The codec owns the framing: it writes its own Content-Length, Connection and Date, and ignores
/// these fields and Transfer-Encoding in `parts.headers`. `parts.version` and `parts.extensions`
/// are not used.
///
/// - The version is always HTTP/1.1, also to an HTTP/1.0 client (RFC 9110 §6.2).
/// - `length`, in bytes, becomes Content-Length. A response with 1xx, 204 or 304 has none (RFC
///   9110 §8.6); with 205 it is 0 (§15.3.6). In a response to HEAD, a number in the handler's own
///   Content-Length takes precedence, so that the handler need not produce a body.
/// - Without a length the caller writes the body in chunks (RFC 9112 §7.1). HTTP/1.0 has no chunks:
///   the caller sets `keep_alive` to false, and the end of the connection ends the body (§6.3).
/// - `date` is an IMF-fixdate (RFC 9110 §5.6.7), which the caller makes once a second.
/// - Connection is `close` if the connection ends, and `keep-alive` if an HTTP/1.0 one goes on.
///
/// ```
/// use seda_http::h1::{Exchange, encode_head};
/// use seda_http::{BytesMut, Response};
///
/// let (parts, body) = Response::new("hello\n").into_parts();
/// let exchange = Exchange { version: http::Version::HTTP_11, head: false, keep_alive: true };
/// let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
/// let mut out = BytesMut::new();
/// encode_head(&parts, Some(body.len() as u64), exchange, date, &mut out);
/// assert!(out.starts_with(b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
/// assert!(out.ends_with(b"Content-Length: 6\r\n\r\n"));
/// ```
pub fn encode_head(
    parts: &Parts,
    length: Option<u64>,
    exchange: Exchange,
    date: &[u8; 29],
    out: &mut BytesMut,
) {
    out.reserve(OWN_BYTES + fields_bytes(&parts.headers));
    put_status_line(parts.status, out);
    put_own_fields(content_length(parts, length, exchange), exchange, date, out);
    if is_chunked(length, exchange) && carries_body(parts.status, exchange) {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    put_fields(&parts.headers, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends the head of a 503 with a text of `length` bytes and a Retry-After, as [`encode_head`]
/// would, without a map of its fields. `field` is one more field.
pub(crate) fn encode_unavailable(
    retry_after_seconds: u64,
    length: u64,
    field: Option<(HeaderName, &HeaderValue)>,
    exchange: Exchange,
    date: &[u8; 29],
    out: &mut BytesMut,
) {
    out.reserve(OWN_BYTES + UNAVAILABLE_BYTES);
    out.extend_from_slice(b"HTTP/1.1 503 Service Unavailable\r\n");
    put_own_fields(Some(length), exchange, date, out);
    out.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\nretry-after: ");
    put_decimal(retry_after_seconds, out);
    out.extend_from_slice(b"\r\n");
    if let Some((name, value)) = field {
        put_field(&name, value, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes Date, Content-Length and Connection.
fn put_own_fields(length: Option<u64>, exchange: Exchange, date: &[u8; 29], out: &mut BytesMut) {
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(date);
    if let Some(length) = length {
        out.extend_from_slice(b"\r\nContent-Length: ");
        put_decimal(length, out);
    }
    if !exchange.keep_alive {
        out.extend_from_slice(b"\r\nConnection: close");
    } else if exchange.version == Version::HTTP_10 {
        out.extend_from_slice(b"\r\nConnection: keep-alive");
    }
    out.extend_from_slice(b"\r\n");
}

/// Returns true if a body of this length is in chunks: its length is unknown, and the client knows
/// HTTP/1.1 (RFC 9112 §7.1).
pub(crate) fn is_chunked(length: Option<u64>, exchange: Exchange) -> bool {
    length.is_none() && exchange.version != Version::HTTP_10
}

/// Returns true if a response with this status has body bytes on the wire. It has none to HEAD, or
/// with 1xx, 204, 304 (RFC 9112 §6.3) or 205 (RFC 9110 §15.3.6).
///
/// ```
/// use seda_http::StatusCode;
/// use seda_http::h1::{Exchange, carries_body};
///
/// let get = Exchange { version: http::Version::HTTP_11, head: false, keep_alive: true };
/// assert!(carries_body(StatusCode::OK, get));
/// assert!(!carries_body(StatusCode::NO_CONTENT, get));
/// assert!(!carries_body(StatusCode::OK, Exchange { head: true, ..get }));
/// ```
#[must_use]
pub fn carries_body(status: StatusCode, exchange: Exchange) -> bool {
    !exchange.head && has_length(status) && status != StatusCode::RESET_CONTENT
}

/// Returns the reason why HTTP/1.1 cannot carry a final response with this status and a body of
/// `length` bytes, `None` for an unknown number; `None` if it can.
///
/// A client takes a 1xx for an interim response and waits for the final one (RFC 9110 §15.2). The
/// body of a 204, 205 or 304 would be taken for the next response (RFC 9112 §6.3).
pub(crate) fn unsendable(status: StatusCode, length: Option<u64>) -> Option<&'static str> {
    if status.is_informational() {
        return Some("a status from 100 to 199 is no final answer");
    }
    let is_bare = !has_length(status) || status == StatusCode::RESET_CONTENT;
    (is_bare && length != Some(0)).then_some("an answer with status 204, 205 or 304 has no body")
}

fn has_length(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

fn content_length(parts: &Parts, length: Option<u64>, exchange: Exchange) -> Option<u64> {
    match parts.status {
        status if !has_length(status) => None,
        StatusCode::RESET_CONTENT => Some(0),
        _ if exchange.head => length_of_handler(&parts.headers).or(length),
        _ => length,
    }
}

/// Returns the handler's own Content-Length; `None` if it has none or is not a number.
fn length_of_handler(headers: &HeaderMap) -> Option<u64> {
    framing::decimal(headers.get(header::CONTENT_LENGTH)?.as_bytes())
}

/// Writes the space before the reason even if the status has no reason (RFC 9112 §4).
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
            put_field(name, value, out);
        }
    }
}

fn put_field(name: &HeaderName, value: &HeaderValue, out: &mut BytesMut) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Returns the bytes of all fields. The ignored fields make it a little more than needed.
fn fields_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// Returns true if the codec writes this field itself.
fn is_own(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH
        || *name == header::TRANSFER_ENCODING
        || *name == header::CONNECTION
        || *name == header::DATE
}

/// Writes decimal digits without `std::fmt`, which costs more than the rest of the head.
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
