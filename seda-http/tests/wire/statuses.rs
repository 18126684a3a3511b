//! Every status of the server's own responses, each with the section of the RFC that requires it.

use crate::site::{Plan, Site, until};
use seda_core::{Clock, MonotonicClock, Time};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Returns the response to these bytes, after which the server must close.
fn last_response(site: &Site, bytes: &str) -> (u16, String) {
    let mut client = site.client();
    client.send(bytes);
    let response = client.response();
    assert!(response.closes(), "{}", response.head);
    client.expect_end();
    (response.status, response.text().to_owned())
}

/// RFC 9110 §15.5.1: "something that is perceived to be a client error (e.g., malformed request
/// syntax, invalid request message framing, or deceptive request routing)".
#[test]
fn status_400_for_unclear_framing_and_syntax() {
    let site = Site::start();
    for bytes in [
        // RFC 9112 §6.1: a message with both "might indicate an attempt to perform request
        // smuggling".
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        // RFC 9112 §6.3, 5: "invalid … unrecoverable error".
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
        // RFC 9112 §2.2 lets a recipient take a bare LF; §11.2 says why this one does not.
        "GET / HTTP/1.1\nHost: t\n\n",
        // RFC 9112 §5.1: "MUST reject … whitespace between a header field name and colon".
        "GET / HTTP/1.1\r\nHost : t\r\n\r\n",
        // RFC 9112 §5.2: obsolete line folding "MUST either reject the message …".
        "GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n c\r\n\r\n",
        // RFC 9112 §7.1: "MUST anticipate potentially large … prevent parsing errors".
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
        // RFC 9112 §3.2: "MUST respond with a 400 … lacks a Host header field".
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(last_response(&site, bytes).0, 400, "{bytes:?}");
    }
    assert_eq!(site.admitted(), 0);
}

/// RFC 9110 §15.5.5: "did not find a current representation for the target resource". The
/// handler decides that; the connection goes on.
#[test]
fn status_404_comes_from_the_graph_and_keeps_the_connection() {
    let site = Site::start();
    let mut client = site.client();
    assert_eq!(client.fetch("/nothing").status, 404);
    assert_eq!(client.fetch("/hello").status, 200);
}

/// RFC 9110 §15.5.9: "did not receive a complete request message within the time that it was
/// prepared to wait"; "SHOULD send the "close" connection option".
#[test]
fn status_408_for_a_head_that_does_not_end() {
    let site = Plan::with(|http| http.head_timeout = Duration::from_millis(50)).start();
    let (status, text) = last_response(&site, "GET / HTTP/1.1\r\nHost: t\r\nX-Slow");
    assert_eq!((status, text.as_str()), (408, "the request's head did not come in time\n"));
}

/// RFC 9110 §15.5.9, for a body.
#[test]
fn status_408_for_a_body_that_stops() {
    let site = Plan::with(|http| http.body.timeout = Duration::from_millis(50)).start();
    let head = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n1234";
    let (status, text) = last_response(&site, head);
    assert_eq!((status, text.as_str()), (408, "the request's body did not come in time\n"));
}

/// The same for a body that comes too slowly: its client sends a byte each millisecond, and so
/// never pauses for long.
#[test]
fn status_408_for_a_body_that_trickles() {
    let plan = Plan::with(|http| {
        http.body.timeout = Duration::from_millis(200);
        http.body.rate = 1_000_000;
    });
    let site = plan.start();
    let mut client = site.client();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n");
    let mut sender = client.socket().try_clone().unwrap();
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stopped.load(Ordering::Relaxed) && sender.write_all(b"x").is_ok() {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        });
        let response = client.response();
        stopped.store(true, Ordering::Relaxed);
        assert_eq!((response.status, response.closes()), (408, true));
    });
    assert_eq!(site.admitted(), 0);
}

/// RFC 9110 §15.5.14: "the request content is larger than the server is willing or able to
/// process. The server MAY … close the connection". RFC 9112 §9.6: if the server closed at once,
/// the client's data "would cause a TCP reset" and the response would be lost. Here the client
/// writes its whole body and still reads its response.
#[test]
fn status_413_is_read_by_a_client_that_writes_its_whole_body_first() {
    let site = Site::start();
    let body = vec![b'x'; 4 * 1024 * 1024];
    let mut client = site.client();
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert_eq!(client.response().status, 413);
    client.expect_end();
}

/// RFC 9110 §15.5.15: "the target URI is longer than the server is willing to interpret".
#[test]
fn status_414_for_a_long_target() {
    let site = Site::start();
    let bytes = format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "a".repeat(9_000));
    assert_eq!(last_response(&site, &bytes).0, 414);
}

/// RFC 9110 §15.5.18: "the expectation … could not be met".
#[test]
fn status_417_for_an_unknown_expectation() {
    let site = Site::start();
    let bytes = "GET / HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\n\r\n";
    assert_eq!(last_response(&site, bytes).0, 417);
}

/// RFC 6585 §5: "unwilling to process the request because its header fields are too large … both
/// when the set of request header fields in total is too large, and when a single header field is
/// at fault".
#[test]
fn status_431_for_many_fields_and_for_large_ones() {
    let site = Site::start();
    let many = "A: b\r\n".repeat(101);
    let large = format!("A: {}\r\n", "b".repeat(17 * 1024));
    for fields in [many, large] {
        let bytes = format!("GET / HTTP/1.1\r\nHost: t\r\n{fields}\r\n");
        assert_eq!(last_response(&site, &bytes).0, 431);
    }
}

