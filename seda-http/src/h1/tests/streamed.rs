use bytes::BytesMut;
use http::StatusCode;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{Decoded, Decoder, Limits};

const LIMITS: Limits = Limits { head_bytes: 256, uri_bytes: 64, headers: 8, body_bytes: 16 };

fn decoder() -> Decoder {
    Decoder::new(LIMITS).streams_bodies()
}

/// Decodes pieces in order. Bodies that are announced are streamed with at most `most` bytes.
/// Returns each request's path and body, and the status of a rejection at the end.
fn outcomes(pieces: &[&[u8]], most: u64) -> Vec<(String, Vec<u8>)> {
    let mut decoder = decoder();
    let mut input = BytesMut::new();
    let mut requests: Vec<(String, Vec<u8>)> = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Decoded::Incomplete => break,
                Decoded::Head => {
                    let (head, _, _) = decoder.stream(most, &input).unwrap();
                    requests.push((head.uri().path().to_owned(), Vec::new()));
                }
                Decoded::Piece(piece, is_last) => {
                    requests.last_mut().unwrap().1.extend_from_slice(&piece);
                    assert!(is_last || !piece.is_empty());
                }
                Decoded::Request(head, body, _) => {
                    requests.push((head.uri().path().to_owned(), body.to_vec()));
                }
                Decoded::Reject(rejection, exchange) => {
                    assert!(!exchange.keep_alive);
                    requests.push((rejection.status().to_string(), Vec::new()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    requests
}

/// A body beyond the limit of those that are read whole is announced, and rejected unless it is
/// streamed: also if the client expects `100 Continue`.
#[test]
fn a_long_body_is_announced_first_and_rejected_unless_it_is_streamed() {
    for expects in ["", "Expect: 100-continue\r\n"] {
        let head = format!("PUT / HTTP/1.1\r\nHost: a\r\n{expects}Content-Length: 17\r\n\r\n");
        let mut input = BytesMut::from(head.as_str());
        let mut decoder = decoder();
        assert!(matches!(decoder.decode(&mut input), Decoded::Head));
        let Decoded::Reject(rejection, _) = decoder.decode(&mut input) else { panic!() };
        assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

/// RFC 9110 §10.1.1: the caller decides when the client is told to go on.
#[test]
fn a_client_waits_only_if_none_of_its_body_has_arrived() {
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    for (body, waits) in [("", true), ("x", false)] {
        let mut input = BytesMut::from(format!("{head}{body}").as_str());
        let mut decoder = decoder();
        assert!(matches!(decoder.decode(&mut input), Decoded::Head));
        let (_, exchange, awaits_continue) = decoder.stream(2, &input).unwrap();
        assert_eq!((awaits_continue, exchange.keep_alive), (waits, true));
        assert!(decoder.in_body() && decoder.mid_request(&input));
        assert!(decoder.stream(2, &input).is_none(), "the body is streamed once");
    }
}

#[test]
fn a_chunked_body_beyond_its_limit_is_rejected_in_its_course() {
    let wire = b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    assert_eq!(outcomes(&[wire], 11), [("/a".to_owned(), b"hello world".to_vec())]);
    let rejected = ("413 Payload Too Large".to_owned(), Vec::new());
    assert_eq!(outcomes(&[wire], 10)[1..], [rejected]);
}

/// A request with this number as its path, and this body cut into chunks; `None` for a declared
/// length.
fn request(number: usize, body: &[u8], chunk: Option<usize>) -> Vec<u8> {
    let mut wire = format!("PUT /{number} HTTP/1.1\r\nHost: a\r\n").into_bytes();
    let Some(chunk) = chunk else {
        wire.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        wire.extend_from_slice(body);
        return wire;
    };
    wire.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for chunk in body.chunks(chunk) {
        wire.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\nA: b\r\n\r\n");
    wire
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The pieces of each body are the body, and the next request follows its end, however the
    /// network splits the bytes.
    #[test]
    fn streamed_bodies_are_whole_and_in_order_at_every_split(
        bodies in vec((vec(any::<u8>(), 0..300), prop::option::of(1_usize..40)), 1..5),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let mut wire = Vec::new();
        let mut expected = Vec::new();
        for (number, (body, chunk)) in bodies.iter().enumerate() {
            wire.extend_from_slice(&request(number, body, *chunk));
            expected.push((format!("/{number}"), body.clone()));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        cuts.push(wire.len());
        cuts.sort_unstable();
        let mut from = 0;
        let mut pieces = Vec::new();
        for cut in cuts {
            pieces.push(&wire[from..cut]);
            from = cut;
        }
        prop_assert_eq!(&outcomes(&pieces, 300), &expected);
        let singles: Vec<&[u8]> = wire.chunks(1).collect();
        prop_assert_eq!(&outcomes(&singles, 300), &expected);
    }
}
