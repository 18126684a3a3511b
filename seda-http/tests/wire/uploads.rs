//! The budget for the memory of request bodies.

use crate::bound::client_from;
use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use seda_core::SendOptions;
use seda_http::Method;
use seda_http::h1::RequestHead;
use std::time::Duration;

pub(crate) const MIB: usize = 1024 * 1024;

fn post(path: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n")
}

/// Sends a body of 1 MiB, which the program holds until the release.
pub(crate) fn hold_body(site: &Site) -> Client {
    let mut client = site.client();
    client.send(post("/hold", &format!("Content-Length: {MIB}")));
    client.send(vec![b'x'; MIB]);
    assert_eq!(site.begun.recv_timeout(LIMIT).unwrap(), "/hold");
    client
}

fn body_bytes(site: &Site) -> usize {
    site.server.counts().body_bytes
}

/// Bodies that the program holds count until it drops them. While they use up the budget, others
/// are refused from the head, and requests without a body are served.
#[test]
fn a_body_without_room_is_refused_from_its_head() {
    let site = Plan::with(|http| http.body.budget = 2 * MIB).workers(3).start();
    let mut held = [hold_body(&site), hold_body(&site)];
    assert_eq!(body_bytes(&site), 2 * MIB);
    let mut long = site.client();
    long.send(post("/echo", &format!("Content-Length: {MIB}\r\nExpect: 100-continue")));
    let response = long.response();
    assert_eq!((response.status, response.closes()), (503, true));
    assert_eq!(response.text(), "the server has no memory for this body\n");
    long.expect_end();
    // A body that came with its head is refused, too, and its connection goes on.
    let mut short = site.client();
    short.send(post("/echo", "Content-Length: 2") + "hi");
    let response = short.response();
    assert_eq!((response.status, response.closes()), (503, false));
    assert_eq!(short.fetch("/hello").text(), "hello\n");
    assert_eq!(site.server.counts().refused_bodies, 2);
    held.iter().for_each(|_| site.release());
    held.iter_mut().for_each(|client| assert_eq!(client.response().text(), "held\n"));
    until("the memory is given back", || body_bytes(&site) == 0);
    short.send(post("/echo", "Content-Length: 2") + "hi");
    assert_eq!(short.response().text(), "hi");
}

/// Gives GET requests a deadline that has passed.
fn expire_gets(head: &RequestHead, options: SendOptions) -> SendOptions {
    let deadline = (*head.method() == Method::GET).then_some(Duration::ZERO);
    SendOptions { deadline, ..options }
}

/// Reads the refusal of a body, and sends a GET request.
fn expect_refusal_alone(client: &mut Client) {
    let response = client.response();
    assert_eq!((response.status, response.closes()), (503, false));
    assert_eq!(response.text(), "the server has no memory for this body\n");
    assert_eq!(client.fetch("/hello").text(), "the request's deadline has passed\n");
}

/// The next request on the connection is classified by itself.
#[test]
fn a_body_without_room_leaves_no_options_for_the_next_request() {
    let plan = Plan::with(|http| http.body.budget = MIB);
    let site = Plan { classify: Some(expire_gets), ..plan }.workers(2).start();
    let mut held = hold_body(&site);
    let mut client = site.client();
    // A declared length has no room at the head.
    client.send(post("/echo", "Content-Length: 2"));
    until("the head is refused", || site.server.counts().refused_bodies == 1);
    client.send("hi");
    expect_refusal_alone(&mut client);
    // A chunked body has none at its end.
    client.send(post("/echo", "Transfer-Encoding: chunked\r\nExpect: 100-continue"));
    assert_eq!(client.response().status, 100);
    client.send("2\r\nhi\r\n0\r\n\r\n");
    expect_refusal_alone(&mut client);
    assert_eq!(site.server.counts().refused_bodies, 2);
    site.release();
    assert_eq!(held.response().text(), "held\n");
}

