//! How a server ends.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DRAIN: Duration = Duration::from_secs(50);

/// Clients ask as fast as they can while the server drains. Every request that was admitted is
/// answered, and every answer arrives: the server's count and the clients' are the same.
#[test]
fn under_load_every_request_that_was_received_is_answered() {
    for plan in [Plan::default().workers(2), Plan::default().on_reactor()] {
        let site = plan.start();
        let (address, answers) = (site.address(), AtomicU64::new(0));
        let drained = std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| ask_until_the_end(address, &answers));
            }
            until("all clients are at it", || answers.load(Ordering::Relaxed) > 1_000);
            site.server.drain(DRAIN)
        });
        assert!(drained.complete, "{:?}", drained.left);
        let requests = drained.report.requests;
        assert_eq!((requests.admitted, requests.open), (requests.answered, 0));
        assert_eq!(requests.answered, answers.load(Ordering::Relaxed));
        assert!(TcpStream::connect(address).is_err());
    }
}

fn ask_until_the_end(address: std::net::SocketAddr, answers: &AtomicU64) {
    let mut client = Client::connect(address);
    loop {
        // Three at once, so that some are received and not read when the drain begins.
        client.try_send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3));
        for _ in 0..3 {
            let Some(answer) = client.next_answer() else { return };
            assert_eq!(answer.status, 200);
            answers.fetch_add(1, Ordering::Relaxed);
            if answer.closes() {
                return client.expect_end();
            }
        }
    }
}

/// Requests in flight and half-sent ones are finished, the last answer of a connection says that
/// it is, and meanwhile the admin view says that the server is not ready.
#[test]
fn what_was_begun_is_finished_and_nothing_else_is() {
    let site = Site::start();
    let mut held = site.hold();
    let mut partly_sent = site.client();
    partly_sent.send("GET /hello HTTP/1.1\r\nHost:");
    let mut idle = site.client();
    assert_eq!(idle.ask("/_seda/ready").status, 200);
    let (address, release) = (site.address(), site.release_handle());
    let Site { server, begun, .. } = site;
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| server.drain(DRAIN));
        idle.expect_end();
        until("the listener is closed", || TcpStream::connect(address).is_err());
        partly_sent.send(" t\r\n\r\n");
        held.get("/_seda/ready");
        // The worker is still held, so its answer can only come after the release.
        release.send(()).unwrap();
        assert_eq!(begun.recv_timeout(LIMIT).unwrap(), "/hello");
        let answer = held.answer();
        assert_eq!((answer.text(), answer.closes()), ("held\n", false));
        let answer = held.answer();
        assert_eq!((answer.status, answer.text()), (503, "draining\n"));
        assert!(answer.closes());
        held.expect_end();
        let answer = partly_sent.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.closes());
        partly_sent.expect_end();
        let drained = drain.join().unwrap();
        assert!(drained.complete);
        assert_eq!(drained.report.requests.answered, 2);
    });
}

/// At the limit those who still wait are told, and the drain ends.
#[test]
fn at_the_limit_who_still_waits_is_told() {
    let site = Site::start();
    let mut held = site.hold();
    let mut queued = site.client();
    queued.get("/hello");
    until("it is queued", || site.admitted() == 2);
    let release = site.release_handle();
    let drained = site.server.drain(Duration::from_millis(200));
    assert!(!drained.complete);
    for client in [&mut held, &mut queued] {
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (503, "the server ends\n"));
        assert!(answer.closes());
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
    assert_eq!(client.ask("/hello").status, 200);
    drop(site);
    client.expect_end();
    let again = Plan::with(|http| http.listen = address).start();
    assert_eq!(again.client().ask("/hello").status, 200);
}

/// A busy port is one clear line, before anything runs.
#[test]
fn a_busy_port_is_an_error_that_names_it_and_the_remedy() {
    let site = Site::start();
    let mut config = seda_http::HttpConfig::default();
    config.listen = site.address();
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
