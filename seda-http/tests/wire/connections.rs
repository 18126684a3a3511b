//! The behaviour of one connection, and its effect on the others.

use crate::client::LIMIT;
use crate::site::{Plan, Site, until};
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::time::Duration;

/// RFC 9112 §9.3.2: responses "in the same order that the corresponding requests were received".
#[test]
fn pipelined_responses_keep_their_order_when_completions_do_not() {
    let site = Plan::default().workers(2).start();
    let mut client = site.hold();
    client.get("/hello");
    client.get("/nothing");
    for path in ["/hello", "/nothing"] {
        assert_eq!(site.ended.recv_timeout(LIMIT).unwrap(), path);
    }
    site.release();
    let statuses = [client.response(), client.response(), client.response()].map(|it| it.status);
    assert_eq!(statuses, [200, 200, 404]);
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    for plan in [Plan::default(), Plan::default().on_reactor(), Plan::with(|it| it.reactors = 3)] {
        let site = plan.start();
        let mut clients: Vec<_> = (0..6).map(|_| site.client()).collect();
        for _ in 0..50 {
            clients.iter_mut().for_each(|client| client.get("/hello"));
            clients.iter_mut().for_each(|client| assert_eq!(client.response().text(), "hello\n"));
        }
        assert_eq!(site.admitted(), 300);
    }
}

#[test]
fn hundreds_of_pipelined_requests_pass_a_bound_of_two() {
    let site = Plan::with(|http| http.pipeline = 2).start();
    let mut client = site.client();
    client.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n".repeat(500));
    for _ in 0..500 {
        assert_eq!(client.response().text(), "hello\n");
    }
}

