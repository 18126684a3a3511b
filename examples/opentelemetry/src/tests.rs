//! A request through a running server, and the spans that a collector gets.

use crate::{serve, telemetry};
use seda::http::HttpConfig;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT: &str = "b7ad6b7169203331";

/// A limit that only a defect reaches.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts a collector. Returns its address, and the path and the body of each export.
fn collector() -> (SocketAddr, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (exports, received) = channel();
    let serve = move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some((path, body)) = request(&mut stream) {
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                              Content-Length: 2\r\n\r\n{}";
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
                let _ = exports.send((path, serde_json::from_slice(&body).unwrap()));
            }
        }
    };
    std::thread::Builder::new().name("collector".to_owned()).spawn(serve).unwrap();
    (address, received)
}

/// Reads a request with a declared length: its path and its body. `None` at the end.
fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Some((path, body))
}

/// Sends a request with the client's span as its parent, and returns the answer.
fn ask(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
         traceparent: 00-{TRACE}-{CLIENT}-01\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns all spans of an export.
fn spans(export: &Value) -> Vec<&Value> {
    let resources = export["resourceSpans"].as_array().into_iter().flatten();
    let scopes = resources.flat_map(|it| it["scopeSpans"].as_array().into_iter().flatten());
    scopes.flat_map(|it| it["spans"].as_array().into_iter().flatten()).collect()
}

/// Returns the value of an attribute as text; integers are text in JSON (proto3).
fn attribute(of: &Value, key: &str) -> String {
    let attributes = of["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|it| it["key"] == key);
    let value = &found.unwrap_or_else(|| panic!("no {key} in {of}"))["value"];
    let value = value.as_object().unwrap().values().next().unwrap();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a_request_and_its_stages_are_in_the_trace_of_the_client() {
    let (collector, exports) = collector();
    let traces = telemetry::start(Some(&format!("http://{collector}/v1/traces"))).unwrap();
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let server = serve(config).unwrap();
    let answer = ask(server.local_addr(), "/pages/7");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello\n"), "{answer}");
    assert!(server.drain(LIMIT).complete);
    traces.shutdown().unwrap();
    let (path, export) = exports.recv_timeout(LIMIT).unwrap();
    assert_eq!(path, "/v1/traces");
    assert_eq!(attribute(&export["resourceSpans"][0]["resource"], "service.name"), "seda-example");
    let spans = spans(&export);
    assert_eq!(spans.len(), 3, "{export:#}");
    assert!(spans.iter().all(|span| span["traceId"] == TRACE), "{export:#}");
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span["name"] == name);
        found.next().unwrap_or_else(|| panic!("no span {name}: {export:#}"))
    };
    // The request is below the span of its client, and of the kind SERVER.
    let request = named("GET");
    assert_eq!((&request["parentSpanId"], &request["kind"]), (&json!(CLIENT), &json!(2)));
    assert_eq!(attribute(request, "http.request.method"), "GET");
    assert_eq!(attribute(request, "url.path"), "/pages/7");
    assert_eq!(attribute(request, "http.response.status_code"), "200");
    // Each stage is below the request.
    for name in ["look_up", "render"] {
        let stage = named(name);
        assert_eq!(stage["parentSpanId"], request["spanId"]);
        assert_eq!(attribute(stage, "stage"), name);
        assert_eq!(attribute(stage, "batch"), "1");
        let wait: f64 = attribute(stage, "wait_seconds").parse().unwrap();
        assert!((0.0..LIMIT.as_secs_f64()).contains(&wait), "{wait}");
    }
    // What the program says is in the span of its stage.
    assert_eq!(named("look_up")["events"][0]["name"], "looks the page up");
}
