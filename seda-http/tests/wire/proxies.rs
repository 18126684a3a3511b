//! Clients behind proxies: the PROXY protocol, and the fields of trusted proxies.

use crate::bound::client_from;
use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use seda_core::SendOptions;
use seda_http::h1::RequestHead;
use seda_http::{HttpConfig, ListenerConfig, PeerList};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Returns settings for one listener that accepts the PROXY protocol from these peers.
fn proxied(peers: &[&str]) -> HttpConfig {
    let mut listener: ListenerConfig = "127.0.0.1:0".parse().unwrap();
    listener.proxy_protocol = Some(PeerList::new(peers).unwrap());
    let mut config = HttpConfig::default();
    config.listen = listener.into();
    config
}

fn site_behind(peers: &[&str]) -> Site {
    Plan { http: proxied(peers), ..Plan::default() }.on_reactor().start()
}

/// Returns a header of version 2 for the client 192.0.2.`host`, with a TLV of three bytes.
fn v2(host: u8) -> Vec<u8> {
    let addresses = [192, 0, 2, host, 10, 0, 0, 1, 0x9c, 0x40, 0, 80];
    [SIGNATURE, &[0x21, 0x11, 0, 18], &addresses, &[0x04, 0, 3, 1, 2, 3]].concat()
}

fn v1(host: u8) -> Vec<u8> {
    format!("PROXY TCP4 192.0.2.{host} 10.0.0.1 40000 80\r\n").into_bytes()
}

/// Sends the parts so that the server sees each in a read of its own, as far as a socket allows.
fn send_apart(client: &mut Client, parts: [&[u8]; 2]) {
    for part in parts {
        client.send(part);
        std::thread::yield_now();
    }
}