/// RFC 9110 §9.3.2: "the server MUST NOT send content in the response" to HEAD, and the same
/// header fields as to GET.
#[test]
fn head_has_the_length_and_no_body() {
    let site = Site::start();
    let mut client = site.client();
    client.send("HEAD /big?1000000 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.get("/hello");
    assert_eq!(client.response_without_body().field("content-length"), Some("1000000"));
    assert_eq!(client.response().text(), "hello\n");
}

/// RFC 9110 §10.1.1: the client waits for 100 before it sends its body.
#[test]
fn expect_continue_is_answered_before_the_body_is_sent() {
    let site = Site::start();
    let mut client = site.client();
    let fields = "Host: t\r\nContent-Length: 4\r\nExpect: 100-continue";
    client.send(format!("POST /echo HTTP/1.1\r\n{fields}\r\n\r\n"));
    assert_eq!(client.response().status, 100);
    client.send("body");
    assert_eq!(client.response().text(), "body");
}

/// An interim response belongs to its request, so it goes out after the responses before it.
#[test]
fn expect_continue_behind_a_pipelined_request_keeps_the_order() {
    let site = Plan::default().workers(2).start();
    let mut client = site.hold();
    let fields = "Host: t\r\nContent-Length: 4\r\nExpect: 100-continue";
    client.send(format!("POST /echo HTTP/1.1\r\n{fields}\r\n\r\n"));
    site.release();
    assert_eq!(client.response().text(), "held\n");
    assert_eq!(client.response().status, 100);
    client.send("body");
    assert_eq!(client.response().text(), "body");
}

/// RFC 9112 §7.1: the chunked coding.
#[test]
fn chunked_bodies_arrive_whole_however_they_are_split() {
    let site = Site::start();
    let mut client = site.client();
    let request = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\
                   4\r\nWiki\r\n7;name=value\r\npedia i\r\nD\r\nn \r\nchunks.\r\n\r\n0\r\n\r\n";
    for byte in request.as_bytes() {
        client.send([*byte]);
    }
    assert_eq!(client.response().text(), "Wikipedia in \r\nchunks.\r\n");
    client.send(request.repeat(3));
    for _ in 0..3 {
        assert_eq!(client.response().body.len(), 24);
    }
}

#[test]
fn a_body_of_the_largest_allowed_size_is_accepted() {
    let site = Site::start();
    let mut client = site.client();
    let body = vec![b'z'; 1024 * 1024];
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert!(client.response().body == body);
}

/// A client that does not read its 1 GiB makes the server hold no more than a buffer, and does not
/// delay other clients. A generated body has the documented bytes.
#[test]
fn a_slow_reader_costs_no_memory_and_delays_no_other_client() {
    const LENGTH: u64 = 1024 * 1024 * 1024;
    let site = Plan::default().on_reactor().start();
    let mut slow = site.client();
    slow.get(&format!("/big?{LENGTH}"));
    assert_eq!(site.ended.recv_timeout(LIMIT).unwrap(), format!("/big?{LENGTH}"));
    let mut other = site.client();
    for _ in 0..1_000 {
        assert_eq!(other.fetch("/hello").text(), "hello\n");
    }
    if let Some(bytes) = resident_bytes() {
        assert!(bytes < 512 * 1024 * 1024, "{bytes} bytes are resident");
    }
    let mut pages = site.client();
    let page = pages.fetch("/big?3000000");
    let line = b"seda: staged, event-driven, well-conditioned under any load. ..\n";
    assert!(page.body.iter().eq(line.iter().cycle().take(3_000_000)));
}

/// Returns the resident memory; `None` without procfs.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// A client that sends requests without reading responses is not read from: the bound of the write
/// buffer reaches back through the socket to the client.
#[test]
fn a_client_that_never_reads_is_not_read_from_either() {
    const MORE_THAN_ALL_BUFFERS: usize = 256 * 1024 * 1024;
    let site = Plan::default().on_reactor().start();
    let client = site.client();
    let mut socket = client.socket();
    socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let requests = "GET /bytes HTTP/1.1\r\nHost: t\r\n\r\n".repeat(1_000);
    let mut sent = 0;
    let stopped = loop {
        match socket.write(requests.as_bytes()) {
            Ok(written) => sent += written,
            Err(error) => break error.kind(),
        }
        assert!(sent < MORE_THAN_ALL_BUFFERS, "{sent} bytes of requests were taken");
    };
    assert!(matches!(stopped, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stopped:?}");
}

#[test]
fn an_idle_connection_is_closed_without_a_reset() {
    let site = Plan::with(|http| http.idle_timeout = Duration::from_millis(50)).start();
    let mut silent = site.client();
    silent.expect_end();
    let mut client = site.client();
    assert_eq!(client.fetch("/hello").status, 200);
    client.expect_end();
}

/// A client that takes no byte is disconnected, and its place is free again.
#[test]
fn a_reader_that_stalls_is_disconnected() {
    let plan = Plan::with(|http| {
        http.write_timeout = Duration::from_millis(50);
        http.connections = 1;
    });
    let site = plan.on_reactor().start();
    let mut stalled = site.client();
    stalled.get("/big?1000000000");
    // The bound is one connection, so this client is served once the other is disconnected.
    assert_eq!(site.client().fetch("/hello").text(), "hello\n");
}

/// The rule: a client that sends whole requests and shuts its sending side gets every answer, on
/// whatever thread it is made and however late.
#[test]
fn every_client_that_shuts_its_sending_side_gets_its_answers() {
    for plan in [Plan::default(), Plan::default().on_reactor()] {
        let site = plan.start();
        for _ in 0..200 {
            let mut client = site.client();
            client.get("/hello");
            client.get("/bytes");
            client.socket().shutdown(Shutdown::Write).unwrap();
            assert_eq!(client.response().text(), "hello\n");
            assert_eq!(client.response().body.len(), 1024);
            client.expect_end();
        }
        assert_eq!(site.admitted(), 400);
    }
    let site = Site::start();
    let mut held = site.hold();
    held.socket().shutdown(Shutdown::Write).unwrap();
    std::thread::park_timeout(Duration::from_millis(50));
    site.release();
    assert_eq!(held.response().text(), "held\n");
    held.expect_end();
}

/// The other rule, for programs whose clients give up by closing.
#[test]
fn without_half_close_a_shut_sending_side_abandons_the_requests() {
    let site = Plan::with(|http| http.closing.half_close = false).start();
    let mut held = site.hold();
    held.socket().shutdown(Shutdown::Write).unwrap();
    until("the request is abandoned", || site.lost("abandoned") == 1);
    site.release();
    held.expect_end();
}

/// Connections beyond the bound wait in the backlog while each has a request in progress.
#[test]
fn connections_beyond_the_bound_wait_for_a_place() {
    let site = Plan::with(|http| http.connections = 2).workers(2).start();
    let mut first = site.hold();
    let mut second = site.hold();
    let mut third = site.client();
    third.get("/hello");
    // The acceptor looks again each 50 ms, and closes none of the two.
    std::thread::park_timeout(Duration::from_millis(200));
    assert_eq!((site.admitted(), site.server.counts().evicted_connections), (2, 0));
    site.release();
    site.release();
    assert_eq!([first.response().text(), second.response().text()], ["held\n"; 2]);
    assert_eq!(third.response().status, 200);
}
