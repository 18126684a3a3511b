//! The chunked transfer coding (RFC 9112 §7.1): a body to chunks.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName};

/// The end of each chunk's data.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk, without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends the line before the data of a chunk. `length` is not 0, because an empty chunk is the
/// last one.
pub(crate) fn put_chunk_size(length: usize, out: &mut BytesMut) {
    debug_assert!(length > 0, "an empty chunk ends the body");
    let mut digits = [b'0'; usize::BITS as usize / 4];
    let mut start = digits.len();
    let mut left = length;
    for digit in digits.iter_mut().rev() {
        *digit = hex_digit(left);
        left /= 16;
        start -= 1;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

/// Returns the last chunk with these trailers. Fields that must not be trailers are left out (see
/// [`may_trail`]).
pub(crate) fn last_chunk(trailers: &HeaderMap) -> Bytes {
    let mut out = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers.iter().filter(|(name, _)| may_trail(name)) {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.freeze()
}

/// Returns false for a field that a recipient has to know before the body: for framing, routing,
/// authentication, request modifiers, and the interpretation of the content (RFC 9110 §6.5.1).
fn may_trail(name: &HeaderName) -> bool {
    const NEVER: &[&str] = &[
        "age",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "date",
        "expires",
        "host",
        "location",
        "proxy-authenticate",
        "retry-after",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "www-authenticate",
    ];
    !NEVER.contains(&name.as_str())
}

fn hex_digit(digit: usize) -> u8 {
    let digit = (digit % 16) as u8;
    if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) }
}