/// One client holds the budget with unfinished uploads. Another one's upload ends one of them.
#[test]
#[cfg(target_os = "linux")]
fn slow_uploads_lock_no_other_client_out() {
    let site = Plan::with(|http| http.body.budget = 4 * MIB).start();
    let mut slow: Vec<Client> = (0..4)
        .map(|_| {
            let mut client = client_from(&site, 1);
            let fields = format!("Content-Length: {MIB}\r\nExpect: 100-continue");
            client.send(post("/echo", &fields));
            assert_eq!(client.response().status, 100);
            client
        })
        .collect();
    assert_eq!(body_bytes(&site), 4 * MIB);
    for served in 1..=3 {
        let mut other = client_from(&site, 2);
        other.send(post("/echo", &format!("Content-Length: {MIB}")));
        other.send(vec![b'x'; MIB]);
        assert_eq!(other.response().status, 200, "{served}");
        drop(other);
        until("the memory is given back", || body_bytes(&site) <= 3 * MIB);
    }
    assert_eq!(site.server.counts().ended_uploads, 1);
    until("the ended upload has its answer", || slow.iter_mut().any(|client| client.has_bytes()));
    let mut ended = slow.into_iter().find_map(|mut it| it.has_bytes().then_some(it)).unwrap();
    let response = ended.response();
    assert_eq!((response.status, response.closes()), (503, true));
    ended.expect_end();
    until("the memory is given back", || body_bytes(&site) == 0);
}

/// Waits until the budget is charged whole, and uploads half as much from another client.
#[cfg(target_os = "linux")]
fn upload_of_another_is_served(site: &Site) {
    until("its bytes are charged", || body_bytes(site) == MIB);
    let mut other = client_from(site, 2);
    other.send(post("/bytes", &format!("Content-Length: {}", MIB / 2)));
    other.send(vec![b'x'; MIB / 2]);
    assert_eq!(other.response().status, 200);
}

/// The body comes behind a request that is in the graph.
#[test]
#[cfg(target_os = "linux")]
fn an_upload_behind_another_request_locks_no_other_client_out() {
    let site = Plan::with(|http| http.body.budget = MIB).workers(2).start();
    let mut slow = client_from(&site, 1);
    slow.get("/hold");
    slow.send(post("/echo", &format!("Content-Length: {MIB}")) + "x");
    upload_of_another_is_served(&site);
    site.release();
    assert_eq!(slow.response().text(), "held\n");
    let response = slow.response();
    assert_eq!((response.status, response.closes()), (503, true));
    slow.expect_end();
}

/// The client does not read the answer in front of the body.
#[test]
#[cfg(target_os = "linux")]
fn an_upload_behind_an_unread_answer_locks_no_other_client_out() {
    let site = Plan::with(|http| http.body.budget = MIB).start();
    let mut slow = client_from(&site, 1);
    slow.get("/big?100000000");
    slow.send(post("/echo", &format!("Content-Length: {MIB}")) + "x");
    upload_of_another_is_served(&site);
    assert_eq!(site.server.counts().ended_uploads, 1);
    assert_eq!(slow.response().body.len(), 100_000_000);
    assert_eq!(slow.response().status, 503);
    slow.expect_end();
}

/// A chunked body is charged as it arrives.
#[test]
#[cfg(target_os = "linux")]
fn chunked_bodies_are_charged_piece_by_piece() {
    let site = Plan::with(|http| http.body.budget = MIB).start();
    let chunked = |client: &mut Client, bytes: usize| {
        client.send(post("/bytes", "Transfer-Encoding: chunked"));
        client.send(format!("{bytes:x}\r\n"));
        client.send(vec![b'x'; bytes]);
    };
    let mut first = client_from(&site, 1);
    chunked(&mut first, 900 * 1024);
    until("its bytes are charged", || body_bytes(&site) >= 900 * 1024);
    assert!(body_bytes(&site) <= MIB);
    let mut second = client_from(&site, 2);
    chunked(&mut second, 800 * 1024);
    second.send("\r\n0\r\n\r\n");
    assert_eq!(second.response().status, 200);
    let response = first.response();
    assert_eq!((response.status, response.closes()), (503, true));
    first.expect_end();
    until("the memory is given back", || body_bytes(&site) == 0);
}

/// Each end of an upload gives its memory back: its client leaves, is too slow, or sends garbage.
#[test]
fn every_end_of_an_upload_gives_its_memory_back() {
    let site = Plan::with(|http| {
        http.body.timeout = Duration::from_millis(100);
        http.closing.linger_total = Duration::from_secs(60);
        http.closing.linger = Duration::from_secs(60);
    })
    .start();
    let mut left = site.client();
    left.send(post("/echo", "Content-Length: 1000000") + "x");
    drop(left);
    let mut slow = site.client();
    slow.send(post("/echo", "Content-Length: 1000000") + "x");
    assert_eq!(slow.response().status, 408);
    let mut garbled = site.client();
    garbled.send(post("/echo", "Transfer-Encoding: chunked") + "5\r\nhello\r\ngarbage\r\n");
    assert_eq!(garbled.response().status, 400);
    // Both connections still linger.
    until("the memory is given back", || body_bytes(&site) == 0);
    assert_eq!(site.admitted(), 0);
}
