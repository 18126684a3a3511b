//! The admin side over a running graph, without a socket. Each test waits for an answer, with a
//! limit that only a defect reaches.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy exempts only functions marked as tests"
)]

use bytes::Bytes;
use seda_admin::{
    Admin, AdminAccess, AdminAnswer, AdminBody, AdminPath, AdminRequest, EventReader, EventSink,
};
use seda_core::history::History;
use seda_core::report::GraphLoad;
use seda_core::{Graph, Report, Running};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn graph() -> Running {
    let mut graph = Graph::new("site");
    let stage = graph.stage::<u32>("page", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    graph.start().unwrap()
}

fn everything() -> AdminAccess {
    AdminAccess::closed().with_probes().with_pages(AdminPath::default())
}

/// Waits for the answer to a request.
fn ask(admin: &Admin, access: &AdminAccess, request: AdminRequest<'_>) -> AdminAnswer {
    let (sender, answers) = mpsc::channel();
    let now = admin.answer(access, &request, move |answer| sender.send(answer).unwrap());
    now.unwrap_or_else(|| answers.recv_timeout(LIMIT).unwrap())
}

fn get(admin: &Admin, target: &str) -> AdminAnswer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = AdminRequest::get(path);
    request.query = Some(query);
    ask(admin, &everything(), request)
}

fn text(answer: &AdminAnswer) -> String {
    let AdminBody::Bytes(bytes) = &answer.body else { panic!("{:?}", answer.body) };
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn field(answer: &AdminAnswer, name: &str) -> Option<&'static str> {
    answer.headers.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
}

#[test]
fn a_report_is_given_as_json_and_text_and_as_a_graph() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    for target in ["/_seda/report", "/_seda/report?format=json", "/_seda/report?a=b&format=json"] {
        let json = get(&admin, target);
        assert_eq!((json.status, json.content_type), (200, "application/json"));
        let report: Report = serde_json::from_str(&text(&json)).unwrap();
        assert_eq!((report.graph.as_str(), report.stages[0].name.as_str()), ("site", "page"));
    }
    let plain = get(&admin, "/_seda/report?format=text");
    assert_eq!(plain.content_type, "text/plain; charset=utf-8");
    assert!(text(&plain).starts_with("site up "), "{}", text(&plain));
    let dot = get(&admin, "/_seda/graph");
    assert_eq!(dot.content_type, "text/vnd.graphviz");
    assert!(text(&dot).starts_with("digraph"));
    let drawing = get(&admin, "/_seda/graph?format=svg");
    assert_eq!(drawing.content_type, "image/svg+xml");
    assert!(text(&drawing).starts_with("<svg ") && text(&drawing).contains(">page</text>"));
    assert_eq!(get(&admin, "/_seda/report?format=xml").status, 400);
    assert_eq!(get(&admin, "/_seda/graph?format=png").status, 400);
}

#[test]
fn the_live_page_runs_the_script_of_its_server_alone() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let types = [
        ("/_seda/", "text/html; charset=utf-8"),
        ("/_seda/page.css", "text/css; charset=utf-8"),
        ("/_seda/page.js", "text/javascript; charset=utf-8"),
    ];
    for (path, content_type) in types {
        let answer = get(&admin, path);
        assert_eq!((answer.status, answer.content_type), (200, content_type));
        let policy = field(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(field(&answer, "cache-control"), Some("no-store"));
    }
}

/// Takes events up to a bound, and loses those beyond it.
struct Slow {
    events: mpsc::SyncSender<Bytes>,
}

impl EventSink for Slow {
    fn send(&mut self, event: &Bytes) -> bool {
        !matches!(self.events.try_send(event.clone()), Err(mpsc::TrySendError::Disconnected(_)))
    }
}

fn reader(admin: &Admin) -> EventReader {
    match get(admin, "/_seda/events").body {
        AdminBody::Events(reader) => reader,
        other => panic!("{other:?}"),
    }
}

/// The record of an event.
#[derive(Deserialize)]
struct Record {
    load: GraphLoad,
    report: Report,
}

fn record(event: &Bytes) -> Record {
    let data = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
    assert!(!data.contains(&b'\n'), "a line end would begin another field");
    serde_json::from_slice(data).unwrap()
}

