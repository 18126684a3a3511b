//! The end of a server.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DRAIN: Duration = Duration::from_secs(50);

/// Clients send requests as fast as they can while the server drains. Every admitted request is
/// answered, and every response arrives: the counts of the server and of the clients are equal.
#[test]
fn a_drain_under_load_answers_every_received_request() {
    for plan in [Plan::default().workers(2), Plan::default().on_reactor()] {
        let site = plan.start();
        let address = site.address();
        let responses = AtomicU64::new(0);
        let drained = std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| send_until_the_end(address, &responses));
            }
            until("all clients are busy", || responses.load(Ordering::Relaxed) > 1_000);
            site.server.drain(DRAIN)
        });
        assert!(drained.complete, "{:?}", drained.left);
        let requests = drained.report.requests;
        assert_eq!((requests.admitted, requests.open), (requests.answered, 0));
        assert_eq!(requests.answered, responses.load(Ordering::Relaxed));
        assert!(TcpStream::connect(address).is_err());
    }
}

fn send_until_the_end(address: std::net::SocketAddr, responses: &AtomicU64) {
    let mut client = Client::connect(address);
    loop {
        // Three at once, so that some are received but not read when the drain begins.
        client.try_send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3));
        for _ in 0..3 {
            let Some(response) = client.next_response() else { return };
            assert_eq!(response.status, 200);
            responses.fetch_add(1, Ordering::Relaxed);
            if response.closes() {
                return client.expect_end();
            }
        }
    }
}

/// Requests in flight and half-sent requests are finished, the last response of a connection says
/// `close`, and the admin view says meanwhile that the server is not ready.
#[test]
fn a_drain_finishes_begun_requests_and_closes_idle_connections() {
    let site = Site::start();
    let mut held = site.hold();
    let mut partly_sent = site.client();
    partly_sent.send("GET /hello HTTP/1.1\r\nHost:");
    let mut idle = site.client();
    assert_eq!(idle.fetch("/_seda/ready").status, 200);
    let address = site.address();
    let release = site.release_handle();
    let Site { server, begun, .. } = site;
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| server.drain(DRAIN));
        idle.expect_end();
        until("the listener is closed", || TcpStream::connect(address).is_err());
        partly_sent.send(" t\r\n\r\n");
        held.get("/_seda/ready");
        // The worker is still held, so the response to it comes after the release.
        release.send(()).unwrap();
        assert_eq!(begun.recv_timeout(LIMIT).unwrap(), "/hello");
        let response = held.response();
        assert_eq!((response.text(), response.closes()), ("held\n", false));
        let response = held.response();
        assert_eq!((response.status, response.text()), (503, "draining\n"));
        assert!(response.closes());
        held.expect_end();
        let response = partly_sent.response();
        assert_eq!(response.status, 200);
        assert!(response.closes());
        partly_sent.expect_end();
        let drained = drain.join().unwrap();
        assert!(drained.complete);
        assert_eq!(drained.report.requests.answered, 2);
    });
}

/// Behind a balancer: the probe fails first, and each connection is closed after its next answer.
#[test]
fn in_the_lame_duck_time_the_probe_fails_and_requests_are_answered_on_connections_that_close() {
    let site = Plan::with(|http| http.closing.lame_duck = LIMIT).start();
    let address = site.address();
    let [mut kept, mut idle] = [site.client(), site.client()];
    assert!(!kept.fetch("/hello").closes() && !idle.fetch("/readyz").closes());
    // The lame-duck time outlasts the test.
    let server = site.server;
    std::thread::Builder::new().spawn(move || server.drain(4 * LIMIT)).unwrap();
    let mut probe = Client::connect(address);
    until("the probe fails", || {
        let answer = probe.fetch("/readyz");
        if answer.closes() {
            probe.expect_end();
            probe = Client::connect(address);
        }
        answer.status == 503 && answer.closes()
    });
    // Pipelined requests have all of their answers.
    kept.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n".repeat(2));
    assert_eq!((kept.response().status, kept.response().closes()), (200, true));
    kept.expect_end();
    for mut client in [idle, Client::connect(address)] {
        let answer = client.fetch("/hello");
        assert_eq!((answer.status, answer.closes()), (200, true));
        client.expect_end();
    }
}

#[test]
fn after_the_lame_duck_time_the_server_drains_within_the_same_limit() {
    let site = Plan::with(|http| http.closing.lame_duck = Duration::from_millis(10)).start();
    let (address, mut idle) = (site.address(), site.client());
    assert_eq!(idle.fetch("/hello").status, 200);
    assert!(site.server.drain(DRAIN).complete);
    idle.expect_end();
    assert!(TcpStream::connect(address).is_err());
    // Half of the limit at most, so that requests have the rest.
    let site = Plan::with(|http| http.closing.lame_duck = Duration::from_secs(3_600)).start();
    assert!(site.server.drain(Duration::from_millis(100)).complete);
}

/// At the limit open requests are answered with 503, and the drain ends.
#[test]
fn at_the_limit_open_requests_are_answered_with_503() {
    let site = Site::start();
    let mut held = site.hold();
    let mut queued = site.client();
    queued.get("/hello");
    until("the second request is queued", || site.admitted() == 2);
    let release = site.release_handle();
    let drained = site.server.drain(Duration::from_millis(200));
    assert!(!drained.complete);
    for client in [&mut held, &mut queued] {
        let response = client.response();
        assert_eq!((response.status, response.text()), (503, "the server ends\n"));
        assert!(response.closes());
        client.expect_end();
    }
    release.send(()).unwrap();
}

/// A server that is dropped ends, and its address is free again.
#[test]
fn a_server_can_be_dropped_and_its_port_taken_again() {
    let site = Site::start();
    let address = site.address();
    let mut client = site.client();
    assert_eq!(client.fetch("/hello").status, 200);
    drop(site);
    client.expect_end();
    let again = Plan::with(|http| http.listen = address.into()).start();
    assert_eq!(again.client().fetch("/hello").status, 200);
}

/// A busy port is one clear line, before any thread runs.
#[test]
fn a_busy_port_is_an_error_that_names_it_and_the_remedy() {
    let site = Site::start();
    let mut config = seda_http::HttpConfig::default();
    config.listen = site.address().into();
    let error = seda_http::Http::bind(config).unwrap_err().to_string();
    let address = site.address();
    assert_eq!(
        error,
        format!(
            "`listen` = {address} is in use: end the other server, or choose another port \
             (0 takes a free one)"
        )
    );
}
