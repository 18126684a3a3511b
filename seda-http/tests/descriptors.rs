//! The soft limit of descriptors, in a process of its own.

#![cfg(target_os = "linux")]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seda_core::{Context, Graph};
use seda_http::{Body, Http, HttpConfig, HttpRequest, Response};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Returns the soft limit.
fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// The process starts with fewer descriptors than `connections` needs. All clients are served at
/// once, although each takes a descriptor of this process, too.
#[test]
fn a_server_raises_the_soft_limit_to_what_its_connections_need() {
    // Fewer than the first burst that admission lets in before it knows the service time.
    const CONNECTIONS: usize = 200;
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: hard }).unwrap();

    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.connections = 2 * CONNECTIONS;
    let mut graph = Graph::new("hello");
    let mut http = Http::bind(config).unwrap();
    let needed = 2 * CONNECTIONS as u64 + 256;
    assert_eq!(limit(), Some(hard.map_or(needed, |hard| hard.min(needed))));

    let hello = graph.stage::<HttpRequest>("hello", 1_024);
    http.entry(&mut graph, hello).unwrap();
    let handler = |call: HttpRequest, _cx: &mut Context| {
        call.respond(Response::new(Body::from("hello\n")));
    };
    graph.attach_each(hello, move |_wire| handler).unwrap();
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut clients: Vec<_> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect();
    for client in &mut clients {
        client.write_all(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").unwrap();
    }
    for client in &mut clients {
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(response.ends_with("hello\n"), "{response}");
    }
    assert_eq!(server.counts().evicted_connections, 0);
}
