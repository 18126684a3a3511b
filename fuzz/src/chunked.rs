//! A chunked body, beside a second parser, in the three ways to read one.

use crate::pieces::{pieces, seed_and_wire};
use bytes::BytesMut;
use seda_http::h1::{Decoded, Decoder, Limits};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The longest body here; short, so that inputs reach it.
const BODY_BYTES: usize = 1024;

/// A refused body is read and dropped up to this many bytes.
const DROPPED_BYTES: usize = 64 * 1024;

/// The most trailer fields with the default limits.
const TRAILERS_MOST: usize = 100;

/// Reads the body whole, streamed and refused, each in pieces.
pub fn check(data: &[u8]) {
    let (seed, wire) = seed_and_wire(data);
    let expected = reference(wire, BODY_BYTES);
    let dropped = reference(wire, DROPPED_BYTES);
    for (way, expected) in
        [(Way::Whole, &expected), (Way::Streamed, &expected), (Way::Refused, &dropped)]
    {
        let whole = read(way, &[wire]);
        compare(way, &whole, expected);
        assert_eq!(read(way, &pieces(wire, seed)), whole, "{way:?} in pieces");
        assert_eq!(read(way, &wire.chunks(1).collect::<Vec<_>>()), whole, "{way:?} byte by byte");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Whole,
    Streamed,
    Refused,
}

/// The end of a body, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Complete { body: Vec<u8>, used: usize },
    Incomplete,
    Malformed,
}

fn compare(way: Way, found: &End, expected: &End) {
    let fits = match (found, expected) {
        // A refused body is not kept.
        (End::Complete { used, .. }, End::Complete { used: expected, .. })
            if way == Way::Refused =>
        {
            used == expected
        }
        // A fault in a line is found at its byte, or at the end of the section.
        (End::Incomplete, End::Malformed) | (End::Malformed, End::Incomplete) => true,
        (found, expected) => found == expected,
    };
    assert!(fits, "{way:?}: {found:?} in place of {expected:?}");
}

fn read(way: Way, pieces: &[&[u8]]) -> End {
    let mut decoder =
        Decoder::new(Limits { body_bytes: BODY_BYTES, ..Limits::default() }).streams_bodies();
    let mut input = BytesMut::from(HEAD);
    let (mut body, mut arrived) = (Vec::new(), 0);
    let first: &[u8] = &[];
    for piece in std::iter::once(&first).chain(pieces) {
        input.extend_from_slice(piece);
        arrived += piece.len();
        loop {
            match decoder.decode(&mut input) {
                Decoded::Incomplete => break,
                Decoded::Continue => {}
                Decoded::Head => match way {
                    Way::Whole => {}
                    Way::Streamed => {
                        decoder.stream(BODY_BYTES as u64, &input).expect("a head is announced");
                    }
                    Way::Refused => assert!(decoder.refuse(&mut input).keep_alive),
                },
                Decoded::Request(_, whole, _) => {
                    return End::Complete { body: whole.to_vec(), used: arrived - input.len() };
                }
                Decoded::Piece(piece, is_last) => {
                    body.extend_from_slice(&piece);
                    if is_last {
                        return End::Complete { body, used: arrived - input.len() };
                    }
                }
                Decoded::Refused(exchange) if exchange.keep_alive => {
                    return End::Complete { body, used: arrived - input.len() };
                }
                Decoded::Refused(_) | Decoded::Reject(..) => return End::Malformed,
            }
        }
    }
    End::Incomplete
}

/// Reads a chunked body of at most `most` bytes as the grammar of RFC 9112 §7.1 is written.
fn reference(wire: &[u8], most: usize) -> End {
    let mut rest = wire;
    let mut body = Vec::new();
    loop {
        let line = match line(rest) {
            Ok(line) => line,
            Err(end) => return end,
        };
        rest = &rest[line.len() + 2..];
        let Some(size) = chunk_size(line).filter(|size| *size <= most - body.len()) else {
            return End::Malformed;
        };
        if size == 0 {
            return trailers(wire, rest, body);
        }
        let Some((data, behind)) = rest.split_at_checked(size) else { return End::Incomplete };
        body.extend_from_slice(data);
        match behind {
            [] | [b'\r'] => return End::Incomplete,
            [b'\r', b'\n', ..] => rest = &behind[2..],
            _ => return End::Malformed,
        }
    }
}

/// Returns the next line without its CRLF. A CR or LF elsewhere is a fault.
fn line(bytes: &[u8]) -> Result<&[u8], End> {
    match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        None => Err(End::Incomplete),
        Some(end) => match &bytes[end..] {
            [b'\r', b'\n', ..] => Ok(&bytes[..end]),
            [b'\r'] => Err(End::Incomplete),
            _ => Err(End::Malformed),
        },
    }
}

/// Returns the size in a line `size [BWS] *( ";" extension )`; what an extension holds is ignored.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extension) = line.split_at(digits);
    let begins_well = extension.is_empty() || extension.trim_ascii_start().starts_with(b";");
    let is_text = extension.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..));
    if !(1..=16).contains(&digits) || !begins_well || !is_text {
        return None;
    }
    usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()
}

fn trailers(wire: &[u8], mut rest: &[u8], body: Vec<u8>) -> End {
    let mut are_fields = true;
    let mut count = 0;
    loop {
        let line = match line(rest) {
            Ok(line) => line,
            Err(end) => return end,
        };
        rest = &rest[line.len() + 2..];
        if line.is_empty() && are_fields {
            return End::Complete { body, used: wire.len() - rest.len() };
        }
        count += 1;
        if line.is_empty() || count > TRAILERS_MOST {
            return End::Malformed;
        }
        are_fields &= is_field(line);
    }
}

/// Returns true for `name ":" value` (RFC 9112 §5), without white space around the name.
fn is_field(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let (name, value) = line.split_at(colon);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty()
        && name.iter().all(is_token)
        && value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}