#[test]
fn a_reader_of_the_events_has_a_report_at_once_and_then_one_each_second() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let (events, received) = mpsc::sync_channel(8);
    reader(&admin).start(Slow { events });
    let records: Vec<Record> =
        (0..3).map(|_| record(&received.recv_timeout(LIMIT).unwrap())).collect();
    assert!(records.is_sorted_by(|a, b| a.report.uptime_seconds < b.report.uptime_seconds));
    assert!(records.iter().all(|record| record.report.load() == record.load));
    // The end of the graph ends the stream.
    assert!(running.drain(LIMIT).complete);
    let end = std::iter::repeat_with(|| received.recv_timeout(LIMIT)).find_map(Result::err);
    assert_eq!(end, Some(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_reader_that_does_not_read_loses_records_and_delays_no_other() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let (events, slow) = mpsc::sync_channel(1);
    reader(&admin).start(Slow { events });
    let (events, fast) = mpsc::sync_channel(8);
    reader(&admin).start(Slow { events });
    for _ in 0..3 {
        fast.recv_timeout(LIMIT).unwrap();
    }
    assert_eq!(slow.try_iter().count(), 1);
}

#[test]
fn the_readers_of_the_events_are_bounded_and_one_that_has_gone_gives_its_place_back() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let mut readers: Vec<_> = (0..32).map(|_| reader(&admin)).collect();
    let refused = get(&admin, "/_seda/events");
    assert_eq!((refused.status, field(&refused, "retry-after")), (503, Some("1")));
    assert!(text(&refused).starts_with("32 readers "), "{}", text(&refused));
    // A transport that cannot stream drops the reader.
    readers.pop();
    let (events, received) = mpsc::sync_channel(1);
    reader(&admin).start(Slow { events });
    received.recv_timeout(LIMIT).unwrap();
    assert_eq!(get(&admin, "/_seda/events").status, 503);
    // The next record finds that the reader has gone.
    drop(received);
    while get(&admin, "/_seda/events").status != 200 {
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn an_answer_is_kept_by_no_cache_and_read_by_no_other_origin() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    for target in ["/_seda/report", "/_seda/nothing", "/livez", "/_seda/report?format=xml"] {
        let answer = get(&admin, target);
        assert_eq!(field(&answer, "cache-control"), Some("no-store"));
        assert_eq!(field(&answer, "x-content-type-options"), Some("nosniff"));
        let policy = field(&answer, "content-security-policy").unwrap();
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(field(&answer, "cross-origin-resource-policy"), Some("same-origin"));
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    }
}

#[test]
fn a_server_that_drains_is_live_and_not_ready() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    for ready in ["/readyz", "/_seda/ready"] {
        assert_eq!((get(&admin, ready).status, text(&get(&admin, ready))), (200, "ready\n".into()));
    }
    admin.set_draining();
    for ready in ["/readyz", "/_seda/ready"] {
        let answer = get(&admin, ready);
        assert_eq!((answer.status, text(&answer)), (503, "draining\n".into()));
    }
    assert_eq!(get(&admin, "/livez").status, 200);
    assert_eq!(get(&admin, "/_seda/live").status, 200);
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
#[test]
fn pages_and_probes_are_read_only() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    for path in [
        "/livez",
        "/readyz",
        "/_seda/report",
        "/_seda/graph",
        "/_seda/metrics",
        "/_seda/history",
        "/_seda/events",
        "/_seda/live",
        "/_seda/",
        "/_seda/page.js",
    ] {
        for (method, status) in [("POST", 405), ("DELETE", 405), ("HEAD", 200)] {
            let mut request = AdminRequest::get(path);
            request.method = method;
            let answer = ask(&admin, &everything(), request);
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(field(&answer, "allow"), (status == 405).then_some("GET, HEAD"));
        }
    }
}

/// RFC 9110 §15.5.20: 421 says that the server does not answer for the authority of the request.
#[test]
fn a_listener_with_a_check_of_the_host_shows_its_pages_to_no_site_and_its_probes_to_all() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let access = everything().for_hosts(Vec::new());
    let paths =
        ["/_seda/report", "/_seda/graph", "/_seda/ready", "/_seda/nothing", "/livez", "/readyz"];
    for path in paths {
        for host in ["evil.example", "evil.example:9090", "127.0.0.1.evil.example"] {
            let mut request = AdminRequest::get(path);
            request.host = Some(host);
            let status = ask(&admin, &access, request).status;
            assert_eq!(status, if path.starts_with("/_seda") { 421 } else { 200 }, "{path}");
            assert_ne!(ask(&admin, &everything(), request).status, 421);
        }
        for host in [None, Some("127.0.0.1:9090"), Some("localhost"), Some("[::1]:9090")] {
            let mut request = AdminRequest::get(path);
            request.host = host;
            let status = ask(&admin, &access, request).status;
            assert_eq!(status, if path == "/_seda/nothing" { 404 } else { 200 });
        }
    }
}

