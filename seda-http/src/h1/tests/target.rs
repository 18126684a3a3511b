use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::uri::Scheme;

use super::{accepted, refused, status};
use crate::h1::{Decoded, Decoder, Limits, Rejection};

fn with_host(value: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n")
}

fn with_target(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// RFC 9112 §3.2.1: origin-form; a path with two slashes is a path, not an authority.
#[test]
fn origin_form_is_path_and_query() {
    for (target, path, query) in [
        ("/", "/", None),
        ("/a/b?c=d&e", "/a/b", Some("c=d&e")),
        ("//evil.example/x", "//evil.example/x", None),
        ("/%2e%2E/a?", "/%2e%2E/a", Some("")),
    ] {
        let (request, _) = accepted(with_target("GET", target));
        assert_eq!(request.uri().path(), path);
        assert_eq!(request.uri().query(), query);
        assert_eq!(request.uri().host(), None);
    }
}

/// RFC 9112 §3.2.2: absolute-form MUST be accepted, and its host used in place of the Host field.
#[test]
fn absolute_form_names_the_host() {
    let (request, _) = accepted(with_target("GET", "http://Example.com:8080/p?q"));
    assert_eq!(request.uri().path(), "/p");
    assert_eq!(request.uri().host(), Some("Example.com"));
    let hosts = request.headers().get_all("host").iter().collect::<Vec<_>>();
    assert_eq!(hosts, ["Example.com:8080"]);

    let (request, _) = accepted("GET HTTP://[::1]/ HTTP/1.0\r\n\r\n");
    assert_eq!(request.headers()["host"], "[::1]");
}

/// RFC 9112 §3.2: a Host field is required even with an absolute-form target.
#[test]
fn absolute_form_does_not_excuse_a_missing_host() {
    assert_eq!(status("GET http://a/ HTTP/1.1\r\n\r\n"), StatusCode::BAD_REQUEST);
}

/// RFC 9112 §3.2.4: asterisk-form is for a server-wide OPTIONS only.
#[test]
fn asterisk_form_is_for_options() {
    assert_eq!(accepted(with_target("OPTIONS", "*")).0.uri(), "*");
    assert_eq!(status(with_target("GET", "*")), StatusCode::BAD_REQUEST);
}

/// RFC 9112 §3.2; RFC 9110 §4.2.1 (empty host), §4.2.4 (user information), §7.1 (fragment).
#[test]
fn other_targets_are_refused() {
    for target in [
        "a",
        "a:80",
        "a.example/x",
        "http://",
        "http:///x",
        "http://u@a/",
        "http://u:p@a/",
        "ftp:///",
        "https://u@a/",
        "http://a:b/",
        "http://a:99999/",
        "/a#b",
        "#",
        "?a",
        "/ä",
        "/\u{7f}",
        "**",
    ] {
        assert_eq!(status(with_target("GET", target)), StatusCode::BAD_REQUEST, "{target}");
    }
}

/// RFC 9110 §7.4: a request for an `https` resource on a connection that is not secured is
/// misdirected.
#[test]
fn a_target_of_another_scheme_is_misdirected() {
    for target in ["https://a/", "HTTPS://a:443/x", "ftp://a/", "ws://a/"] {
        let rejection = refused(with_target("GET", target));
        assert_eq!(rejection.status(), StatusCode::MISDIRECTED_REQUEST, "{target}");
    }
}

/// The same the other way round; an origin-form has the scheme of its connection.
#[test]
fn over_tls_https_targets_are_right_and_http_targets_are_misdirected() {
    let decode = |target| {
        let wire = with_target("GET", target);
        Decoder::new(Limits::default()).over_tls().decode(&mut BytesMut::from(wire.as_bytes()))
    };
    for target in ["https://a/", "HTTPS://a:443/x", "/x"] {
        let Decoded::Request(head, ..) = decode(target) else { panic!("{target} is rejected") };
        assert_eq!(head.scheme(), Scheme::HTTPS);
        let request = head.into_request(Bytes::new());
        assert_eq!(request.extensions().get(), Some(&Scheme::HTTPS));
    }
    for target in ["http://a/", "ftp://a/"] {
        let Decoded::Reject(rejection, _) = decode(target) else { panic!("{target} is accepted") };
        assert_eq!(rejection, Rejection::Misdirected);
    }
}

/// RFC 9110 §7.2 and RFC 3986 §3.2.2; an empty Host is a valid one.
#[test]
fn valid_hosts_are_accepted() {
    for host in
        ["a", "A.example", "a:80", "a:", "", "127.0.0.1:8080", "[::1]", "[fe80::1]:1", "%41_~!$"]
    {
        assert_eq!(accepted(with_host(host)).0.headers()["host"], host);
    }
}

/// RFC 9112 §3.2: "MUST respond with a 400 … invalid field value".
#[test]
fn invalid_hosts_are_refused() {
    for host in [
        "a b", "a,\tb", "a/b", "u@a", "a:b", "a:+80", "a:65536", "a:1:2", "::1", "[::1", "[::1]x",
        "[x]", "[]", "a?b", "a#b", "%4", "%zz", "a\\b", "<a>", "ä", "[v1.a]",
    ] {
        assert_eq!(status(with_host(host)), StatusCode::BAD_REQUEST, "{host}");
    }
}

/// RFC 9112 §3.2: in HTTP/1.1 exactly one Host; HTTP/1.0 may have none, but not two.
#[test]
fn a_missing_or_second_host_is_refused() {
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), StatusCode::BAD_REQUEST);
    assert_eq!(status("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), StatusCode::BAD_REQUEST);
    assert_eq!(status("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), StatusCode::BAD_REQUEST);
    assert!(accepted("GET / HTTP/1.0\r\n\r\n").0.headers().is_empty());
}
