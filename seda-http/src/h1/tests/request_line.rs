use bytes::BytesMut;
use http::{Method, StatusCode, Version};

use super::{Decoded, Decoder, Limits, accepted, decode, refused, refused_within, status};

/// Returns a GET with a target of this length.
fn with_target_of(bytes: usize) -> String {
    format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(bytes - 1))
}

/// RFC 9110 §9.1: methods are case-sensitive; RFC 9110 §15.6.2: 501 to an unknown one.
#[test]
fn known_methods_are_read_and_others_not_implemented() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let (request, exchange) = accepted(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(request.method().as_str(), method);
        assert_eq!(exchange.head, method == "HEAD");
    }
    for method in ["get", "BREW", "PROPFIND", "CONNECT", "GETS", "!"] {
        let wire = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(status(wire), StatusCode::NOT_IMPLEMENTED, "{method}");
    }
}

/// RFC 9110 §2.5: a higher minor version is processed as the highest known one.
#[test]
fn later_minor_versions_are_http_1_1() {
    for minor in 1..=9 {
        let (request, exchange) = accepted(format!("GET / HTTP/1.{minor}\r\nHost: a\r\n\r\n"));
        assert_eq!(request.version(), Version::HTTP_11);
        assert_eq!((exchange.version, exchange.keep_alive), (Version::HTTP_11, true));
    }
}

/// RFC 9110 §15.6.6; the last one is the preface of HTTP/2 (RFC 9113 §3.4).
#[test]
fn other_major_versions_are_not_supported() {
    for line in ["GET / HTTP/2.0", "GET / HTTP/0.9", "GET / HTTP/3.1", "PRI * HTTP/2.0"] {
        let rejected = status(format!("{line}\r\n\r\nSM\r\n\r\n"));
        assert_eq!(rejected, StatusCode::HTTP_VERSION_NOT_SUPPORTED, "{line}");
    }
}

/// RFC 9112 §3: a request line is `method SP request-target SP HTTP-version`.
#[test]
fn malformed_request_lines_are_bad_requests() {
    for line in [
        "GET /",
        "GET",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1.10",
        "GET / HTTP/11.1",
        "GET / HTTP/1",
        "GET / HTTP/1.x",
        "GET /HTTP/1.1",
        "GET / HTTPS/1.1",
        "G(T / HTTP/1.1",
        "GET /\rx HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET / / HTTP/1.1",
    ] {
        let wire = format!("{line}\r\nHost: a\r\n\r\n");
        assert_eq!(status(wire), StatusCode::BAD_REQUEST, "{line:?}");
    }
}

/// RFC 9112 §3: the line is rejected at its own end, not at the end of the head.
#[test]
fn a_line_without_a_version_is_refused_before_the_head_ends() {
    assert_eq!(status("GET /\r\n"), StatusCode::BAD_REQUEST);
    assert_eq!(status("hello\r\n"), StatusCode::BAD_REQUEST);
}

/// RFC 8446 §5.1: a TLS client begins with a handshake record, and waits for an answer.
#[test]
fn a_tls_client_is_refused_at_its_first_byte() {
    let rejection = refused([0x16]);
    assert_eq!(rejection.status(), StatusCode::BAD_REQUEST);
    assert!(rejection.to_string().contains("TLS"));
    assert_eq!(refused([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), rejection);
}

/// RFC 9110 §5.6.2: a method is a token.
#[test]
fn a_first_byte_that_begins_no_token_is_refused_at_once() {
    for byte in 0..=u8::MAX {
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let waits = matches!(decode([byte]), Decoded::Incomplete);
        assert_eq!(waits, token || byte == b'\r', "{byte:#x}");
    }
}

/// RFC 9112 §2.2: at least one empty line before a request line is ignored, up to a bound.
#[test]
fn a_few_empty_lines_are_skipped_before_a_request() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(accepted(format!("\r\n\r\n\r\n\r\n{get}")).0.method(), Method::GET);
    assert_eq!(status("\r\n\r\n\r\n\r\n\r\n"), StatusCode::BAD_REQUEST);
    assert_eq!(status(format!("\n{get}")), StatusCode::BAD_REQUEST);
    assert_eq!(status(format!("\r{get}")), StatusCode::BAD_REQUEST);
}

/// RFC 9112 §2.2: the count starts again with each request.
#[test]
fn empty_lines_between_requests_do_not_add_up() {
    let mut decoder = Decoder::new(Limits::default());
    for _ in 0..10 {
        let mut input = BytesMut::from("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(matches!(decoder.decode(&mut input), Decoded::Request(..)));
    }
}

/// RFC 9112 §3: "request-target longer than any URI it wishes to parse MUST respond
/// with a 414".
#[test]
fn a_target_over_its_limit_is_refused_at_the_exact_byte() {
    let limits = Limits { uri_bytes: 20, ..Limits::default() };
    assert!(matches!(super::decode_within(limits, with_target_of(20)), Decoded::Request(..)));
    assert_eq!(refused_within(limits, with_target_of(21)).status(), StatusCode::URI_TOO_LONG);
}

/// RFC 9112 §3: the limit holds before the target ends, too.
#[test]
fn an_endless_target_is_refused_before_the_head_is_full() {
    let limits = Limits::default();
    let room = limits.uri_bytes + 64;
    let wire = format!("GET /{}", "x".repeat(room - 5));
    assert_eq!(status(&wire), StatusCode::URI_TOO_LONG);
    assert!(matches!(decode(&wire[..room - 1]), Decoded::Incomplete));
    assert_eq!(status("x".repeat(room)), StatusCode::BAD_REQUEST);
}

/// RFC 9110 §9.3.2: a response to HEAD has no content, even a rejection.
#[test]
fn a_refused_head_request_is_reported_as_head() {
    let Decoded::Reject(_, exchange) = decode("HEAD / HTTP/1.0\r\nbad field\r\n\r\n") else {
        panic!("refused")
    };
    assert!(exchange.head && !exchange.keep_alive);
    assert_eq!(exchange.version, Version::HTTP_10);
}
