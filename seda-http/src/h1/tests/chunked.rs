use bytes::BytesMut;
use http::StatusCode;

use super::{
    Decoded, Decoder, Limits, Rejection, accepted, decode, decode_within, next, post_with, refused,
    refused_within, status,
};

fn chunked(body: &str) -> String {
    post_with("Transfer-Encoding: chunked\r\n", body)
}

/// Returns a chunk of one byte with an extension of this length.
fn chunk_with_extension(bytes: usize) -> String {
    format!("1{}\r\nx\r\n", ";".repeat(bytes))
}

/// RFC 9112 §7.1: sizes are hexadecimal in either case, leading zeros allowed.
#[test]
fn chunks_are_joined() {
    for (wire, body) in [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n000\r\n\r\n", "hello world"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"),
    ] {
        assert_eq!(accepted(chunked(wire)).0.body(), body, "{wire:?}");
    }
}

/// RFC 9112 §7.1: the following bytes belong to the next request.
#[test]
fn a_chunked_body_ends_exactly_after_its_trailers() {
    let mut input = BytesMut::from(chunked("1\r\nx\r\n0\r\nA: b\r\n\r\nGET").as_str());
    let mut decoder = Decoder::new(Limits::default());
    assert!(matches!(next(&mut decoder, &mut input), Decoded::Request(..)));
    assert_eq!(input, "GET");
}

/// RFC 9112 §7.1.1: unknown extensions MUST be ignored, white space around `;` is to be parsed.
#[test]
fn extensions_are_ignored() {
    for line in ["1;a", "1;a=b", "1 ; a = \"b;c\"", "1\t;a;b=c", "1;", "1;\u{e4}"] {
        let (request, _) = accepted(chunked(&format!("{line}\r\nx\r\n0;z\r\n\r\n")));
        assert_eq!(request.body(), "x", "{line}");
    }
}

/// RFC 9112 §7.1.1: "ought to limit the total length of chunk extensions". Each of the two chunks
/// has one byte of data, which makes up for one of its extension.
#[test]
fn extensions_are_bounded_beyond_the_data() {
    let fits = chunk_with_extension(8 * 1024 + 1) + &chunk_with_extension(8 * 1024);
    assert!(matches!(decode(chunked(&format!("{fits}0;\r\n\r\n"))), Decoded::Request(..)));
    assert_eq!(status(chunked(&format!("{fits}0;;"))), StatusCode::BAD_REQUEST);
    assert_eq!(status(chunked(&format!("{fits}0; "))), StatusCode::BAD_REQUEST);
    assert_eq!(status(chunked(&format!("{fits}0  "))), StatusCode::BAD_REQUEST);
    let too_long = chunk_with_extension(16 * 1024 + 1);
    assert_eq!(status(chunked(&too_long)), StatusCode::BAD_REQUEST);
}

/// Data that came before does not pay for the extensions of one chunk.
#[test]
fn the_extensions_of_a_chunk_are_bounded_after_any_data() {
    let data = format!("{:x}\r\n{}\r\n", 100_000, "x".repeat(100_000));
    let too_long = data + &chunk_with_extension(16 * 1024 + 1);
    assert_eq!(status(chunked(&too_long)), StatusCode::BAD_REQUEST);
}

/// A signed upload: 90 bytes with each chunk of 8 KiB, over 8 MiB.
#[test]
fn extensions_shorter_than_the_data_have_no_bound_over_the_whole_body() {
    let limits = Limits { body_bytes: 8 * 1024 * 1024, ..Limits::default() };
    let chunk = format!("2000;{}\r\n{}\r\n", "x".repeat(89), "y".repeat(8 * 1024));
    let wire = chunked(&(chunk.repeat(1_024) + "0\r\n\r\n"));
    let decoded = decode_within(limits, wire);
    assert!(matches!(decoded, Decoded::Request(_, body, _) if body.len() == limits.body_bytes));
}

/// RFC 9112 §7.1 and §11.2: two parties could read this framing differently.
#[test]
fn malformed_chunks_are_refused() {
    for wire in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        "1 \r\n",
        "1 1\r\n",
        ";a\r\n",
        "1\nx\r\n",
        "1\rx",
        "1\r\r\n",
        "1;a\nx\r\n",
        "1;a\rx",
        "1;a\0\r\n",
        "1\r\nxy\r\n",
        "1\r\nx\n",
        "1\r\nx\r\r",
        "1\r\nx0\r\n\r\n",
        "0\r\n\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\n\n",
        "0\n\r\n",
        "0\r\nbad field\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: \0\r\n\r\n",
    ] {
        assert_eq!(status(chunked(wire)), StatusCode::BAD_REQUEST, "{wire:?}");
    }
}

/// RFC 9112 §7.1: "recipients MUST anticipate potentially large hexadecimal numerals and prevent
/// parsing errors due to integer conversion overflows".
#[test]
fn a_chunk_size_cannot_overflow() {
    for size in ["10000000000000000", "fffffffffffffffff", "00000000000000001"] {
        assert_eq!(status(chunked(size)), StatusCode::BAD_REQUEST, "{size}");
    }
    let most = chunked(&format!("{:x}\r\n", usize::MAX));
    assert_eq!(status(most), StatusCode::PAYLOAD_TOO_LARGE);
    let sum = chunked(&format!("1\r\nx\r\n{:x}\r\n", usize::MAX));
    assert_eq!(status(sum), StatusCode::PAYLOAD_TOO_LARGE);
}

/// RFC 9110 §15.5.14: 413 at the size of the chunk that exceeds the limit, before its data.
#[test]
fn chunks_over_the_body_limit_are_refused_before_their_data() {
    let limits = Limits { body_bytes: 4, ..Limits::default() };
    assert!(matches!(
        decode_within(limits, chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")),
        Decoded::Request(..)
    ));
    let rejection = refused_within(limits, chunked("2\r\nab\r\n3\r\n"));
    assert_eq!(rejection, Rejection::BodyTooLarge { limit: 4 });
}

/// RFC 9112 §7.1.2: trailer fields may be discarded; they are not merged into the head.
#[test]
fn trailers_are_dropped() {
    let (request, _) = accepted(chunked("0\r\nHost: evil\r\nX-A: b\r\n\r\n"));
    assert_eq!(request.headers()["host"], "a");
    assert!(!request.headers().contains_key("x-a"));
}

/// RFC 6585 §5: the limits of a head apply to trailers.
#[test]
fn trailers_are_bounded() {
    let many = format!("0\r\n{}", "A: b\r\n".repeat(101));
    assert_eq!(refused(chunked(&many)), Rejection::TooManyFields { limit: 100 });
    let long = format!("0\r\nA: {}", "b".repeat(16 * 1024));
    assert_eq!(refused(chunked(&long)), Rejection::HeadTooLarge { limit: 16 * 1024 });
}
