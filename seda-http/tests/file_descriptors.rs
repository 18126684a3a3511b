//! A server of files without a free descriptor, in a process of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seda_core::{Context, Graph};
use seda_http::{Files, FilesConfig, Http, HttpConfig, HttpRequest};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request and returns the status and the fields of its answer.
fn ask(client: &mut TcpStream, path: &str) -> String {
    client.write_all(format!("HEAD {path} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// Caches keep a 404, and take the file for gone.
#[test]
fn without_a_descriptor_a_file_is_unavailable_and_not_missing() {
    let root = std::env::temp_dir().join(format!("seda-descriptors-{}", std::process::id()));
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("a"), "content").unwrap();
    let files = Files::open(&root, FilesConfig::default()).unwrap();
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.connections = 16;
    let mut graph = Graph::new("files");
    let mut http = Http::bind(config).unwrap();
    let stage = graph.stage::<HttpRequest>("files", 1_024);
    http.entry(&mut graph, stage).unwrap();
    graph
        .attach_each(stage, move |_wire| {
            move |call: HttpRequest, _cx: &mut Context| {
                let answer = files.respond(&call.request);
                call.respond(answer);
            }
        })
        .unwrap();
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut client = TcpStream::connect(server.local_addr()).unwrap();
    assert!(ask(&mut client, "/none").starts_with("HTTP/1.1 404 "));

    // All descriptors below the limit are taken. A thread of the server may give one back later.
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
    let mut taken: Vec<File> = Vec::new();
    let refused = loop {
        taken.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
        let answer = ask(&mut client, "/a");
        if !answer.starts_with("HTTP/1.1 200 ") {
            break answer;
        }
    };
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"),
        "{refused}"
    );
    drop(taken);
    assert!(ask(&mut client, "/a").starts_with("HTTP/1.1 200 "));
    fs::remove_dir_all(root).unwrap();
}