/// RFC 9110 §15.6.1: "encountered an unexpected condition". A panic costs one request. Its client
/// gets a response, and the same connection and the same worker go on.
#[test]
fn status_500_for_a_panic_and_for_a_forgotten_response() {
    for plan in [Plan::default(), Plan::default().on_reactor()] {
        let site = plan.start();
        let mut client = site.client();
        assert_eq!(client.fetch("/panic").status, 500);
        assert_eq!(client.fetch("/hello").text(), "hello\n");
        assert_eq!(client.fetch("/forget").status, 500);
        assert_eq!(client.fetch("/hello").text(), "hello\n");
        let drained = site.server.drain(Duration::from_secs(30));
        let requests = &drained.report.requests;
        assert_eq!((requests.admitted, requests.answered, requests.open), (4, 2, 0));
        assert_eq!((requests.lost["panicked"], requests.lost["forgotten"]), (1, 1));
        assert_eq!(drained.report.events.failed, 1);
    }
}

/// RFC 9110 §15.2: a client reads on after a 1xx. RFC 9112 §6.3: a 204 or 304 ends with its head,
/// so a body behind it would be the next response. The later responses of the connection are right.
#[test]
fn status_500_for_an_answer_that_http_cannot_carry() {
    for plan in [Plan::default(), Plan::default().on_reactor()] {
        let site = plan.start();
        let mut client = site.client();
        for status in [100, 101, 103, 199, 204, 205, 304] {
            client.get(&format!("/status?{status}"));
            client.get("/hello");
            assert_eq!(client.response().status, 500, "{status}");
            assert_eq!(client.response().text(), "hello\n", "{status}");
        }
        client.send("HEAD /status?101 HTTP/1.1\r\nHost: t\r\n\r\n");
        client.get("/status?299");
        assert_eq!(client.response_without_body().status, 500);
        let response = client.response();
        assert_eq!((response.status, response.text()), (299, "body"));
        assert_eq!(site.server.counts().replaced_responses, 8);
    }
}

/// RFC 9110 §15.6.2: "does not recognize the request method". A program that asks for other methods
/// has them, without CONNECT.
#[test]
fn status_501_for_an_unknown_method_unless_the_program_asks_for_it() {
    for any_method in [false, true] {
        let site = Plan { any_method, ..Plan::default() }.start();
        for method in ["PROPFIND", "PURGE", "QUERY", "get", "M-SEARCH"] {
            let mut client = site.client();
            client.send(format!(
                "{method} /method HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi"
            ));
            let response = client.response();
            if any_method {
                assert_eq!(response.text(), method);
                assert_eq!(client.fetch("/hello").text(), "hello\n");
            } else {
                assert_eq!((response.status, response.closes()), (501, true), "{method}");
            }
        }
        assert_eq!(last_response(&site, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n").0, 501);
    }
}

/// RFC 9110 §7.4: "MUST reject … a 421 (Misdirected Request)" for a resource of a secured scheme on
/// a connection that is not secured.
#[test]
fn status_421_for_a_target_of_another_scheme() {
    let site = Site::start();
    for target in ["https://t/hello", "HTTPS://t:443/hello", "ftp://t/hello"] {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_eq!(last_response(&site, &bytes).0, 421, "{target}");
    }
    assert_eq!(site.client().fetch("http://t/hello").text(), "hello\n");
}

/// RFC 9110 §15.6.2: "does not support the functionality required to fulfill the request"; RFC
/// 9112 §6.1: "a transfer coding it does not understand SHOULD respond with 501".
#[test]
fn status_501_for_an_unknown_transfer_coding() {
    let site = Site::start();
    let bytes = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
    assert_eq!(last_response(&site, bytes).0, 501);
}

/// RFC 9110 §15.6.4: "currently unable to handle the request due to a temporary overload … MAY
/// send a Retry-After header field". The response comes at once, while the worker is busy, and
/// the connection goes on.
#[test]
fn status_503_at_once_with_retry_after_when_the_graph_is_full() {
    let site = Plan { capacity: 1, budget: Some(2), ..Plan::default() }.start();
    let mut held = site.hold();
    let mut queued = site.client();
    queued.get("/hello");
    until("the queue is full", || site.admitted() == 2);
    let mut refused = site.client();
    for _ in 0..3 {
        let response = refused.fetch("/hello");
        assert_eq!((response.status, response.text()), (503, "the server is busy\n"));
        let seconds: u64 = response.field("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&seconds));
    }
    site.release();
    assert_eq!((held.response().status, queued.response().status), (200, 200));
    assert_eq!(refused.fetch("/hello").status, 200);
}

/// RFC 9110 §15.6.4, for an admitted request with a deadline that passes in the queue.
#[test]
fn status_503_for_a_request_whose_deadline_passed_in_the_queue() {
    let site = Plan::with(|http| http.deadline = Some(Duration::from_millis(20))).start();
    let mut held = site.hold();
    let mut late = site.client();
    late.get("/hello");
    until("the late request is queued", || site.admitted() == 2);
    let clock = MonotonicClock::new();
    until("its deadline has passed", || clock.now().since(Time::ZERO) > Duration::from_millis(20));
    site.release();
    assert_eq!(held.response().status, 200);
    let response = late.response();
    assert_eq!((response.status, response.text()), (503, "the request's deadline has passed\n"));
    assert!(response.field("retry-after").is_some());
    assert_eq!(site.lost("expired"), 1);
}

/// RFC 9110 §15.6.6: "does not support … the major version of HTTP".
#[test]
fn status_505_for_another_major_version() {
    let site = Site::start();
    assert_eq!(last_response(&site, "GET / HTTP/2.0\r\nHost: t\r\n\r\n").0, 505);
}

/// RFC 9112 §9.6: a response with the option `close` is the last; later requests are discarded.
#[test]
fn a_request_that_says_close_is_the_last_one() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    client.get("/hello");
    assert!(client.response().closes());
    client.expect_end();
    assert_eq!(site.admitted(), 1);
}
