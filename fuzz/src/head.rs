//! The head of a request, beside httparse and in other pieces.

use crate::pieces::{pieces, seed_and_wire};
use bytes::{Bytes, BytesMut};
use http::header::{HOST, HeaderName};
use http::{Request, Version};
use seda_http::h1::{Decoded, Decoder, Limits, RequestHead};

/// The most fields that httparse is given room for: as many as any setting allows.
const FIELDS_MOST: usize = 256;

/// Reads requests in several pieces, and compares the first with httparse.
pub fn check(data: &[u8]) {
    let (seed, wire) = seed_and_wire(data);
    let whole = outcomes(&[wire]);
    assert_eq!(outcomes(&pieces(wire, seed)), whole, "in pieces");
    let bytes: Vec<&[u8]> = wire.chunks(1).collect();
    assert_eq!(outcomes(&bytes), whole, "byte by byte");
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::from(wire);
    match decoder.decode(&mut input) {
        Decoded::Head => {
            let head = decoder.head().expect("the announced head").clone();
            compare(wire, wire.len() - input.len(), head);
        }
        Decoded::Request(head, body, exchange) if exchange.keep_alive => {
            compare(wire, wire.len() - input.len() - body.len(), head);
        }
        // The bytes behind the last request of a connection are discarded.
        Decoded::Request(head, body, _) => {
            let parsed = compare_fields(wire, head);
            assert!(parsed + body.len() <= wire.len());
        }
        _ => {}
    }
}

/// Returns every outcome as text, and the final state. What is announced before a body rightly
/// depends on how much has arrived.
fn outcomes(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::new();
    let mut outcomes = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Decoded::Incomplete => break,
                Decoded::Head | Decoded::Continue => {}
                other => outcomes.push(format!("{other:?}")),
            }
        }
    }
    outcomes.push(format!("{} {}", decoder.mid_request(&input), decoder.in_body()));
    outcomes
}

fn compare(wire: &[u8], end: usize, head: RequestHead) {
    assert_eq!(compare_fields(wire, head), end, "the end of the head");
}

/// Compares an accepted head with what httparse makes of the same bytes. Returns its end.
fn compare_fields(wire: &[u8], head: RequestHead) -> usize {
    let wire = as_version_1_1(wire);
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MOST];
    let mut parsed = httparse::Request::new(&mut fields);
    let end = match parsed.parse(&wire) {
        Ok(httparse::Status::Complete(end)) => end,
        other => panic!("accepted, but to httparse it is {other:?}"),
    };
    assert_eq!(parsed.method, Some(head.method().as_str()));
    let target = parsed.path.expect("a target");
    if target.starts_with('/') {
        assert_eq!(head.uri().to_string(), target);
    }
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    assert_eq!(head.version(), version);
    check_framing(&parsed, &head);
    let hosts = values(&parsed, "host").count();
    assert!(hosts == 1 || hosts == 0 && version == Version::HTTP_10, "{hosts} hosts");
    let has_authority = head.uri().authority().is_some();
    check_fields(&parsed, &head.into_request(Bytes::new()), has_authority);
    end
}

/// Returns the wire with a minor version that httparse knows: 1.2 to 1.9 count as 1.1.
fn as_version_1_1(wire: &[u8]) -> Vec<u8> {
    let mut wire = wire.to_vec();
    let start = wire.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    if let Some(length) = wire[start..].windows(2).position(|pair| pair == b"\r\n")
        && wire[start..start + length].windows(7).rposition(|it| it == b"HTTP/1.")
            == length.checked_sub(8)
        && length >= 8
    {
        let minor = &mut wire[start + length - 1];
        *minor = (*minor).min(b'1');
    }
    wire
}

fn values<'a>(
    parsed: &'a httparse::Request<'_, '_>,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    let fields = parsed.headers.iter().filter(move |it| it.name.eq_ignore_ascii_case(name));
    fields.map(|field| field.value.trim_ascii())
}

/// Checks the end of the body against the fields (RFC 9112 §6.3).
fn check_framing(parsed: &httparse::Request<'_, '_>, head: &RequestHead) {
    let lengths: Vec<_> = values(parsed, "content-length").collect();
    let codings: Vec<_> = values(parsed, "transfer-encoding")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty())
        .collect();
    let has_coding = values(parsed, "transfer-encoding").next().is_some();
    let expected = match (has_coding, lengths.as_slice()) {
        (true, []) => {
            assert!(matches!(codings.as_slice(), [it] if it.eq_ignore_ascii_case(b"chunked")));
            assert_eq!(head.version(), Version::HTTP_11);
            None
        }
        (false, []) => Some(0),
        (false, [length]) => {
            assert!(length.iter().all(u8::is_ascii_digit), "{length:?}");
            Some(std::str::from_utf8(length).unwrap().parse::<u64>().unwrap())
        }
        other => panic!("an unclear end of the body is accepted: {other:?}"),
    };
    assert_eq!(head.content_length(), expected);
}

fn check_fields(parsed: &httparse::Request<'_, '_>, request: &Request<Bytes>, authority: bool) {
    let headers = request.headers();
    for name in headers.keys().filter(|name| !(authority && **name == HOST)) {
        let ours: Vec<_> = headers.get_all(name).iter().map(|it| it.as_bytes()).collect();
        assert_eq!(ours, values(parsed, name.as_str()).collect::<Vec<_>>(), "{name}");
        for value in ours {
            assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{value:?}");
        }
    }
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).expect("a name");
        assert!(headers.contains_key(name), "{} is missing", field.name);
    }
}
