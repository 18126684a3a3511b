use bytes::BytesMut;
use http::Method;

use super::{Decoded, Decoder, Exchange, Limits, accepted, get_with, next, post_with, refused};
use crate::h1::Rejection;

/// Returns the decoder and its input after the head of this request was announced.
#[track_caller]
fn announced(wire: &str) -> (Decoder, BytesMut) {
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::from(wire);
    assert!(matches!(decoder.decode(&mut input), Decoded::Head), "{wire:?}");
    (decoder, input)
}

/// Drops the rest of the body of a refused request. Returns the exchange of its response.
#[track_caller]
fn dropped(decoder: &mut Decoder, input: &mut BytesMut) -> Exchange {
    let Decoded::Refused(exchange) = decoder.decode(input) else { panic!("the body has ended") };
    exchange
}

/// Asserts that the next request of the connection is `GET /`.
#[track_caller]
fn expect_next(mut decoder: Decoder, mut input: BytesMut) {
    input.extend_from_slice(get_with("").as_bytes());
    let Decoded::Request(head, ..) = decoder.decode(&mut input) else { panic!("a request") };
    assert_eq!(*head.method(), Method::GET);
    assert!(input.is_empty() && !decoder.mid_request(&input));
}

/// Asserts that the connection takes no further request.
#[track_caller]
fn expect_closed(mut decoder: Decoder, mut input: BytesMut) {
    input.extend_from_slice(get_with("").as_bytes());
    assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
    assert!(input.is_empty() && !decoder.mid_request(&input));
}

#[test]
fn the_head_is_announced_once_with_all_that_it_says() {
    let (mut decoder, mut input) =
        announced(&post_with("Content-Length: 5\r\nX-Key: k\r\nx-key: l\r\nX-E:\r\n", "he"));
    let head = decoder.head().unwrap();
    assert_eq!((head.method(), head.uri().path()), (&Method::POST, "/"));
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(["x-KEY", "host", "x-e"].map(|name| head.header(name)), ["k", "a", ""].map(Some));
    assert_eq!(["x", "x-key-2", ""].map(|name| head.header(name)), [None; 3]);
    assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
    input.extend_from_slice(b"llo");
    let Decoded::Request(head, body, _) = decoder.decode(&mut input) else { panic!("a request") };
    assert!(decoder.head().is_none());
    let request = head.into_request(body);
    assert_eq!(request.body(), "hello");
    assert_eq!(request.headers().len(), 5);
}

/// A request that has arrived whole is not announced: it is decided at once.
#[test]
fn a_whole_request_is_not_announced() {
    let mut decoder = Decoder::new(Limits::default());
    for wire in [get_with(""), post_with("Content-Length: 5\r\n", "hello")] {
        let mut input = BytesMut::from(wire.as_str());
        assert!(matches!(decoder.decode(&mut input), Decoded::Request(..)));
    }
}

#[test]
fn a_chunked_body_has_no_known_length_and_a_value_of_other_bytes_is_no_text() {
    let (decoder, _) = announced(&post_with("Transfer-Encoding: chunked\r\n", ""));
    assert_eq!(decoder.head().unwrap().content_length(), None);
    let mut input = BytesMut::from(&b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n"[..]);
    let Decoded::Request(head, ..) = next(&mut Decoder::new(Limits::default()), &mut input) else {
        panic!("a request")
    };
    assert_eq!(head.header("x"), None);
    assert_eq!(head.header("host"), Some("a"));
}

/// RFC 9112 §3.2.2: the host of an absolute-form target replaces the Host field.
#[test]
fn the_host_of_the_target_is_seen_in_the_head_and_in_the_request() {
    let wire = "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut decoder = Decoder::new(Limits::default());
    let Decoded::Request(head, ..) = decoder.decode(&mut BytesMut::from(wire)) else {
        panic!("a request")
    };
    assert_eq!(head.header("HOST"), Some("b"));
    assert_eq!(accepted(wire).0.headers()["host"], "b");
}

/// RFC 9112 §9.3: the next request begins after the body, refused or not.
#[test]
fn a_short_refused_body_is_dropped_and_the_next_request_follows() {
    for (lines, begun, rest) in [
        ("Content-Length: 5\r\n", "", "hello"),
        ("Content-Length: 5\r\n", "hell", "o"),
        ("Transfer-Encoding: chunked\r\n", "", "5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhel", "lo\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n", ""),
    ] {
        let (mut decoder, mut input) = announced(&post_with(lines, begun));
        assert!(decoder.refuse(&mut input).keep_alive);
        assert!(decoder.in_refused_body() && decoder.mid_request(&input) && !decoder.in_body());
        if !rest.is_empty() {
            assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
            input.extend_from_slice(rest.as_bytes());
        }
        assert!(dropped(&mut decoder, &mut input).keep_alive);
        expect_next(decoder, input);
    }
}

/// RFC 9110 §10.1.1: a client that waits for 100 may send its body after a final status, or not.
#[test]
fn the_connection_of_a_client_that_expects_100_ends() {
    let lines = "Expect: 100-continue\r\nContent-Length: 5\r\n";
    for begun in ["", "hell"] {
        let (mut decoder, mut input) = announced(&post_with(lines, begun));
        assert!(!decoder.refuse(&mut input).keep_alive);
        expect_closed(decoder, input);
    }
}

/// RFC 9112 §9.6: a server that does not read a body closes.
#[test]
fn a_long_refused_body_ends_the_connection() {
    for (length, keeps) in [(65_536, true), (65_537, false)] {
        let (mut decoder, mut input) =
            announced(&post_with(&format!("Content-Length: {length}\r\n"), ""));
        assert_eq!(decoder.refuse(&mut input).keep_alive, keeps, "{length}");
    }
    let lines = "Connection: close\r\nContent-Length: 5\r\n";
    let (mut decoder, mut input) = announced(&post_with(lines, "he"));
    assert!(!decoder.refuse(&mut input).keep_alive);
    expect_closed(decoder, input);
}

/// The start of the next request is unknown, so the response to the refused one is the last.
#[test]
fn a_malformed_or_endless_refused_body_ends_the_connection() {
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let endless = chunk.repeat(2) + "1\r\n";
    for body in ["5\r\nhelloX", "g", "10001\r\n", &endless, "0\r\nA b\r\n\r\n"] {
        let (mut decoder, mut input) =
            announced(&post_with("Transfer-Encoding: chunked\r\n", body));
        assert!(decoder.refuse(&mut input).keep_alive);
        assert!(!dropped(&mut decoder, &mut input).keep_alive);
        expect_closed(decoder, input);
    }
    let whole = chunk.repeat(2) + "0\r\n\r\n";
    let (mut decoder, mut input) = announced(&post_with("Transfer-Encoding: chunked\r\n", &whole));
    assert!(decoder.refuse(&mut input).keep_alive);
    assert!(dropped(&mut decoder, &mut input).keep_alive);
    expect_next(decoder, input);
}

/// The HTTP types hold a name of at most 65,535 bytes. A longer one is refused with the head.
#[test]
fn a_name_that_no_header_map_can_hold_is_refused() {
    let limits = Limits { head_bytes: 1024 * 1024, ..Limits::default() };
    let with_name = |bytes| get_with(&format!("{}: y\r\n", "x".repeat(bytes)));
    assert!(matches!(super::decode_within(limits, with_name(65_535)), Decoded::Request(..)));
    let rejection = super::refused_within(limits, with_name(65_536));
    assert_eq!(rejection, refused(get_with("X : y\r\n")));
    assert_eq!(rejection, Rejection::BadRequest("a field name is malformed"));
}
