use bytes::BytesMut;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{Decoded, Decoder, Limits, next};

/// Small limits, so that generated requests reach them.
const LIMITS: Limits = Limits { head_bytes: 128, uri_bytes: 16, headers: 4, body_bytes: 32 };

/// Decodes pieces in order and returns every outcome as text, and the final state. `Head` and
/// `Continue` are left out, because they rightly depend on how much has arrived.
fn outcomes(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(LIMITS);
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

/// Splits the wire at these positions.
fn pieces<'a>(wire: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    let mut pieces = Vec::new();
    for cut in cuts.into_iter().chain([wire.len()]) {
        pieces.push(&wire[from..cut]);
        from = cut;
    }
    pieces
}

/// Picks a text: the first one in three of four cases, so that most messages are valid so far.
fn mostly_first(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(texts[0]), 1 => prop::sample::select(texts)].prop_map(String::from)
}

/// The beginning of a head.
const STARTS: &[&str] = &[
    "POST / HTTP/1.1\r\nHost: a\r\n",
    "\r\n\r\nHEAD /a?b HTTP/1.7\r\nHost: a\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n",
    "OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/2.0\r\n",
    "GET /12345678901234567890 HTTP/1.1\r\nHost: a\r\n",
    "BREW / HTTP/1.1\r\nHost: a\r\n",
    "GET /\r\n",
    "\n",
];

/// Fields between the beginning of a head and its framing.
const FIELDS: &[&str] = &[
    "",
    "X: y\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "Expect: more\r\n",
    "Host: b\r\n",
    "X: y\n",
    "X : y\r\n",
    "X: y\r\n z\r\n",
    "X: y\r\nX: y\r\nX: y\r\nX: y\r\n",
    "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
];

/// Chunks, valid and malformed.
const CHUNKS: &[&str] = &[
    "5\r\nhello\r\n",
    "1;x=y\r\nz\r\n",
    "A\r\n0123456789\r\n",
    "1\nz\r\n",
    "1\r\nzz",
    "g\r\n",
    "1f\r\n",
];

/// The last chunk with its trailers.
const ENDS: &[&str] =
    &["0\r\n\r\n", "0\r\nA: b\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA b\r\n\r\n", "0\r\n", "0\n\n"];

/// The end of a head, and a body.
fn rest() -> impl Strategy<Value = String> {
    let lengths: &[&str] = &[
        "Content-Length: 5\r\n\r\nhello",
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "Content-Length: 33\r\n\r\n",
        "Content-Length: 5\r\n\r\nhell",
        "\n",
    ];
    let chunks = (vec(mostly_first(CHUNKS), 0..5), mostly_first(ENDS));
    prop_oneof![
        Just(String::from("\r\n")),
        mostly_first(lengths),
        chunks.prop_map(|(chunks, end)| {
            format!("Transfer-Encoding: chunked\r\n\r\n{}{end}", chunks.concat())
        }),
    ]
}

/// Mostly valid messages, one in five with a wrong byte.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let message = (mostly_first(STARTS), mostly_first(FIELDS), rest())
        .prop_map(|(start, field, rest)| format!("{start}{field}{rest}"));
    let wrong = prop::option::weighted(0.2, (any::<Index>(), any::<u8>()));
    (vec(message, 1..5), wrong).prop_map(|(messages, wrong)| {
        let mut wire = messages.concat().into_bytes();
        if let Some((place, byte)) = wrong {
            let place = place.index(wire.len());
            wire[place] = byte;
        }
        wire
    })
}

/// A valid request with this number in its target and body, and its expected path.
fn request(number: u16) -> impl Strategy<Value = (String, String)> {
    let body = prop_oneof![
        Just(String::new()),
        Just(format!("Content-Length: 5\r\n\r\n{number:05}")),
        Just(format!(
            "Transfer-Encoding: chunked\r\n\r\n2;a\r\n{:02}\r\n0\r\nA: b\r\n\r\n",
            number % 100
        )),
    ];
    (body, 0_usize..3).prop_map(move |(body, empty_lines)| {
        let empty_lines = "\r\n".repeat(empty_lines);
        let rest = if body.is_empty() { "\r\n" } else { &body };
        (format!("{empty_lines}POST /{number} HTTP/1.1\r\nHost: a\r\n{rest}"), format!("/{number}"))
    })
}