#[test]
fn the_client_is_the_one_of_the_header_in_every_split() {
    let site = site_behind(&["127.0.0.1"]);
    let request = b"GET /client HTTP/1.1\r\nHost: a\r\n\r\n";
    let v6 = b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n".to_vec();
    let local = [SIGNATURE, &[0x20, 0x00, 0, 0]].concat();
    let unix = [SIGNATURE, &[0x21, 0x31, 0, 216], &[0; 216]].concat();
    for (header, client) in [
        (v1(7), "192.0.2.7"),
        (v2(7), "192.0.2.7"),
        (v6, "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (local, "127.0.0.1"),
        (unix, "unknown"),
    ] {
        let bytes = [&header[..], request].concat();
        for split in 0..=header.len() {
            let mut socket = site.client();
            let (first, second) = bytes.split_at(split);
            send_apart(&mut socket, [first, second]);
            assert_eq!(socket.response().text(), client, "split at {split}");
            // Requests behind the first have the same client, and no header.
            assert_eq!(socket.fetch("/client").text(), client);
        }
    }
    assert_eq!(site.server.counts().refused_proxies, 0);
}

#[test]
fn a_request_whose_body_comes_after_its_head_has_the_client_of_the_header() {
    let site = site_behind(&["127.0.0.1"]);
    let mut socket = site.client();
    let head = b"GET /client HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    send_apart(&mut socket, [&[&v1(7)[..], head].concat(), b"abc"]);
    assert_eq!(socket.response().text(), "192.0.2.7");
}

#[test]
fn bytes_that_are_no_header_close_the_connection_unanswered_in_every_split() {
    let site = site_behind(&["127.0.0.1"]);
    let request = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut endless = b"PROXY UNKNOWN ".to_vec();
    endless.resize(200, b'x');
    let wrong = [
        request.to_vec(),
        b"PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n".to_vec(),
        b"\r\n\r\n\0\r\nQUIX\n".to_vec(),
        [SIGNATURE, &[0x22, 0x11, 0, 12], &[1; 12]].concat(),
        [SIGNATURE, &[0x21, 0x11, 0, 11], &[1; 11]].concat(),
        [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat(),
        endless,
    ];
    let mut closed = 0;
    for header in wrong {
        let bytes = [&header[..], request].concat();
        for split in 0..=header.len() {
            let mut socket = site.client();
            let (first, second) = bytes.split_at(split);
            socket.try_send(first);
            std::thread::yield_now();
            socket.try_send(second);
            assert_eq!(socket.rest(), b"", "split at {split}");
            closed += 1;
        }
    }
    // A client that leaves within its header has no wrong one.
    let mut socket = site.client();
    socket.send(&v2(7)[..20]);
    socket.socket().shutdown(Shutdown::Write).unwrap();
    assert_eq!(socket.rest(), b"");
    assert_eq!((site.server.counts().refused_proxies, site.admitted()), (closed, 0));
}

#[test]
fn a_peer_that_is_not_listed_is_closed_and_counted() {
    let site = site_behind(&["127.0.0.2", "10.0.0.0/8"]);
    for counted in 1..=10 {
        let mut socket = client_from(&site, 3);
        socket.try_send(v1(7));
        assert_eq!(socket.rest(), b"");
        assert_eq!(site.server.counts().refused_proxies, counted);
    }
    let mut socket = client_from(&site, 2);
    socket.send(v1(7));
    assert_eq!(socket.fetch("/client").text(), "192.0.2.7");
    assert_eq!(site.server.counts().refused_proxies, 10);
}

#[test]
fn an_unfinished_header_ends_with_the_time_of_a_head_and_has_no_answer() {
    let mut http = proxied(&["127.0.0.1"]);
    http.head_timeout = Duration::from_millis(100);
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    for begin in [&b""[..], b"PROXY TCP4", &v2(7)[..27]] {
        let mut socket = site.client();
        socket.send(begin);
        assert_eq!(socket.rest(), b"");
    }
    // A client whose header is whole has the time of an idle connection.
    let mut socket = site.client();
    socket.send(v2(7));
    std::thread::park_timeout(Duration::from_millis(400));
    assert_eq!(socket.fetch("/client").text(), "192.0.2.7");
}

/// A drain does not wait for headers that do not come, and serves those that do.
#[test]
fn a_drain_serves_a_header_that_arrives_and_waits_for_no_other() {
    let site = site_behind(&["127.0.0.1"]);
    let mut silent = site.client();
    silent.send("PROXY ");
    let mut speaks = site.client();
    speaks.send(v1(7));
    speaks.send("GET /client HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(site.server.drain(Duration::from_secs(50)).complete);
    assert_eq!(speaks.response().text(), "192.0.2.7");
    assert_eq!(silent.rest(), b"");
}

/// One client behind the proxy fills the bound. Others behind the same proxy get in.
#[test]
fn the_shares_of_connections_are_those_of_the_clients_in_the_headers() {
    let mut http = proxied(&["127.0.0.1"]);
    http.connections = 40;
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    let connect = |host| {
        let mut client = site.client();
        client.send(v2(host));
        client
    };
    let mut others: Vec<_> = (2..12).map(connect).collect();
    assert!(others.iter_mut().all(still_serves));
    // Each newcomer of the greedy client takes a place of its own, although others wait for longer.
    let mut greedy = Vec::new();
    for _ in 0..60 {
        let mut client = connect(1);
        assert!(still_serves(&mut client));
        greedy.push(client);
    }
    assert!(site.server.counts().evicted_connections >= 30);
    assert!(others.iter_mut().all(still_serves));
}

/// Returns settings that believe the proxies at these addresses.
fn trusting(peers: &[&str]) -> HttpConfig {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.trusted_proxies = PeerList::new(peers).unwrap();
    config
}

fn client_of(socket: &mut Client, fields: &str) -> String {
    socket.send(format!("GET /client HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    socket.response().text().to_owned()
}

#[test]
fn the_fields_of_a_trusted_proxy_name_the_client_of_each_request() {
    let http = trusting(&["127.0.0.1", "10.0.0.0/8"]);
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    let mut proxy = site.client();
    let forwarded = "X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.0.0.2\r\n";
    assert_eq!(client_of(&mut proxy, forwarded), "192.0.2.7");
    assert_eq!(client_of(&mut proxy, "Forwarded: for=\"[2001:db8::7]:1\"\r\n"), "2001:db8::7");
    assert_eq!(client_of(&mut proxy, ""), "127.0.0.1");
    // The same fields from another peer are those of a client.
    let mut other = client_from(&site, 2);
    assert_eq!(client_of(&mut other, forwarded), "127.0.0.2");
    // A body, at once and later.
    for pause in [false, true] {
        proxy.send(format!("POST /client HTTP/1.1\r\nHost: a\r\n{forwarded}Content-Length: 1\r\n"));
        proxy.send("\r\n");
        if pause {
            until("the head is read", || !proxy.has_bytes());
        }
        proxy.send("x");
        assert_eq!(proxy.response().text(), "192.0.2.7");
    }
}

/// A proxy passes on the field that it does not write itself. Else a client would get the address
/// of the proxy by such a field, and what the program allows to that address.
#[test]
fn a_client_that_adds_the_other_field_is_not_known() {
    let http = trusting(&["127.0.0.1"]);
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    let mut proxy = site.client();
    let fields = "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=203.0.113.9\r\n";
    assert_eq!(client_of(&mut proxy, fields), "unknown");
    // A body that comes later.
    let body = "Content-Length: 1\r\nExpect: 100-continue\r\n";
    proxy.send(format!("POST /client HTTP/1.1\r\nHost: a\r\n{fields}{body}\r\n"));
    assert_eq!(proxy.response().status, 100);
    proxy.send("x");
    assert_eq!(proxy.response().text(), "unknown");
}

/// At a TCP listener a PROXY header may name a client without an address. It is no proxy.
#[test]
fn a_client_without_an_address_is_no_peer_of_a_unix_socket() {
    let mut http = proxied(&["127.0.0.1"]);
    http.trusted_proxies = PeerList::new(["unix:"]).unwrap();
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    let mut socket = site.client();
    socket.send([SIGNATURE, &[0x21, 0x31, 0, 216], &[0; 216]].concat());
    assert_eq!(client_of(&mut socket, "X-Forwarded-For: 203.0.113.9\r\n"), "unknown");
}

/// The proxy passes on the requests of others, so the admin pages are off.
#[cfg(unix)]
#[test]
fn sockets_of_the_program_have_the_proxies_of_the_only_listener() {
    use seda_http::Http;
    use std::net::TcpListener;
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    let http = Http::bind_on(proxied(&["127.0.0.1"]), sockets).unwrap();
    let _site = Plan::default().on_reactor().start_on(http);
    for address in addresses {
        let mut proxy = Client::connect(address);
        proxy.send(v1(7));
        assert_eq!(proxy.fetch("/client").text(), "192.0.2.7");
        assert_eq!(proxy.fetch("/_seda/report").text(), "no such page\n");
        let mut other = Client::connect(address);
        other.try_send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(other.rest(), b"");
    }
}

/// A header of the PROXY protocol names the last proxy, whose fields name the client.
#[test]
fn behind_both_kinds_of_proxies_the_client_is_that_of_the_fields() {
    let mut http = proxied(&["127.0.0.1"]);
    http.trusted_proxies = PeerList::new(["192.0.2.0/28"]).unwrap();
    let site = Plan { http, ..Plan::default() }.on_reactor().start();
    let mut socket = site.client();
    socket.send(v2(7));
    assert_eq!(client_of(&mut socket, "X-Forwarded-For: 203.0.113.9\r\n"), "203.0.113.9");
    let mut socket = site.client();
    socket.send(v2(99));
    assert_eq!(client_of(&mut socket, "X-Forwarded-For: 203.0.113.9\r\n"), "192.0.2.99");
}

/// The proxy has many clients, so its connections are not those of one greedy client.
#[test]
fn a_trusted_proxy_keeps_its_connections_at_the_bound() {
    for (peers, keeps) in [(&["127.0.0.1"][..], true), (&[], false)] {
        let mut http = trusting(peers);
        http.connections = 40;
        let site = Plan { http, ..Plan::default() }.on_reactor().start();
        let mut proxy: Vec<_> = (0..30).map(|_| site.client()).collect();
        assert!(proxy.iter_mut().all(|client| client.fetch("/hello").status == 200));
        // Another client wants all places.
        let greedy: Vec<_> = (0..40).map(|_| client_from(&site, 2)).collect();
        until("the bound is reached", || site.server.counts().evicted_connections >= 10);
        let kept = proxy.iter_mut().map(still_serves).filter(|serves| *serves).count();
        assert_eq!(kept == 30, keeps, "{kept} of 30 are kept");
        drop(greedy);
    }
}

/// Returns true if the connection still answers.
fn still_serves(client: &mut Client) -> bool {
    client.try_send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    client.next_response().is_some()
}

/// The tenant of a request is its client, whatever proxy it came by.
fn by_client(head: &RequestHead, options: SendOptions) -> SendOptions {
    let tenant = head.client().map(|client| match client {
        std::net::IpAddr::V4(ip) => u64::from(ip.to_bits()),
        std::net::IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    });
    SendOptions { tenant, ..options }
}

#[test]
fn the_function_that_classifies_sees_the_client() {
    fn classify(head: &RequestHead, options: SendOptions) -> SendOptions {
        let options = by_client(head, options);
        assert_eq!(options.tenant, Some(0xc000_0207));
        SendOptions { deadline: Some(Duration::ZERO), ..options }
    }
    let http = trusting(&["127.0.0.1"]);
    let site = Plan { http, classify: Some(classify), ..Plan::default() }.on_reactor().start();
    let mut proxy = site.client();
    proxy.send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
    // Only a function that has not panicked sets the deadline.
    assert_eq!(proxy.response().text(), "the request's deadline has passed\n");
}

#[cfg(unix)]
#[test]
fn peers_at_a_unix_socket_are_listed_by_a_word() {
    use crate::listeners::{Folder, ask_unix};
    let folder = Folder::new("proxied");
    let request = "GET /client HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let place = format!("unix:{}", folder.socket().display());
    let start = |proxy_protocol: &[&str], trusted: &[&str]| {
        let mut http = HttpConfig::default();
        let mut listener: ListenerConfig = place.parse().unwrap();
        if !proxy_protocol.is_empty() {
            listener.proxy_protocol = Some(PeerList::new(proxy_protocol).unwrap());
        }
        http.listen = listener.into();
        http.trusted_proxies = PeerList::new(trusted).unwrap();
        Plan { http, ..Plan::default() }.on_reactor().start()
    };
    let site = start(&["unix:"], &[]);
    let line = "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n";
    assert!(ask_unix(&folder.socket(), &format!("{line}{request}")).ends_with("192.0.2.7"));
    drop(site);
    let site = start(&[], &["unix:"]);
    let forwarded = request.replace("Connection", "X-Forwarded-For: 192.0.2.7\r\nConnection");
    assert!(ask_unix(&folder.socket(), &forwarded).ends_with("192.0.2.7"));
    assert!(ask_unix(&folder.socket(), request).ends_with("unknown"));
    drop(site);
    let _site = start(&[], &["127.0.0.1"]);
    assert!(ask_unix(&folder.socket(), &forwarded).ends_with("unknown"));
}

/// Half a million bytes that are no header cost the server no more than their first ones.
#[test]
fn a_flood_of_bytes_that_are_no_header_is_not_read() {
    let site = site_behind(&["127.0.0.1"]);
    let mut socket = TcpStream::connect(site.address()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let _ = socket.write_all(&vec![b'P'; 500_000]);
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(rest.is_empty());
    until("the connection is counted", || site.server.counts().refused_proxies == 1);
}
