use bytes::BytesMut;
use http::{Response, StatusCode, Version};

use crate::h1::{CONTINUE, Exchange, carries_body, encode_head, encode_unavailable};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

const KEPT: Exchange = Exchange { version: Version::HTTP_11, head: false, keep_alive: true };
const CLOSED: Exchange = Exchange { keep_alive: false, ..KEPT };
const HEAD: Exchange = Exchange { head: true, ..KEPT };
const OLD: Exchange = Exchange { version: Version::HTTP_10, ..KEPT };

fn encoded(status: u16, fields: &[(&str, &str)], length: u64, exchange: Exchange) -> String {
    let mut builder = Response::builder().status(status);
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    let mut out = BytesMut::new();
    encode_head(&parts, Some(length), exchange, DATE, &mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// RFC 9112 §4 and §5: status line, fields, blank line.
#[test]
fn a_response_has_these_exact_bytes() {
    assert_eq!(
        encoded(200, &[("Content-Type", "text/plain"), ("X-A", "1"), ("X-A", "2")], 12_345, KEPT),
        "HTTP/1.1 200 OK\r\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Content-Length: 12345\r\n\
         content-type: text/plain\r\n\
         x-a: 1\r\n\
         x-a: 2\r\n\
         \r\n"
    );
}

/// A refusal without a map of fields has the bytes of one with a map.
#[test]
fn a_503_has_the_bytes_of_a_response_with_these_fields() {
    for exchange in [KEPT, CLOSED, HEAD, OLD] {
        let mut out = BytesMut::new();
        encode_unavailable(u64::MAX, 19, None, exchange, DATE, &mut out);
        let seconds = u64::MAX.to_string();
        let fields =
            [("content-type", "text/plain; charset=utf-8"), ("retry-after", seconds.as_str())];
        assert_eq!(String::from_utf8(out.to_vec()).unwrap(), encoded(503, &fields, 19, exchange));
    }
}

/// RFC 9112 §4: the space before an absent reason is kept.
#[test]
fn a_status_without_a_known_reason_keeps_its_space() {
    assert!(encoded(299, &[], 0, KEPT).starts_with("HTTP/1.1 299 \r\nDate: "));
    assert!(encoded(404, &[], 0, KEPT).starts_with("HTTP/1.1 404 Not Found\r\nDate: "));
}

/// RFC 9112 §9.6 and §9.3: `close` announces an end; `keep-alive` tells HTTP/1.0 of none.
#[test]
fn the_connection_field_states_a_deviation_from_the_default() {
    assert!(encoded(200, &[], 0, CLOSED).contains("\r\nConnection: close\r\n"));
    assert!(encoded(200, &[], 0, OLD).contains("\r\nConnection: keep-alive\r\n"));
    let closed = Exchange { keep_alive: false, ..OLD };
    assert!(encoded(200, &[], 0, closed).contains("\r\nConnection: close\r\n"));
    assert!(!encoded(200, &[], 0, KEPT).contains("Connection"));
}

/// RFC 9110 §6.2: the version of a response is the server's own.
#[test]
fn http_1_0_is_answered_in_http_1_1() {
    assert!(encoded(200, &[], 0, OLD).starts_with("HTTP/1.1 "));
}

/// RFC 9112 §6.3 and §11.1: a handler cannot contradict the framing.
#[test]
fn framing_fields_of_the_handler_are_replaced() {
    let fields = [
        ("Content-Length", "99"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Date", "yesterday"),
        ("X-A", "b"),
    ];
    assert_eq!(
        encoded(200, &fields, 3, KEPT),
        "HTTP/1.1 200 OK\r\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Content-Length: 3\r\n\
         x-a: b\r\n\
         \r\n"
    );
}

/// RFC 9110 §8.6: no Content-Length with 1xx and 204; a 304 would need the length of the 200.
#[test]
fn a_response_without_content_has_no_content_length() {
    for status in [100, 103, 204, 304] {
        let head = encoded(status, &[("Content-Length", "5")], 5, KEPT);
        assert!(!head.to_lowercase().contains("content-length"), "{status}");
        assert!(!carries_body(StatusCode::from_u16(status).unwrap(), KEPT), "{status}");
    }
}

/// RFC 9110 §15.3.6: 205 has no content, and a Content-Length of 0.
#[test]
fn reset_content_has_length_zero() {
    assert!(encoded(205, &[], 7, KEPT).contains("\r\nContent-Length: 0\r\n"));
    assert!(!carries_body(StatusCode::RESET_CONTENT, KEPT));
}

/// RFC 9110 §8.6 and §9.3.2: a response to HEAD has the length of the response to GET.
#[test]
fn a_response_to_head_has_the_length_without_the_body() {
    assert!(encoded(200, &[], 7, HEAD).contains("\r\nContent-Length: 7\r\n"));
    let given = encoded(200, &[("Content-Length", "1000")], 0, HEAD);
    assert!(given.contains("\r\nContent-Length: 1000\r\n") && !given.contains("content-length"));
    let nonsense = encoded(200, &[("Content-Length", "+1")], 0, HEAD);
    assert!(nonsense.contains("\r\nContent-Length: 0\r\n"));
    assert!(!carries_body(StatusCode::OK, HEAD));
    assert!(carries_body(StatusCode::OK, KEPT) && carries_body(StatusCode::NOT_FOUND, CLOSED));
}

/// RFC 9110 §8.6: decimal digits, at both ends of the range.
#[test]
fn any_length_is_written_in_decimal() {
    for length in [0, 1, 9, 10, 99, 100, 65_536, u64::MAX - 1, u64::MAX] {
        let expected = format!("\r\nContent-Length: {length}\r\n");
        assert!(encoded(200, &[], length, KEPT).contains(&expected), "{length}");
    }
}

/// One reservation suffices for a head without fields of the handler.
#[test]
fn the_largest_own_head_fits_the_first_reservation() {
    let parts = Response::builder().status(431).body(()).unwrap().into_parts().0;
    let mut out = BytesMut::new();
    encode_head(&parts, Some(u64::MAX), OLD, DATE, &mut out);
    assert!(out.len() <= 160, "{} bytes", out.len());
}

/// A pipelined response before it is kept.
#[test]
fn a_head_is_appended_to_the_buffer() {
    let parts = Response::new(()).into_parts().0;
    let mut out = BytesMut::from(CONTINUE);
    encode_head(&parts, Some(0), KEPT, DATE, &mut out);
    assert!(out.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
}