#[test]
fn a_program_chooses_the_path_of_the_pages_and_whether_there_are_probes() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let access = AdminAccess::closed().with_pages("/internal/status".parse().unwrap());
    for (path, is_taken) in [
        ("/internal/status/report", true),
        ("/internal/status/nothing", true),
        ("/internal/statusreport", false),
        ("/_seda/report", false),
        ("/livez", false),
        ("/readyz", false),
    ] {
        assert_eq!(access.takes(path), is_taken, "{path}");
        let status = ask(&admin, &access, AdminRequest::get(path)).status;
        assert_eq!(status, if path.ends_with("/report") && is_taken { 200 } else { 404 }, "{path}");
    }
    let listed = ask(&admin, &access, AdminRequest::get("/internal/status/nothing"));
    let pages = "there are /internal/status/, /internal/status/report, ";
    assert!(text(&listed).starts_with(pages), "{}", text(&listed));
    // The page loads its parts from its own folder, so its path ends with a slash.
    let root = ask(&admin, &access, AdminRequest::get("/internal/status"));
    assert_eq!((root.status, root.location.as_deref()), (308, Some("/internal/status/")));
    for name in ["", "page.css", "page.js"] {
        let part = ask(&admin, &access, AdminRequest::get(&format!("/internal/status/{name}")));
        assert_eq!(part.status, 200, "{name}");
    }
}

#[test]
fn a_flood_is_answered_by_few_snapshots_and_each_of_its_requests_once() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    let (sender, answers) = mpsc::channel();
    for _ in 0..1_000 {
        let later = sender.clone();
        let request = AdminRequest::get("/_seda/report");
        let now = admin.answer(&everything(), &request, move |answer| later.send(answer).unwrap());
        now.into_iter().for_each(|answer| sender.send(answer).unwrap());
    }
    let mut pages = BTreeMap::<String, usize>::new();
    for _ in 0..1_000 {
        let answer = answers.recv_timeout(LIMIT).unwrap();
        match answer.status {
            // The uptime in it tells the snapshots apart.
            200 => *pages.entry(text(&answer)).or_default() += 1,
            status => assert_eq!((status, field(&answer, "retry-after")), (429, Some("1"))),
        }
    }
    assert!(answers.try_recv().is_err());
    assert!(pages.values().all(|answers| *answers <= 64), "{:?}", pages.values());
    // A reader that comes later finds the next snapshot.
    assert_eq!(get(&admin, "/_seda/graph").status, 200);
}

#[test]
fn the_history_has_a_record_for_each_second_and_is_written_once_for_a_flood() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    for target in
        ["/_seda/history?seconds=0", "/_seda/history?seconds=601", "/_seda/history?seconds=x"]
    {
        assert_eq!(get(&admin, target).status, 400, "{target}");
    }
    let read = || {
        let answer = get(&admin, "/_seda/history?seconds=5");
        assert_eq!(answer.content_type, "application/json");
        serde_json::from_str::<History>(&text(&answer)).unwrap()
    };
    while read().seconds.len() < 2 {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let history = read();
    assert_eq!((history.graph.as_str(), &*history.stages), ("site", &["page".to_owned()][..]));
    assert!(history.seconds.is_sorted_by(|a, b| a.at < b.at && a.seconds > 0.0));
    // A flood is answered with the few pages that are written meanwhile.
    let mut pages: Vec<_> = (0..200).map(|_| read().seconds.len()).collect();
    pages.dedup();
    assert!(pages.len() < 100, "{pages:?}");
    let answer = get(&admin, "/_seda/history");
    assert_eq!((answer.status, field(&answer, "cache-control")), (200, Some("no-store")));
}

#[test]
fn after_the_end_of_the_graph_a_request_for_a_page_is_answered_503() {
    let running = graph();
    let admin = Admin::new(running.snapshots());
    assert_eq!(get(&admin, "/_seda/report").status, 200);
    assert!(running.drain(LIMIT).complete);
    // A recent snapshot may be shown once more; another view needs the graph.
    let answer = get(&admin, "/_seda/graph");
    assert_eq!((answer.status, text(&answer)), (503, "the graph has ended\n".into()));
    assert_eq!(get(&admin, "/livez").status, 200);
}
