//! The access log over sockets: its lines, their loss, and the ids of requests.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use crossbeam_channel::{Receiver, Sender, unbounded};
use seda_core::{Context, Graph};
use seda_http::h1::RequestHead;
use seda_http::{
    AccessLogFormat, Http, HttpConfig, HttpRequest, PeerList, Routes, ServeError, StatusCode, text,
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Sends what is written to the test. Each write waits for `pass`, if there is one.
pub(crate) struct Lines {
    written: Sender<Vec<u8>>,
    pass: Option<Receiver<()>>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.send(bytes.to_vec()).map_err(io::Error::other)?;
        if let Some(pass) = &self.pass {
            pass.recv_timeout(LIMIT).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines() -> (Lines, Receiver<Vec<u8>>) {
    let (sender, written) = unbounded();
    (Lines { written: sender, pass: None }, written)
}

fn plan(format: AccessLogFormat) -> Plan {
    Plan::with(|http| http.access_log.format = Some(format))
}

/// Ends the site, and returns the lines of its log.
fn end(site: Site, written: &Receiver<Vec<u8>>) -> Vec<String> {
    let _ = site.server.drain(LIMIT);
    text_of(written)
}

fn text_of(written: &Receiver<Vec<u8>>) -> Vec<String> {
    let bytes = written.try_iter().collect::<Vec<_>>().concat();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// Returns the fields of a line that do not depend on time.
fn fields(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap();
    let [client, time, duration] =
        ["client", "time", "duration_seconds"].map(|name| value.get(name).unwrap());
    assert_eq!(client, "127.0.0.1");
    assert!(time.as_str().unwrap().ends_with('Z'), "{line}");
    assert!(duration.as_f64().unwrap() >= 0.0, "{line}");
    let names = ["method", "target", "version", "status", "bytes", "refused"];
    json!(names.map(|name| value.get(name).unwrap()))
}

#[test]
fn each_answered_request_has_a_line() {
    let (log, written) = lines();
    let site = plan(AccessLogFormat::Json).start_with_log(log);
    let mut client = site.client();
    client.fetch("/hello?a=b");
    client.fetch("/nope");
    client.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n");
    client.response_without_body();
    client.get("/stream");
    let mut sender = site.sender();
    sender.try_send("piece").unwrap();
    sender.finish().unwrap();
    client.head();
    client.chunks();
    client.fetch("/_seda/report?format=none");
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    assert_eq!(client.response().status, 400);
    let mut client = site.client();
    client.send("no request\r\n\r\n");
    assert_eq!(client.response().status, 400);
    let lines: Vec<_> = end(site, &written).iter().map(|line| fields(line)).collect();
    let texts: Vec<_> = lines.iter().map(Value::to_string).collect();
    assert_eq!(lines.len(), 7, "{texts:?}");
    assert_eq!(lines[0], json!(["GET", "/hello?a=b", "HTTP/1.1", 200, 6, false]));
    assert_eq!(lines[1], json!(["GET", "/nope", "HTTP/1.1", 404, 13, false]));
    assert_eq!(lines[2], json!(["HEAD", "/hello", "HTTP/1.1", 200, 0, false]));
    assert_eq!(lines[3], json!(["GET", "/stream", "HTTP/1.1", 200, null, false]));
    assert_eq!(lines[4][1], "/_seda/report?format=none");
    assert_eq!((&lines[5][0], &lines[5][3]), (&json!("POST"), &json!(400)));
    assert_eq!((&lines[6][0], &lines[6][3]), (&json!(null), &json!(400)));
}

#[test]
fn a_refused_request_has_a_line_with_or_without_a_body() {
    let (log, written) = lines();
    let site = Plan { budget: Some(1), ..plan(AccessLogFormat::Json) }.start_with_log(log);
    let mut held = site.hold();
    let mut client = site.client();
    let first = client.fetch("/hello");
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n");
    client.send("hello");
    let second = client.response();
    // Refused from its head.
    let mut client = site.client();
    let expects = "Host: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n";
    client.send(format!("PUT /echo HTTP/1.1\r\n{expects}\r\n"));
    let third = client.response();
    assert_eq!([first.status, second.status, third.status], [503; 3]);
    site.release();
    assert_eq!(held.response().status, 200);
    let lines: Vec<_> = end(site, &written).iter().map(|line| fields(line)).collect();
    assert_eq!(
        lines,
        [
            json!(["GET", "/hello", "HTTP/1.1", 503, first.body.len(), true]),
            json!(["POST", "/echo", "HTTP/1.1", 503, second.body.len(), true]),
            json!(["PUT", "/echo", "HTTP/1.1", 503, third.body.len(), true]),
            json!(["GET", "/hold", "HTTP/1.1", 200, 5, false]),
        ]
    );
}

#[test]
fn a_streamed_upload_that_fails_has_a_line() {
    let (log, written) = lines();
    let stream_bodies = Some((|_| Some(1024)) as fn(&RequestHead) -> Option<u64>);
    let site = Plan { stream_bodies, ..plan(AccessLogFormat::Json) }.start_with_log(log);
    let mut client = site.client();
    client.send("POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("1\r\na\r\n");
    let call = site.uploads.recv_timeout(LIMIT).unwrap();
    client.send("no size\r\n");
    assert_eq!(client.response().status, 400);
    drop(call);
    let lines = end(site, &written);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = fields(&lines[0]);
    assert_eq!((&line[0], &line[1], &line[3]), (&json!("POST"), &json!("/upload"), &json!(400)));
}

#[test]
fn a_request_that_the_table_answers_has_a_combined_line() {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.access_log.format = Some(AccessLogFormat::Combined);
    let mut graph = Graph::new("table");
    let mut http = Http::bind(config).unwrap();
    let page = graph.stage::<HttpRequest>("page", 64);
    http.routes(&mut graph, Routes::new().get("/page", page)).unwrap();
    graph
        .attach_each(page, |_wire| {
            |call: HttpRequest, _cx: &mut Context| call.respond(text(StatusCode::OK, "page\n"))
        })
        .unwrap();
    let (log, written) = lines();
    http.access_log(log);
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut client = Client::connect(server.local_addr());
    let fields = "Host: t\r\nReferer: http://a/\"b\r\nUser-Agent: test \\\r\n\r\n";
    for path in ["/page", "/nope"] {
        client.send(format!("GET {path} HTTP/1.1\r\n{fields}"));
        client.response();
    }
    let _ = server.drain(LIMIT);
    let lines = text_of(&written);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let end = "\"http://a/\\\"b\" \"test \\\\\"";
    assert!(lines[0].starts_with("127.0.0.1 - - ["), "{lines:?}");
    assert!(lines[0].ends_with(&format!("+0000] \"GET /page HTTP/1.1\" 200 5 {end}")), "{lines:?}");
    assert!(lines[1].contains("] \"GET /nope HTTP/1.1\" 404 "), "{lines:?}");
}

#[test]
fn a_writer_that_blocks_costs_lines_and_no_answer() {
    let (go, pass) = unbounded();
    let (log, written) = lines();
    let mut plan = plan(AccessLogFormat::Json);
    plan.http.access_log.queue = 1;
    let site = plan.start_with_log(Lines { pass: Some(pass), ..log });
    let mut client = site.client();
    client.fetch("/hello");
    let first = written.recv_timeout(LIMIT).unwrap();
    // The writer blocks in the first line; the queue takes one more.
    for _ in 0..10 {
        assert_eq!(client.fetch("/hello").status, 200);
    }
    until("lines are dropped", || site.server.counts().dropped_log_lines == 9);
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert!(first.ends_with(b"\n"));
    assert_eq!(end(site, &written).len(), 1);
}

#[test]
fn an_id_that_fits_comes_back_and_another_is_replaced() {
    let (log, written) = lines();
    let mut plan = plan(AccessLogFormat::Json);
    plan.http.access_log.request_ids = true;
    let site = Plan { budget: Some(1), ..plan }.start_with_log(log);
    let mut held = site.client();
    held.send("GET /hold HTTP/1.1\r\nHost: t\r\nx-request-id: held_1\r\n\r\n");
    site.begun.recv_timeout(LIMIT).unwrap();
    let mut client = site.client();
    let mut ids = Vec::new();
    for id in ["refused-2", "not an id"] {
        client.send(format!("GET /hello HTTP/1.1\r\nHost: t\r\nX-Request-Id: {id}\r\n\r\n"));
        let refused = client.response();
        assert_eq!(refused.status, 503);
        ids.push(refused.field("x-request-id").unwrap().to_owned());
    }
    assert_eq!(ids[0], "refused-2");
    assert_eq!(ids[1].len(), 32);
    site.release();
    let response = held.response();
    assert_eq!(response.field("x-request-id"), Some("held_1"));
    ids.push("held_1".to_owned());
    let logged = end(site, &written);
    let logged: Vec<Value> = logged.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
    let logged: Vec<_> = logged.iter().map(|line| line["request_id"].as_str().unwrap()).collect();
    assert_eq!(logged, ids);
}

#[test]
fn the_program_sees_the_id_of_the_answer_and_the_traceparent_of_the_client() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let site = Plan::with(|http| http.access_log.request_ids = true).start();
    let mut client = site.client();
    for id in ["mine-1", "not an id"] {
        let fields = format!("Host: t\r\nx-request-id: {id}\r\ntraceparent: {trace}\r\n");
        client.send(format!("GET /id HTTP/1.1\r\n{fields}\r\n"));
        let response = client.response();
        let id = response.field("x-request-id").unwrap();
        assert_eq!(response.text(), format!("Some({id:?}) {id:?} {trace:?}"));
    }
    // Without the setting the field is one like any other.
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /id HTTP/1.1\r\nHost: t\r\nx-request-id: a b\r\ntraceparent: x\r\n\r\n");
    let response = client.response();
    assert_eq!(response.text(), "None \"a b\" \"x\"");
    assert_eq!(response.field("x-request-id"), None);
}

#[test]
fn a_log_without_a_writer_is_an_error() {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.access_log.format = Some(AccessLogFormat::Json);
    let mut graph = Graph::new("page");
    let mut http = Http::bind(config).unwrap();
    let page = graph.stage::<HttpRequest>("page", 64);
    http.entry(&mut graph, page).unwrap();
    graph.attach_each(page, |_wire| |_call: HttpRequest, _cx: &mut Context| {}).unwrap();
    let error = http.serve(graph.start().unwrap()).unwrap_err();
    assert!(matches!(error, ServeError::NoLogWriter), "{error}");
}

/// A request without a readable head has no fields that name a client.
#[test]
fn a_line_has_the_client_behind_a_trusted_proxy() {
    let (log, written) = lines();
    let mut plan = plan(AccessLogFormat::Json);
    plan.http.trusted_proxies = PeerList::new(["127.0.0.1"]).unwrap();
    let site = plan.start_with_log(log);
    let mut proxy = site.client();
    for fields in ["X-Forwarded-For: 192.0.2.7\r\n", "Forwarded: for=\"[2001:db8::7]\"\r\n", ""] {
        proxy.send(format!("GET /hello HTTP/1.1\r\nHost: t\r\n{fields}\r\n"));
        assert_eq!(proxy.response().status, 200);
    }
    // The client has added a field that differs from that of the proxy.
    let forged = "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=203.0.113.9\r\n";
    proxy.send(format!("GET /hello HTTP/1.1\r\nHost: t\r\n{forged}\r\n"));
    assert_eq!(proxy.response().status, 200);
    proxy.send("GET\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
    assert_eq!(proxy.response().status, 400);
    let lines = end(site, &written);
    let clients = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let clients: Vec<_> = clients.map(|line| line["client"].clone()).collect();
    let expected = json!(["192.0.2.7", "2001:db8::7", "127.0.0.1", null, "127.0.0.1"]);
    assert_eq!(Value::from(clients), expected);
}
