use bytes::BytesMut;
use http::StatusCode;

use super::{
    Decoded, Decoder, Limits, Rejection, accepted, decode, get_with, post_with, refused,
    refused_within, status,
};

/// RFC 9112 §6.3: a request without a framing field has no body, even a POST.
#[test]
fn a_request_without_a_framing_field_has_no_body() {
    assert!(accepted(post_with("", "")).0.body().is_empty());
    assert!(accepted(post_with("Content-Length: 0\r\n", "")).0.body().is_empty());
}

/// RFC 9112 §6.3: the body ends before the first byte of the next request.
#[test]
fn a_body_is_as_long_as_its_content_length() {
    let mut input = BytesMut::from(post_with("Content-Length: 5\r\n", "helloGET").as_str());
    let mut decoder = Decoder::new(Limits::default());
    let Decoded::Request(_, body, exchange) = decoder.decode(&mut input) else {
        panic!("a request")
    };
    assert_eq!((&body[..], exchange.keep_alive), (&b"hello"[..], true));
    assert_eq!(input, "GET");
}

/// RFC 9110 §8.6: `1*DIGIT`, and an overflow must not wrap. RFC 9112 §6.3: 400.
#[test]
fn malformed_content_lengths_are_refused() {
    for value in [
        "",
        "+1",
        "-1",
        "1a",
        "a",
        "0x1",
        "1 1",
        "1,",
        "1.0",
        "５",
        "18446744073709551616",
        "99999999999999999999999999999999",
    ] {
        let wire = post_with(&format!("Content-Length: {value}\r\n"), "x");
        assert_eq!(status(wire), StatusCode::BAD_REQUEST, "{value:?}");
    }
}

/// RFC 9112 §6.3: different lengths are an unrecoverable error; equal ones may be refused.
#[test]
fn a_second_content_length_is_refused() {
    for lines in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 2\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: 1,1\r\n",
    ] {
        assert_eq!(status(post_with(lines, "x")), StatusCode::BAD_REQUEST, "{lines:?}");
    }
}

/// RFC 9112 §6.3 and §11.2: request smuggling uses both together.
#[test]
fn content_length_and_transfer_encoding_exclude_each_other() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 0\r\n",
    ] {
        assert_eq!(status(post_with(lines, "0\r\n\r\n")), StatusCode::BAD_REQUEST, "{lines:?}");
    }
}

/// RFC 9112 §6.1: HTTP/1.0 with Transfer-Encoding has faulty framing.
#[test]
fn transfer_encoding_in_http_1_0_is_refused() {
    let wire = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(status(wire), StatusCode::BAD_REQUEST);
}

/// RFC 9112 §6.3: 400 if chunked is not the final coding; §7.1: nor applied twice.
#[test]
fn chunked_must_be_last_and_once() {
    for lines in [
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: ,\r\n",
        "Transfer-Encoding: ,, , ,,chunked\r\n",
        "Transfer-Encoding: ,,,\r\nTransfer-Encoding: chunked,\r\nTransfer-Encoding: ,\r\n",
        "Transfer-Encoding: chunked,,chunked\r\n",
        "Transfer-Encoding: chunked,\r\nContent-Length: 5\r\n",
    ] {
        assert_eq!(status(post_with(lines, "0\r\n\r\n")), StatusCode::BAD_REQUEST, "{lines:?}");
    }
}

/// RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list
/// elements".
#[test]
fn a_few_empty_list_elements_are_ignored() {
    for lines in [
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: , ,chunked ,\t,\r\n",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let (request, _) = accepted(post_with(lines, "1\r\nx\r\n0\r\n\r\n"));
        assert_eq!(request.body(), "x", "{lines:?}");
    }
    let wire = post_with("Expect: ,100-continue,\r\nContent-Length: 1\r\n", "");
    assert!(matches!(decode(wire), Decoded::Continue));
    assert!(!accepted(get_with("Connection: ,close,\r\n")).1.keep_alive);
    let wire = post_with("Expect: 100-continue, x\r\nContent-Length: 1\r\n", "");
    assert_eq!(status(wire), StatusCode::EXPECTATION_FAILED);
}

/// RFC 9112 §6.1: 501 to an unknown transfer coding.
#[test]
fn other_transfer_codings_are_not_implemented() {
    for coding in ["gzip", "gzip, chunked", "identity", "xchunked", "chunked;a=b", "\"chunked\""] {
        let wire = post_with(&format!("Transfer-Encoding: {coding}\r\n"), "0\r\n\r\n");
        assert_eq!(status(wire), StatusCode::NOT_IMPLEMENTED, "{coding}");
    }
}

/// RFC 9112 §7: names of codings are case-insensitive.
#[test]
fn chunked_is_read_in_any_case() {
    let (request, _) = accepted(post_with("Transfer-Encoding: ChunkeD\r\n", "1\r\nx\r\n0\r\n\r\n"));
    assert_eq!(request.body(), "x");
}

/// RFC 9110 §15.5.14: 413 before a byte of the body, and before a 100.
#[test]
fn a_declared_body_over_the_limit_is_refused_at_once() {
    let limits = Limits { body_bytes: 4, ..Limits::default() };
    let lines = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    let rejection = refused_within(limits, post_with(lines, ""));
    assert_eq!(rejection, Rejection::BodyTooLarge { limit: 4 });
    assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let most = format!("Content-Length: {}\r\n", u64::MAX);
    assert_eq!(refused(post_with(&most, "")).status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// RFC 9110 §10.1.1: one 100 at most, and none once content has arrived.
#[test]
fn continue_is_returned_once_and_only_before_the_body() {
    for lines in [
        "Expect: 100-continue\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nEXPECT: 100-Continue\r\n",
    ] {
        let mut decoder = Decoder::new(Limits::default());
        let mut input = BytesMut::from(post_with(lines, "").as_str());
        assert!(matches!(decoder.decode(&mut input), Decoded::Head));
        assert!(matches!(decoder.decode(&mut input), Decoded::Continue));
        assert!(decoder.in_body() && decoder.mid_request(&input));
        assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
    }
    let begun = post_with("Expect: 100-continue\r\nContent-Length: 5\r\n", "h");
    assert!(matches!(decode(begun), Decoded::Incomplete));
}
