//! A listener behind a proxy, at 127.0.0.1, that sends a PROXY header.

use super::*;

const HEADER: &[u8] = b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 80\r\n";

fn bench() -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy_protocol = Some(PeerList::new(["127.0.0.1"]).unwrap());
    let rules = Arc::new(ListenerRules { proxy_protocol, tls: None });
    Bench::serving(vec![Listening { rules, ..listening(listener) }], address)
}

#[test]
fn a_connection_counts_for_no_client_until_its_header_is_whole() {
    let mut bench = bench();
    let mut clients = [bench.connect(), bench.connect(), bench.connect()];
    // The listener counts as one.
    bench.until(|bench| bench.connection_count.get() == 4);
    assert_eq!(bench.connection_count.most(), 1);
    clients.iter_mut().for_each(|client| client.get_mut().write_all(HEADER).unwrap());
    bench.until(|bench| bench.connection_count.most() == 3);
}

/// Leaves connections of peers that may not connect in the backlog.
#[cfg(target_os = "linux")]
fn connect_unlisted(bench: &Bench, connections: usize) {
    use socket2::{Domain, Socket, Type};
    for _ in 0..connections {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        socket.connect(&bench.address.into()).unwrap();
    }
}

/// A round closes 64 of them.
#[test]
#[cfg(target_os = "linux")]
fn a_drain_accepts_the_connection_behind_many_that_may_not_connect() {
    let mut bench = bench();
    connect_unlisted(&bench, 100);
    let mut client = bench.connect();
    client.get_mut().write_all(&[HEADER, b"first!\n"].concat()).unwrap();
    bench.mailbox.send(ReactorMessage::Drain);
    bench.until(|bench| bench.reactor.acceptor.is_none());
    bench.requested("first!");
    assert_eq!(line(&mut client), "first!");
}

/// Each round finds more connections than it closes. A backlog holds 1,025 at most.
#[test]
#[cfg(target_os = "linux")]
fn a_drain_accepts_no_more_than_a_backlog_may_hold() {
    let mut bench = bench();
    bench.mailbox.send(ReactorMessage::Drain);
    connect_unlisted(&bench, 1);
    for _ in 0..1_024 / 64 {
        connect_unlisted(&bench, 64);
        bench.round();
        assert!(bench.reactor.acceptor.is_some());
    }
    connect_unlisted(&bench, 64);
    bench.round();
    assert!(bench.reactor.acceptor.is_none());
}
