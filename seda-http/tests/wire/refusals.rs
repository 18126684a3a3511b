//! Refusals: decided from the head, before a body is read.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use seda_core::{Report, SendOptions};
use seda_http::h1::RequestHead;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Returns a site that holds one event, which fills it.
fn full(change: impl FnOnce(Plan) -> Plan) -> (Site, Client) {
    let site = change(Plan { capacity: 1, budget: Some(1), ..Plan::default() }).start();
    let held = site.hold();
    (site, held)
}

fn upload(fields: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n")
}

/// Returns the numbers of offered, accepted and refused events.
fn counts(site: &Site) -> (u64, u64, u64) {
    let Report { events, .. } = site.server.graph().report();
    (events.offered, events.accepted, events.refused)
}

fn used(site: &Site) -> usize {
    site.server.graph().report().budget.used
}

/// RFC 9110 §15.6.4 and RFC 9112 §9.6: the client has its 503 before it sends a byte of its body.
/// One that sends the body all the same sees no reset.
#[test]
fn a_long_upload_is_refused_before_its_body_is_sent() {
    let (site, mut held) = full(|plan| plan);
    let mut client = site.client();
    client.send(upload("Content-Length: 1048576"));
    let response = client.response();
    assert_eq!((response.status, response.text()), (503, "the server is busy\n"));
    assert!(response.field("retry-after").is_some() && response.closes());
    client.send(vec![b'x'; 1024 * 1024]);
    client.expect_end();
    assert_eq!(counts(&site), (2, 1, 1));
    site.release();
    assert_eq!(held.response().text(), "held\n");
}

/// The client reads nothing until it has sent all.
#[test]
fn a_client_that_sends_its_whole_body_first_reads_its_503() {
    let (site, _held) = full(|mut plan| {
        plan.http.limits.body_bytes = 16 * 1024 * 1024;
        plan
    });
    let mut client = site.client();
    let body = vec![b'x'; 4 * 1024 * 1024];
    client.send(upload(&format!("Content-Length: {}", body.len())));
    client.send(&body);
    assert_eq!(client.response().status, 503);
    client.expect_end();
    site.release();
}

/// RFC 9110 §10.1.1: a final status takes the place of 100.
#[test]
fn a_client_that_waits_for_100_gets_503_instead() {
    let (site, _held) = full(|plan| plan);
    for fields in ["Content-Length: 4", "Transfer-Encoding: chunked"] {
        let mut client = site.client();
        client.send(upload(&format!("{fields}\r\nExpect: 100-continue")));
        let response = client.response();
        assert_eq!(response.status, 503);
        assert!(response.closes());
        client.expect_end();
    }
    assert_eq!(counts(&site), (3, 1, 2));
    site.release();
}

/// A server that answers before a body and keeps the connection leaves two readings of the bytes
/// that follow. So a connection that is kept has no answer before the end of the body.
#[test]
fn a_connection_that_is_kept_has_its_refusal_after_the_body() {
    let (site, _held) = full(|plan| plan);
    let mut client = site.client();
    client.send(upload("Content-Length: 5"));
    until("the upload is refused", || counts(&site).2 == 1);
    client.send("hell");
    let mut socket = client.socket();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(socket.read(&mut [0]).is_err(), "there is an answer before the end of the body");
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    client.send("o");
    let response = client.response();
    assert_eq!((response.status, response.closes()), (503, false));
    // With an expectation, or a coding that is not known, the connection ends.
    for fields in [
        "Content-Length: 5\r\nExpect: 100-continue",
        "Transfer-Encoding: chunked\r\nExpect: 100-continue",
        "Transfer-Encoding: gzip, chunked",
    ] {
        let mut client = site.client();
        client.send(upload(fields) + "hell");
        assert!(client.response().closes(), "{fields}");
        client.expect_end();
    }
    site.release();
}

/// RFC 9112 §9.3: the next request begins after the body of the refused one.
#[test]
fn after_a_short_refused_body_the_connection_goes_on() {
    let (site, mut held) = full(|plan| plan);
    let mut client = site.client();
    // The body looks like a request, and is none.
    let body = "GET /hello HTTP/1.1\r\nHost: evil\r\n\r\n";
    client.send(upload(&format!("Content-Length: {}", body.len())));
    client.send(body);
    assert!(!client.response().closes());
    client.get("/_seda/live");
    assert_eq!(client.response().text(), "live\n");
    client.send(upload("Transfer-Encoding: chunked"));
    client.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
    assert!(!client.response().closes());
    site.release();
    assert_eq!(held.response().status, 200);
    until("the place is free", || used(&site) == 0);
    assert_eq!(client.fetch("/hello").text(), "hello\n");
    assert_eq!(counts(&site), (4, 2, 2));
}