fn pipeline() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(any::<u16>(), 0..8)
        .prop_flat_map(|numbers| numbers.into_iter().map(request).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// RFC 9112 §2: a message is a sequence of bytes, regardless of how the transport splits it.
    #[test]
    fn splitting_the_bytes_changes_nothing(wire in wire(), cuts in vec(any::<Index>(), 0..6)) {
        let whole = outcomes(&[&wire]);
        prop_assert_eq!(&outcomes(&pieces(&wire, &cuts)), &whole);
        let singles: Vec<&[u8]> = wire.chunks(1).collect();
        prop_assert_eq!(&outcomes(&singles), &whole);
    }

    /// RFC 9112 §2.2: malformed messages are rejected.
    #[test]
    fn arbitrary_bytes_never_panic(
        wire in vec(any::<u8>(), 0..600), cuts in vec(any::<Index>(), 0..4),
    ) {
        outcomes(&pieces(&wire, &cuts));
        outcomes(&[b"GET / HTTP/1.1\r\n", &wire]);
        outcomes(&[b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &wire]);
    }

    /// Unchecked limits do not panic either.
    #[test]
    fn arbitrary_limits_never_panic(
        wire in wire(), head_bytes: usize, uri_bytes: usize, headers: usize, body_bytes: usize,
    ) {
        let limits = Limits { head_bytes, uri_bytes, headers, body_bytes };
        let mut input = BytesMut::from(&wire[..]);
        let mut decoder = Decoder::new(limits);
        loop {
            match decoder.decode(&mut input) {
                Decoded::Incomplete | Decoded::Reject(..) => break,
                Decoded::Head if body_bytes % 2 == 0 => drop(decoder.refuse(&mut input)),
                Decoded::Head
                | Decoded::Continue
                | Decoded::Piece(..)
                | Decoded::Request(..)
                | Decoded::Refused(_) => {}
            }
        }
    }

    /// RFC 9112 §9.3.2: pipelined requests are answered in the order they came.
    #[test]
    fn pipelined_requests_come_out_in_order(pipeline in pipeline()) {
        let wire: String = pipeline.iter().map(|(wire, _)| wire.as_str()).collect();
        let mut input = BytesMut::from(wire.as_str());
        let mut decoder = Decoder::new(LIMITS);
        for (_, path) in &pipeline {
            let Decoded::Request(head, _, exchange) = next(&mut decoder, &mut input) else {
                panic!("a request")
            };
            prop_assert_eq!(head.uri().path(), path);
            prop_assert!(exchange.keep_alive);
        }
        prop_assert!(input.is_empty());
        prop_assert!(!decoder.mid_request(&input));
    }

    /// Byte by byte each body is announced by its head. Every second request is refused there; the
    /// others come out whole and in order.
    #[test]
    fn refused_requests_leave_the_others_as_they_are(pipeline in pipeline()) {
        let mut decoder = Decoder::new(LIMITS);
        let mut input = BytesMut::new();
        let (mut seen, mut refused) = (Vec::new(), Vec::new());
        for byte in pipeline.iter().flat_map(|(wire, _)| wire.bytes()) {
            input.extend_from_slice(&[byte]);
            loop {
                match decoder.decode(&mut input) {
                    Decoded::Incomplete => break,
                    Decoded::Request(head, ..) => seen.push(head.uri().path().to_owned()),
                    Decoded::Head if refused.len() % 2 == 0 => {
                        refused.push(decoder.head().unwrap().uri().path().to_owned());
                        prop_assert!(decoder.refuse(&mut input).keep_alive);
                    }
                    Decoded::Head => refused.push(String::new()),
                    Decoded::Refused(exchange) => prop_assert!(exchange.keep_alive),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
        let mut refused = refused.into_iter().filter(|path| !path.is_empty()).peekable();
        let mut expected = pipeline.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>();
        expected.retain(|path| refused.next_if_eq(path).is_none());
        prop_assert!(refused.next().is_none());
        prop_assert_eq!(seen, expected);
        prop_assert!(input.is_empty() && !decoder.mid_request(&input));
    }
}
