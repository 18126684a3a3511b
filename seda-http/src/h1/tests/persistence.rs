use bytes::BytesMut;
use http::Version;

use super::{Decoded, Decoder, Limits, accepted};

fn keeps(version: &str, lines: &str) -> bool {
    accepted(format!("GET / {version}\r\nHost: a\r\n{lines}\r\n")).1.keep_alive
}

/// RFC 9112 §9.3: the table of persistence.
#[test]
fn a_connection_persists_by_version_and_option() {
    assert!(keeps("HTTP/1.1", ""));
    assert!(keeps("HTTP/1.1", "Connection: upgrade\r\n"));
    assert!(!keeps("HTTP/1.1", "Connection: close\r\n"));
    assert!(!keeps("HTTP/1.1", "Connection: keep-alive, CLOSE\r\n"));
    assert!(!keeps("HTTP/1.1", "Connection: x\r\nConnection:close\r\n"));
    assert!(!keeps("HTTP/1.0", ""));
    assert!(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
    assert!(!keeps("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

/// RFC 9112 §9.6: "MUST NOT process any further requests received on that connection".
#[test]
fn nothing_is_decoded_after_the_last_request() {
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::from(last.repeat(2).as_str());
    assert!(matches!(decoder.decode(&mut input), Decoded::Request(..)));
    assert!(input.is_empty(), "the bytes after it are discarded");
    input.extend_from_slice(last.as_bytes());
    assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
    assert!(!decoder.mid_request(&input) && input.is_empty());
}

/// RFC 9112 §9.6: the same after a rejection.
#[test]
fn nothing_is_decoded_after_a_rejection() {
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::from("bad\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(matches!(decoder.decode(&mut input), Decoded::Reject(..)));
    assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
    assert!(!decoder.mid_request(&input) && !decoder.in_body() && input.is_empty());
}

/// RFC 9110 §3.3: HTTP is stateless.
#[test]
fn an_exchange_does_not_depend_on_the_one_before() {
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::from(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nx\r\n",
    );
    let Decoded::Request(_, _, first) = decoder.decode(&mut input) else { panic!("a request") };
    let Decoded::Request(_, _, second) = decoder.decode(&mut input) else { panic!("a request") };
    let Decoded::Reject(_, third) = decoder.decode(&mut input) else { panic!("refused") };
    assert_eq!((first.version, first.head, first.keep_alive), (Version::HTTP_11, false, true));
    assert_eq!((second.version, second.head, second.keep_alive), (Version::HTTP_10, true, true));
    assert_eq!((third.version, third.head, third.keep_alive), (Version::HTTP_11, false, false));
}

/// RFC 9110 §15.5.9: a server may time out a client that owes it bytes. An idle one owes none.
#[test]
fn a_client_owes_bytes_only_inside_a_request() {
    let mut decoder = Decoder::new(Limits::default());
    let mut input = BytesMut::new();
    let steps: [(&str, bool, bool); 6] = [
        ("", false, false),
        ("\r\n", false, false),
        ("P", true, false),
        ("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n", true, false),
        ("\r\nx", true, true),
        ("y", false, false),
    ];
    for (piece, mid_request, in_body) in steps {
        input.extend_from_slice(piece.as_bytes());
        let _ = decoder.decode(&mut input);
        let now = (decoder.mid_request(&input), decoder.in_body());
        assert_eq!(now, (mid_request, in_body), "after {piece:?}");
    }
}
