use bytes::BytesMut;
use http::{StatusCode, Version};

use super::{
    Decoded, Decoder, Limits, Rejection, accepted, decode, decode_within, get_with, post_with,
    refused, refused_within, status,
};

/// Returns a GET with a field of this many bytes.
fn get_padded(bytes: usize) -> String {
    get_with(&format!("X: {}\r\n", "x".repeat(bytes)))
}

/// Returns a GET with this number of fields, the Host included.
fn get_with_fields(fields: usize) -> String {
    get_with(&"X: y\r\n".repeat(fields - 1))
}

/// RFC 9112 §5: names are lower-cased by the map, values lose the white space around them, and
/// lines of one name keep their order.
#[test]
fn fields_are_read_in_order_without_surrounding_space() {
    let (request, _) = accepted(get_with("Accept: \t text/html \t\r\nX-A: 1\r\nx-a:2\r\nX-E:\r\n"));
    assert_eq!(request.headers()["accept"], "text/html");
    assert_eq!(request.headers()["x-e"], "");
    assert_eq!(request.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(request.version(), Version::HTTP_11);
    assert!(request.body().is_empty());
}

/// RFC 9110 §5.5: bytes from 0x80 on are allowed as opaque data.
#[test]
fn opaque_bytes_in_a_value_are_kept() {
    let wire = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: \xc3\xa4\xff\r\n\r\n";
    assert_eq!(accepted(wire).0.headers()["x-a"].as_bytes(), b"\xc3\xa4\xff");
}

/// RFC 9112 §2.2: "a recipient MAY recognize a single LF"; this one does not.
#[test]
fn a_bare_line_feed_is_refused_anywhere_in_the_head() {
    for wire in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\nX-B: c\r\n\r\n",
        "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n",
    ] {
        assert_eq!(status(wire), StatusCode::BAD_REQUEST, "{wire:?}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\nHost: a\n"), StatusCode::BAD_REQUEST, "at once");
}

/// RFC 9112 §2.2: "A recipient of such a bare CR MUST consider that element to be invalid".
#[test]
fn a_bare_carriage_return_is_refused() {
    for line in ["X-A: b\rc\r\n", "X-A: b\r\r\n", "X\r-A: b\r\n", "\rX-A: b\r\n", "X-A:\rb\r\n"] {
        assert_eq!(status(get_with(line)), StatusCode::BAD_REQUEST, "{line:?}");
    }
}

/// RFC 9112 §5.1: white space between name and colon MUST be refused with 400.
#[test]
fn space_before_the_colon_is_refused() {
    for line in ["X-A : b\r\n", "X-A\t: b\r\n", "Content-Length : 0\r\n"] {
        assert_eq!(status(get_with(line)), StatusCode::BAD_REQUEST, "{line:?}");
    }
}

/// RFC 9112 §5.2: obsolete line folding MUST be refused or replaced; §2.2: the same for white
/// space after the request line.
#[test]
fn folded_lines_are_refused() {
    for wire in [
        get_with("X-A: b\r\n c\r\n"),
        get_with("X-A: b\r\n\tc\r\n"),
        get_with("X-A: b\r\n \r\n"),
        "GET / HTTP/1.1\r\n X-A: b\r\nHost: a\r\n\r\n".into(),
    ] {
        assert_eq!(status(&wire), StatusCode::BAD_REQUEST, "{wire:?}");
    }
}

/// RFC 9110 §5.1 (a name is a token) and §5.5 (a value has no control bytes but HTAB).
#[test]
fn malformed_fields_are_refused() {
    for line in
        ["no colon\r\n", "NoColon\r\n", ": b\r\n", "X(A): b\r\n", "X-Ä: b\r\n", "\"X\": b\r\n"]
    {
        assert_eq!(status(get_with(line)), StatusCode::BAD_REQUEST, "{line:?}");
    }
    for control in (0..0x20).chain([0x7f]).filter(|byte| *byte != b'\t') {
        let line = format!("X-A: b{}c\r\n", char::from(control));
        assert_eq!(status(get_with(&line)), StatusCode::BAD_REQUEST, "{control:#x}");
    }
}

/// RFC 6585 §5: 431 at the exact byte, before the head ends.
#[test]
fn a_head_over_its_limit_is_refused() {
    let limits = Limits { head_bytes: 256, uri_bytes: 64, ..Limits::default() };
    let fits = get_padded(256 - get_padded(0).len());
    assert_eq!(fits.len(), 256);
    assert!(matches!(decode_within(limits, &fits), Decoded::Request(..)));
    let rejection = refused_within(limits, get_padded(257 - get_padded(0).len()));
    assert_eq!(rejection, Rejection::HeadTooLarge { limit: 256 });
    assert_eq!(rejection.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(matches!(decode_within(limits, &fits[..255]), Decoded::Incomplete));
    assert_eq!(refused_within(limits, fits.replace("\r\n\r\n", "xxxx")), rejection);
}

/// RFC 6585 §5: 431 for the number of fields, too.
#[test]
fn more_fields_than_allowed_are_refused() {
    let limits = Limits { headers: 3, ..Limits::default() };
    assert!(matches!(decode_within(limits, get_with_fields(3)), Decoded::Request(..)));
    assert_eq!(refused_within(limits, get_with_fields(4)), Rejection::TooManyFields { limit: 3 });
}

/// RFC 9110 §10.1.1: 417 to an unknown expectation.
#[test]
fn unknown_expectations_are_refused() {
    for value in ["200-ok", "100-continue, x", "x,"] {
        let rejection = refused(get_with(&format!("Expect: {value}\r\n")));
        assert_eq!(rejection, Rejection::ExpectationFailed, "{value:?}");
        assert_eq!(rejection.status(), StatusCode::EXPECTATION_FAILED);
    }
}

/// RFC 9110 §10.1.1: no 100 without content, and none to HTTP/1.0.
#[test]
fn no_continue_without_a_body_or_to_http_1_0() {
    assert!(matches!(decode(get_with("Expect: 100-continue\r\n")), Decoded::Request(..)));
    let old = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    assert!(matches!(decode(old), Decoded::Incomplete));
}

/// The input may be one read of the socket with the begin of a body. A shared memory would stay
/// until the head is dropped.
#[test]
fn the_head_of_an_unfinished_body_shares_no_memory_with_the_input() {
    for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
        let mut input = BytesMut::with_capacity(64 * 1024);
        input.extend_from_slice(post_with(&format!("{framing}\r\n"), "5\r\n").as_bytes());
        let mut decoder = Decoder::new(Limits::default());
        assert!(matches!(decoder.decode(&mut input), Decoded::Head));
        input.clear();
        assert!(input.try_reclaim(64 * 1024), "{framing}");
        assert_eq!(decoder.head().and_then(|head| head.header("host")), Some("a"));
    }
}