/// Responses go out in the order of the requests, whether a request arrived whole or not.
#[test]
fn pipelined_refusals_keep_their_order() {
    let (site, _held) = full(|plan| plan);
    let mut client = site.client();
    let whole = upload("Content-Length: 5") + "hello";
    let chunked = upload("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n";
    let live = "GET /_seda/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(format!("{whole}{live}{chunked}{live}{}he", upload("Content-Length: 5")));
    let statuses: Vec<u16> = (0..4).map(|_| client.response().status).collect();
    assert_eq!(statuses, [503, 200, 503, 200]);
    client.send(format!("llo{live}"));
    assert_eq!(client.response().status, 503);
    assert_eq!(client.response().text(), "live\n");
    assert_eq!(counts(&site), (4, 1, 3));
    site.release();
}

/// The rest of a refused body has a time limit. No second response follows at its end.
#[test]
fn a_refused_body_that_does_not_end_ends_the_connection_without_a_second_response() {
    for (fields, body) in [
        ("Content-Length: 5", "he"),
        ("Transfer-Encoding: chunked", "5\r\nhe"),
        ("Transfer-Encoding: chunked", "garbage"),
        ("Transfer-Encoding: chunked", "fffffff\r\n"),
    ] {
        let (site, _held) = full(|mut plan| {
            plan.http.body.timeout = Duration::from_millis(50);
            plan
        });
        let mut client = site.client();
        client.send(upload(fields) + body);
        assert_eq!(client.response().status, 503, "{body}");
        client.expect_end();
        assert_eq!(counts(&site), (2, 1, 1));
        site.release();
    }
}

/// A body that is on its way holds no place, so clients that send slowly keep no other client out.
#[test]
fn slow_uploads_hold_no_place() {
    let site = Plan { capacity: 1, budget: Some(1), ..Plan::default() }.start();
    let mut slow: Vec<_> = (0..50)
        .map(|_| {
            let mut client = site.client();
            client.send(upload("Content-Length: 5\r\nExpect: 100-continue"));
            assert_eq!(client.response().status, 100);
            client.send("hell");
            client
        })
        .collect();
    assert_eq!((counts(&site), used(&site)), ((0, 0, 0), 0));
    let mut other = site.client();
    for uploaded in 0..slow.len() as u64 {
        until("the place is free", || used(&site) == 0);
        assert_eq!(other.fetch("/hello").text(), "hello\n");
        until("the place is free", || used(&site) == 0);
        let mut client = slow.pop().unwrap();
        client.send("o");
        assert_eq!(client.response().text(), "hello");
        assert_eq!(counts(&site), (2 * uploaded + 2, 2 * uploaded + 2, 0));
    }
}

/// A graph that has filled while a body arrived refuses the request late, and counts it once.
#[test]
fn a_graph_that_fills_meanwhile_refuses_at_the_end_of_the_body() {
    let site = Plan { capacity: 1, budget: Some(1), ..Plan::default() }.start();
    let mut late = site.client();
    late.send(upload("Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(late.response().status, 100);
    let mut held = site.hold();
    late.send("hello");
    let response = late.response();
    assert_eq!((response.status, response.closes()), (503, false));
    assert_eq!(counts(&site), (2, 1, 1));
    site.release();
    assert_eq!(held.response().text(), "held\n");
    until("the place is free", || used(&site) == 0);
    assert_eq!(late.fetch("/hello").text(), "hello\n");
}

/// Each way in which a body can fail leaves the graph as if the request had never come.
#[test]
fn a_failed_body_holds_and_counts_nothing() {
    let plan = Plan { capacity: 1, budget: Some(1), ..Plan::default() };
    let site = Plan {
        http: Plan::with(|http| {
            http.body.timeout = Duration::from_millis(100);
            http.limits.body_bytes = 1024;
        })
        .http,
        ..plan
    }
    .start();
    for (fields, body, status) in [
        ("Content-Length: 5", "hell", 408),
        ("Transfer-Encoding: chunked", "5\r\nhe", 408),
        ("Transfer-Encoding: chunked", "garbage", 400),
        ("Transfer-Encoding: chunked", "5\r\nhelloX", 400),
        ("Transfer-Encoding: chunked", "ffff\r\n", 413),
        ("Content-Length: 65536", "", 413),
    ] {
        let mut client = site.client();
        client.send(upload(fields) + body);
        let response = client.response();
        assert_eq!(response.status, status, "{fields} {body}");
        assert!(response.closes());
        client.expect_end();
    }
    // The client leaves.
    let mut left = site.client();
    left.send(upload("Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(left.response().status, 100);
    drop(left);
    assert_eq!((counts(&site), used(&site)), ((0, 0, 0), 0));
    assert_eq!(site.client().fetch("/hello").text(), "hello\n");
    assert_eq!(counts(&site), (1, 1, 0));
    let requests = site.server.graph().report().requests;
    assert_eq!((requests.admitted, requests.answered, requests.open), (1, 1, 0));
}

/// Under a drain an upload that has begun is finished, and one that was refused is not waited for.
#[test]
fn a_drain_finishes_a_begun_upload_and_leaves_a_refused_one() {
    let (site, mut held) = full(|plan| plan);
    let mut refused = site.client();
    refused.send(upload("Content-Length: 5"));
    until("the upload is refused", || counts(&site).2 == 1);
    site.release();
    assert_eq!(held.response().status, 200);
    until("the place is free", || used(&site) == 0);
    let mut begun = site.client();
    begun.send(upload("Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(begun.response().status, 100);
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| site.server.drain(Duration::from_secs(50)));
        let response = refused.response();
        assert_eq!((response.status, response.closes()), (503, true));
        refused.expect_end();
        begun.send("hello");
        let response = begun.response();
        assert_eq!((response.text(), response.closes()), ("hello", true));
        begun.expect_end();
        let drained = drain.join().unwrap();
        assert!(drained.complete);
        assert_eq!(drained.report.requests.answered, 2);
    });
}

/// At the end of a server an upload that is not whole holds no place in the graph.
#[test]
fn a_server_that_ends_waits_for_no_upload() {
    let site = Site::start();
    let mut client = site.client();
    client.send(upload("Content-Length: 5\r\nExpect: 100-continue"));
    assert_eq!(client.response().status, 100);
    let drained = site.server.drain(Duration::from_millis(100));
    assert!(drained.complete, "{:?}", drained.left);
    assert_eq!((drained.report.requests.admitted, drained.report.budget.used), (0, 0));
    client.expect_end();
}

static CLASSIFIED: AtomicU64 = AtomicU64::new(0);

/// Gives uploads of more than 100 bytes a deadline that has passed.
fn classify(head: &RequestHead, options: SendOptions) -> SendOptions {
    CLASSIFIED.fetch_add(1, Ordering::Relaxed);
    let is_long = head.content_length().is_none_or(|length| length > 100);
    let deadline = is_long.then_some(Duration::ZERO);
    assert_eq!(head.header("X-Panic"), None, "on purpose");
    SendOptions { deadline, ..options }
}

/// The classifier runs once per request, and its options hold to the end of the body. If it
/// panics, the options of the settings apply.
#[test]
fn a_request_is_classified_once_and_from_its_head() {
    let site = Plan { classify: Some(classify), ..Plan::default() }.start();
    let mut client = site.client();
    client.send(upload("Content-Length: 5"));
    until("the head is classified", || CLASSIFIED.load(Ordering::Relaxed) == 1);
    client.send("hello");
    assert_eq!(client.response().text(), "hello");
    client.send(upload("Content-Length: 101"));
    client.send([b'x'; 101]);
    let response = client.response();
    assert_eq!((response.status, response.text()), (503, "the request's deadline has passed\n"));
    client.send(upload("Transfer-Encoding: chunked"));
    client.send("0\r\n\r\n");
    assert_eq!(client.response().status, 503);
    assert_eq!(client.fetch("/hello").text(), "hello\n");
    assert_eq!(CLASSIFIED.load(Ordering::Relaxed), 4);
    client.send(upload("Content-Length: 500\r\nX-Panic: 1"));
    client.send([b'x'; 500]);
    assert_eq!(client.response().body.len(), 500);
    assert_eq!(CLASSIFIED.load(Ordering::Relaxed), 5);
    assert_eq!(counts(&site), (5, 3, 2));
}
