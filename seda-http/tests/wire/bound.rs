//! The bound of connections: a newcomer takes the place of an idle connection.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// Connects from the loopback address 127.0.0.`host`.
fn connect_from(site: &Site, host: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0)).into()).unwrap();
    socket.connect(&site.address().into()).unwrap();
    socket.into()
}

pub(crate) fn client_from(site: &Site, host: u8) -> Client {
    Client::of(connect_from(site, host))
}

fn evicted(site: &Site) -> u64 {
    site.server.counts().evicted_connections
}

/// Returns true if the server has closed the connection.
fn is_closed(mut socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).unwrap();
    let closed = matches!(socket.read(&mut [0]), Ok(0));
    socket.set_nonblocking(false).unwrap();
    closed
}

/// One client fills the bound, sends nothing and connects anew for each connection that is closed.
/// Others are served all the same, and keep their connections.
#[test]
#[cfg(target_os = "linux")]
fn a_client_that_fills_the_bound_locks_no_other_out() {
    for reactors in [1, 3] {
        let plan = Plan::with(|http| {
            http.connections = 64;
            http.reactors = reactors;
        });
        let site = plan.on_reactor().start();
        let mut greedy: Vec<_> = (0..128).map(|_| connect_from(&site, 1)).collect();
        until("the flood is over the bound", || evicted(&site) >= 32);
        let mut others: Vec<_> = (2..12).map(|host| client_from(&site, host)).collect();
        for _ in 0..20 {
            greedy.remove(0);
            greedy.push(connect_from(&site, 1));
            for other in &mut others {
                assert_eq!(other.fetch("/hello").text(), "hello\n");
            }
        }
    }
}

/// The same with unfinished heads, which are no requests in progress.
#[test]
fn unfinished_heads_lock_no_other_out() {
    let site = Plan::with(|http| http.connections = 10).on_reactor().start();
    let mut slow: Vec<_> = (0..10).map(|_| site.client()).collect();
    slow.iter_mut().for_each(|client| client.send("GET / HTTP/1.1\r\nHost: t\r\nX"));
    for served in 0..10 {
        assert_eq!(site.client().fetch("/hello").text(), "hello\n", "{served} were served");
    }
}

/// Of one client's connections the one that has been idle for the longest time is closed. One with
/// a request in the graph stays.
#[test]
fn the_oldest_idle_connection_is_closed_for_a_newcomer() {
    let site = Plan::with(|http| http.connections = 3).workers(2).start();
    let mut held = site.hold();
    let mut first = site.client();
    let mut second = site.client();
    assert_eq!(first.fetch("/hello").status, 200);
    assert_eq!(second.fetch("/hello").status, 200);
    // The second is idle for longer now.
    std::thread::park_timeout(std::time::Duration::from_millis(20));
    assert_eq!(first.fetch("/hello").status, 200);
    until("the newcomer is served", || {
        let mut client = site.client();
        client.get("/hello");
        client.next_response().is_some_and(|response| response.status == 200)
    });
    second.expect_end();
    assert_eq!(evicted(&site), 1);
    assert_eq!(first.fetch("/hello").status, 200);
    site.release();
    assert_eq!(held.response().text(), "held\n");
}

/// A client that sends bodies slowly loses connections to newcomers of other clients, and not to
/// its own.
#[test]
#[cfg(target_os = "linux")]
fn slow_bodies_of_one_client_lock_no_other_out() {
    let site = Plan::with(|http| http.connections = 4).on_reactor().start();
    let slow: Vec<_> = (0..4)
        .map(|_| {
            let mut client = client_from(&site, 1);
            client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n");
            client.send("x");
            client
        })
        .collect();
    let own = connect_from(&site, 1);
    std::thread::park_timeout(std::time::Duration::from_millis(200));
    assert_eq!(evicted(&site), 0);
    drop(own);
    let mut other = client_from(&site, 2);
    other.socket().set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(other.fetch("/hello").text(), "hello\n");
    assert_eq!(evicted(&site), 1);
    assert_eq!(slow.iter().filter(|client| is_closed(client.socket())).count(), 1);
}
