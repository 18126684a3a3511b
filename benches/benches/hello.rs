//! The cost of a request: "hello" through one stage, beside axum 0.8 on tokio's single-threaded
//! runtime. Both send the same headers and bytes; the figure is CPU time of the server process per
//! request.
//!
//! `cargo bench -p benches --bench hello` needs `wrk` (`apt-get install wrk`) and two cores: the
//! server runs on the first, wrk with 64 connections on the second. Each server is a process of its
//! own; rounds are interleaved. A round is void unless the stage has handled as many requests as
//! wrk has completed, give or take the connections.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use axum::{Router, routing::get};
use benches::{Pinned, Rounds, cpu_seconds_of, pin};
use seda::Graph;
use seda::http::{Body, HeaderValue, Http, HttpConfig, HttpRequest, Response, header};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BODY: &str = "Hello, world!";
const CONNECTIONS: u64 = 64;
const SECONDS: u64 = 3;
const ROUNDS: usize = 7;
const SERVERS: [&str; 2] = ["seda", "axum"];

fn main() {
    let mut words = std::env::args().skip_while(|word| word != "--serve");
    match words.nth(1).as_deref() {
        Some("seda") => serve_seda(),
        Some("axum") => serve_axum(),
        _ => measure(),
    }
}

fn measure() {
    assert_eq!(pin(&[1]), Pinned::Yes, "two cores are needed");
    if Command::new("wrk").arg("--version").output().is_err() {
        println!("wrk is not installed (`apt-get install wrk`): nothing was measured");
        return;
    }
    let mut rounds = Rounds::new(SERVERS);
    let mut rates = Rounds::new(SERVERS);
    for round in 0..ROUNDS {
        for (case, server) in SERVERS.iter().enumerate() {
            let (cost, rate) = one_round(server);
            println!("round {round} {server}: {cost:.2} us of CPU per request, {rate:.0}/s");
            rounds.add(case, cost);
            rates.add(case, rate);
        }
    }
    println!("CPU us per request (min, median, max)");
    rounds.print("  ");
    println!("requests per second (min, median, max)");
    rates.print("  ");
    rounds.print_ratio(0, 1);
}

/// Runs a server for one round; returns CPU microseconds per request, and requests per second.
fn one_round(server: &str) -> (f64, f64) {
    let me = std::env::current_exe().expect("this program has a path");
    let child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(me)
        .args(["--serve", server])
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .expect("taskset starts the server");
    let mut child = Running(child);
    let mut lines = BufReader::new(child.0.stdout.take().expect("piped")).lines();
    let url = lines.next().expect("the server prints its address").expect("text");
    let warm_up = wrk(&url, 1);
    let before = cpu_seconds_of(child.0.id()).expect("the server runs");
    let completed = wrk(&url, SECONDS);
    let spent = cpu_seconds_of(child.0.id()).expect("the server runs") - before;
    if server == "seda" {
        check_ledger(&url, warm_up + completed);
    }
    drop(child.0.stdin.take());
    (spent * 1e6 / completed as f64, completed as f64 / SECONDS as f64)
}

/// Runs wrk; returns the number of completed requests.
fn wrk(url: &str, seconds: u64) -> u64 {
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), url])
        .output()
        .expect("wrk runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{text}");
    let line = text.lines().find(|line| line.contains("requests in")).expect("wrk's summary");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number")
}

/// Checks that the stage has handled as many requests as wrk has completed, give or take those in
/// progress at the end of its two runs.
fn check_ledger(url: &str, completed: u64) {
    let report = Command::new("curl").args(["-s", &format!("{url}_seda/report")]).output();
    let report: seda::Report =
        serde_json::from_slice(&report.expect("curl runs").stdout).expect("a report");
    let handled = report.stages.first().map_or(0, |stage| stage.handled);
    assert!(
        handled.abs_diff(completed) <= 2 * CONNECTIONS,
        "the round is void: wrk completed {completed}, the stage handled {handled}\n{report}"
    );
}

/// A server process, killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve_seda() {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = HttpConfig::default();
    config.listen = listen.into();
    let mut http = Http::bind(config).expect("a port");
    let mut graph = Graph::new("hello");
    let reactors = http.pool(&mut graph);
    let hello = graph.stage::<HttpRequest>("hello", 1_024);
    http.entry(&mut graph, hello).expect("own stage");
    let wired = graph.attach_each_in(&reactors, hello, |_wire| {
        |call: HttpRequest, _cx| {
            let mut answer = Response::new(Body::from(BODY));
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            answer.headers_mut().insert(header::CONTENT_TYPE, plain);
            call.respond(answer);
        }
    });
    wired.expect("attached once");
    let server = http.serve(graph.start().expect("a legal graph")).expect("threads");
    println!("http://{}/", server.local_addr());
    wait_for_end();
    drop(server.drain(Duration::from_secs(1)));
}

fn serve_axum() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let router = Router::new().route("/", get(|| async { BODY }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}/", listener.local_addr().expect("bound"));
        axum::serve(listener, router).await.expect("serves");
    });
}

/// Returns when the measuring process closes our input or ends.
fn wait_for_end() {
    let _ = std::io::stdin().lines().next();
}
