//! The memory of a refusal, counted exactly.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking; clippy exempts only functions marked as tests"
)]

use seda_core::{Class, Context, Graph, SendOptions};
use seda_http::{Http, HttpConfig, HttpRequest, Routes, Server};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Requests of one round. It is short beside the time between two ticks of the control thread.
const ROUND: usize = 10;

/// A limit that only a defect reaches.
const ROUNDS: usize = 1_000;

/// Returns a server that refuses all requests: its only event is held. The classifier reads the
/// target, the length and a field.
fn full(has_routes: bool) -> Server {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let mut graph = Graph::new("full");
    let mut http = Http::bind(config).unwrap();
    let page = graph.stage::<HttpRequest>("page", 1);
    if has_routes {
        let routes = Routes::new().get("/page", page).get("/", page).get("/{*rest}", page);
        http.routes(&mut graph, routes).unwrap();
    } else {
        http.entry(&mut graph, page).unwrap();
    }
    http.classify(|head, options| {
        let is_basic = head.uri().path() == "/page"
            && head.content_length() == Some(0)
            && head.header("priority").is_none();
        SendOptions { class: Class::new(u8::from(is_basic)), ..options }
    });
    graph
        .attach_each(page, |_wire| {
            |call: HttpRequest, cx: &mut Context| {
                std::mem::forget((call, cx.defer()));
            }
        })
        .unwrap();
    graph.budget(1);
    http.serve(graph.start().unwrap()).unwrap()
}

fn refuse(client: &mut TcpStream, request: &[u8], response: &mut [u8]) -> usize {
    client.write_all(request).unwrap();
    let read = client.read(response).unwrap();
    assert!(response.starts_with(b"HTTP/1.1 503 "));
    read
}

/// One test, because the allocations of the process are counted.
#[test]
fn a_refusal_allocates_nothing_with_one_entry_and_with_a_table() {
    for has_routes in [false, true] {
        assert!(has_a_round_without_allocations(&full(has_routes)), "every round allocated");
    }
}

fn has_a_round_without_allocations(server: &Server) -> bool {
    let mut held = TcpStream::connect(server.local_addr()).unwrap();
    held.write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    while server.graph().report().budget.used == 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let mut client = TcpStream::connect(server.local_addr()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = b"GET /page?n=1 HTTP/1.1\r\nHost: t\r\nUser-Agent: test\r\nAccept: */*\r\n\
        X-Request-Id: 0123456789\r\nX-Tenant: someone\r\nCookie: a=b\r\n\r\n";
    let mut response = [0; 1024];
    let mut rounds = (0..ROUNDS).map(|_| {
        let before = ALLOCATOR.stats();
        for _ in 0..ROUND {
            refuse(&mut client, request, &mut response);
        }
        let after = ALLOCATOR.stats();
        let blocks = after.allocations + after.reallocations;
        blocks - before.allocations - before.reallocations
    });
    // The control thread allocates in some rounds; the reactor would in all.
    rounds.any(|blocks| blocks == 0)
}
