//! A server that takes over the listening socket of another one while clients connect.

use crate::client::LIMIT;
use crate::site::{Plan, Site, until};
use seda_core::{Clock, MonotonicClock, Time};
use seda_http::{Http, HttpConfig};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A client whose request follows its connection more slowly than this may find that its server has
/// ended in between. On an idle machine it takes microseconds.
const SLOW: Duration = Duration::from_millis(50);

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    answered: AtomicU64,
    /// Connections that were refused, reset, or ended without an answer.
    lost: AtomicU64,
    /// Connections whose client was slow, and that ended without an answer.
    slow: AtomicU64,
}

const ASK: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Connects, asks once, and reads to the end. Returns the answer, and the time from the connection
/// to the whole request.
fn ask(address: SocketAddr) -> io::Result<(String, Duration)> {
    let mut socket = TcpStream::connect(address)?;
    let clock = MonotonicClock::new();
    socket.write_all(ASK)?;
    let took = clock.now().since(Time::ZERO);
    socket.set_read_timeout(Some(LIMIT))?;
    let mut answer = String::new();
    match socket.read_to_string(&mut answer) {
        Err(_) if took > SLOW => Ok((String::new(), took)),
        read => read.map(|_| (answer, took)),
    }
}

fn connect_until(is_over: &AtomicBool, address: SocketAddr, seen: &Seen) {
    while !is_over.load(Ordering::Relaxed) {
        let count = match ask(address) {
            Ok((answer, _)) if answer.ends_with("\r\n\r\nhello\n") => &seen.answered,
            Ok((answer, took)) if answer.is_empty() && took > SLOW => &seen.slow,
            _ => &seen.lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn start_on(listener: &TcpListener) -> Site {
    let sockets = [listener.try_clone().unwrap()];
    Plan::default().on_reactor().start_on(Http::bind_on(HttpConfig::default(), sockets).unwrap())
}

/// Five servers follow each other on one socket. Every connection is answered, by exactly one.
#[test]
fn no_connection_is_refused_or_reset_while_servers_follow_each_other_on_one_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, is_over) = (Seen::default(), AtomicBool::new(false));
    let mut answered_by_servers = 0;
    let mut site = start_on(&listener);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| connect_until(&is_over, address, &seen));
        }
        for _ in 0..4 {
            let before = seen.answered.load(Ordering::Relaxed);
            until("the clients are served", || {
                seen.answered.load(Ordering::Relaxed) > before + 200
            });
            let next = start_on(&listener);
            let drained = std::mem::replace(&mut site, next).server.drain(LIMIT);
            assert!(drained.complete);
            answered_by_servers += drained.report.requests.answered;
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let drained = site.server.drain(LIMIT);
    answered_by_servers += drained.report.requests.answered;
    let [answered, lost] = [&seen.answered, &seen.lost].map(|it| it.load(Ordering::Relaxed));
    assert_eq!((lost, answered), (0, answered_by_servers));
    assert!(answered > 800);
}

/// The old server has ended before the new one begins. Clients wait in the backlog meanwhile.
#[test]
fn connections_wait_for_the_next_server_while_none_accepts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let first = start_on(&listener);
    assert!(ask(address).unwrap().0.ends_with("hello\n"));
    assert!(first.server.drain(LIMIT).complete);
    // They are accepted by none yet, and their requests are on the way.
    let mut waiting: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    waiting.iter_mut().for_each(|socket| socket.write_all(ASK).unwrap());
    let second = start_on(&listener);
    for mut socket in waiting {
        let mut answer = String::new();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello\n"));
    }
    assert_eq!(second.server.drain(LIMIT).report.requests.answered, 20);
}

/// At the bound of connections the newcomers that were taken from the backlog are served, although
/// their server drains.
#[test]
fn connections_that_wait_for_a_place_are_served_by_the_server_that_drains() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = HttpConfig::default();
    config.connections = 2;
    let sockets = [listener.try_clone().unwrap()];
    let plan = Plan { http: config.clone(), ..Plan::default() }.workers(2);
    let site = plan.start_on(Http::bind_on(config, sockets).unwrap());
    let client = || crate::client::Client::connect(address);
    let mut held = [client(), client()];
    for client in &mut held {
        client.get("/hold");
        site.begun.recv_timeout(LIMIT).unwrap();
    }
    let mut waiting = client();
    waiting.send(ASK);
    until("the newcomer is out of the backlog", || is_backlog_empty(&listener));
    let release = site.release_handle();
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| site.server.drain(LIMIT));
        release.send(()).unwrap();
        release.send(()).unwrap();
        assert_eq!(waiting.response().text(), "hello\n");
        assert!(held.iter_mut().all(|client| client.response().text() == "held\n"));
        assert!(drain.join().unwrap().complete);
    });
}

/// Returns true if no connection waits to be accepted.
fn is_backlog_empty(listener: &TcpListener) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut polled = [PollFd::new(listener, PollFlags::IN)];
    poll(&mut polled, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 0
}
