//! Checks the request line before the rest of the head has arrived.

use http::Version;

use super::{exchange::Exchange, rejection::Rejection};

/// Bytes of a request line besides its target: method, two spaces, version and CRLF. The longest
/// registered method has 17 bytes. 64 bytes are enough for most unknown methods to get their 501.
pub(super) const REST_BYTES: usize = 64;

/// The first byte of a TLS record that holds a handshake message (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Rejects a first byte that cannot begin a request line.
///
/// So a client of another protocol gets a response at once, and not after a timeout.
pub(super) fn check_first_byte(byte: u8) -> Result<(), Rejection> {
    match byte {
        TLS_HANDSHAKE => Err(Rejection::BadRequest("this port speaks HTTP, not TLS")),
        b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' => Ok(()),
        b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~' => Ok(()),
        _ => Err(Rejection::BadRequest("this is not HTTP")),
    }
}

/// Returns the rejection of a first line without an end within its limit.
pub(super) fn too_long(line: &[u8], uri_bytes: usize) -> Rejection {
    if line.contains(&b' ') {
        Rejection::TargetTooLong { limit: uri_bytes }
    } else {
        Rejection::BadRequest("the request line has no target")
    }
}

/// Reads the version at the end of the line, and whether the method is HEAD. The parser of the
/// head reads the rest of the line.
///
/// A minor version above 1 is lowered to 1 in place: it is processed as the highest version of this
/// server (RFC 9110 §2.5), and the parser knows no later one.
pub(super) fn read(line: &mut [u8]) -> Result<Exchange, Rejection> {
    let head = line.starts_with(b"HEAD ");
    let Some(
        [.., b' ', b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'],
    ) = Some(line)
    else {
        return Err(Rejection::BadRequest("the request line does not end in an HTTP version"));
    };
    if *major != b'1' {
        return Err(Rejection::VersionNotSupported);
    }
    let version = if *minor == b'0' { Version::HTTP_10 } else { Version::HTTP_11 };
    *minor = (*minor).min(b'1');
    Ok(Exchange { version, head, keep_alive: false })
}
