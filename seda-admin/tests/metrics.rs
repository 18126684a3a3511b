//! The metrics page: its grammar, and its figures against those of the report.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy exempts only functions marked as tests"
)]

mod exposition;

use exposition::Scrape;
use parking_lot::Mutex;
use seda_admin::{
    Admin, AdminAccess, AdminAnswer, AdminBody, AdminPath, AdminRequest, RequestTimes,
    ServerFigure, ServerFigures,
};
use seda_core::{
    Class, Graph, GraphConfig, Report, Running, SendOptions, SloConfig, Source, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

/// A running graph: `first` sends each event on to `last`, and holds one until it is released.
struct Held {
    running: Running,
    source: Source<u32>,
    release: Sender<()>,
}

fn start() -> Held {
    let mut graph = Graph::new("held \"graph\"");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    let slo = SloConfig::new(Duration::from_secs(600));
    graph.apply(GraphConfig { slo, ..GraphConfig::default() }).unwrap();
    let first = graph.stage::<u32>("first", 4);
    let last = graph.stage::<u32>("last", 64);
    let (release, released) = channel();
    let released = Arc::new(Mutex::new(released));
    graph
        .attach_each(first, |wire| {
            let last = wire.sink(last);
            move |event, cx| {
                released.lock().recv_timeout(LIMIT).unwrap();
                cx.send(&last, event).unwrap();
            }
        })
        .unwrap();
    graph.attach_each(last, |_wire| |event, _cx| assert_ne!(event, 13, "on purpose")).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(first, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(first).unwrap();
    // Several edges between the same ends.
    let _second_source = graph.source(first).unwrap();
    Held { running: graph.start().unwrap(), source, release }
}

/// Sends events that are handled, that fail, expire and are refused.
fn load(held: &Held) {
    let basic = SendOptions { class: Class::new(1), ..SendOptions::default() };
    let short = SendOptions { deadline: Some(Duration::from_millis(1)), ..basic };
    let report = || held.running.report();
    held.source.send(1).unwrap();
    while report().events.in_hand == 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    held.source.with_options(basic).send(13).unwrap();
    held.source.with_options(short).send(2).unwrap();
    while held.source.with_options(basic).send(3).is_ok() {}
    std::thread::park_timeout(Duration::from_millis(2));
    while report().events.queued + report().events.in_hand > 0 {
        let _ = held.release.send(());
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn ask(admin: &Admin, page: &str, accept: Option<&str>) -> AdminAnswer {
    let path = format!("/_seda/{page}");
    let mut request = AdminRequest::get(&path);
    request.accept = accept;
    let access = AdminAccess::closed().with_pages(AdminPath::default());
    let (sender, answers) = channel();
    let now = admin.answer(&access, &request, move |answer| sender.send(answer).unwrap());
    now.unwrap_or_else(|| answers.recv_timeout(LIMIT).unwrap())
}

fn text(answer: &AdminAnswer) -> &str {
    let AdminBody::Bytes(bytes) = &answer.body else { panic!("{:?}", answer.body) };
    assert_eq!(answer.status, 200);
    std::str::from_utf8(bytes).unwrap()
}

/// Returns both pages of a graph that is idle, with a report of the same figures.
fn scrape(admin: &Admin) -> (Scrape, Scrape, Report) {
    let plain = ask(admin, "metrics", None);
    assert_eq!(plain.content_type, "text/plain; version=0.0.4; charset=utf-8");
    let open = ask(admin, "metrics", Some(OPEN_METRICS));
    assert_eq!(open.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let report = ask(admin, "report", None);
    let report = serde_json::from_str(text(&report)).unwrap();
    (Scrape::of_text(text(&plain)), Scrape::of_open_metrics(text(&open)), report)
}

#[test]
fn counters_are_exactly_those_of_the_report() {
    let held = start();
    load(&held);
    let admin = Admin::new(held.running.snapshots());
    std::thread::park_timeout(Duration::from_millis(300));
    let (plain, open, report) = scrape(&admin);
    for scrape in [&plain, &open] {
        let sum = |name: &str, parts: &[&str]| scrape.sum(name, parts) as u64;
        for stage in &report.stages {
            let at = format!("stage=\"{}\"", stage.name);
            assert_eq!(sum("seda_stage_offered_total", &[&at]), stage.offered);
            assert_eq!(sum("seda_stage_accepted_total", &[&at]), stage.accepted);
            assert_eq!(sum("seda_stage_handled_total", &[&at]), stage.handled);
            assert_eq!(sum("seda_stage_failed_total", &[&at]), stage.failed);
            assert_eq!(sum("seda_stage_wait_seconds_count", &[&at]), stage.wait_seconds.count);
            let service = &stage.service_seconds.quantiles;
            assert_eq!(sum("seda_stage_service_seconds_count", &[&at]), service.count);
            for (name, counts) in [
                ("seda_stage_refused_total", &stage.refused),
                ("seda_stage_shed_total", &stage.shed),
            ] {
                for (reason, n) in counts {
                    assert_eq!(sum(name, &[&at, &format!("reason=\"{reason}\"")]), *n);
                }
            }
        }
        for class in &report.classes {
            let of_class = format!("class=\"{}\"", class.name);
            let accepted: u64 = class.stages.iter().map(|counts| counts.accepted).sum();
            assert_eq!(sum("seda_stage_accepted_total", &[&of_class]), accepted);
        }
        let from = report.edges.iter().filter(|edge| edge.from.is_none());
        let value = scrape.value("seda_edge_sent_total{to=\"first\"}");
        assert_eq!(value as u64, from.map(|edge| edge.sent).sum::<u64>());
        assert_eq!(scrape.value("seda_edge_sent_total{from=\"first\",to=\"last\"}") as u64, 4);
    }
    // The load had all of them.
    assert_eq!(plain.value("seda_stage_failed_total{stage=\"last\",class=\"basic\"}"), 1.0);
    let expired = "seda_stage_shed_total{stage=\"first\",class=\"basic\",reason=\"expired\"}";
    assert_eq!(plain.value(expired), 1.0);
    let full = "seda_stage_refused_total{stage=\"first\",class=\"basic\",reason=\"full\"}";
    assert!(plain.value(full) >= 1.0);
    assert_eq!(plain.value("seda_slo_seconds{class=\"gold\"}"), 600.0);
    let build = format!(
        "seda_build_info{{version=\"{}\",graph=\"held \\\"graph\\\"\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!((plain.value(&build), open.value(&build)), (1.0, 1.0));
    assert_eq!(open.families["seda_build"], "info");
}

#[test]
fn both_formats_have_the_same_series() {
    let held = start();
    load(&held);
    let admin = Admin::new(held.running.snapshots());
    let (plain, open, _report) = scrape(&admin);
    let series = |scrape: &Scrape| scrape.series.keys().cloned().collect::<Vec<_>>();
    assert_eq!(series(&plain), series(&open));
    assert!(plain.names.len() > 40, "{:?}", plain.names);
}

#[test]
fn a_server_adds_its_response_times_and_its_counts() {
    let held = start();
    let figures = || {
        let mut figures = ServerFigures::default();
        let mut times = RequestTimes::new("/users/{id}", "GET");
        times.class = Some(Class::new(1));
        times.status = Some(200);
        (times.buckets[3], times.buckets[22]) = (2, 1);
        (times.sum_seconds, times.within_slo) = (20.5, 2);
        let mut other = RequestTimes::new("other", "_OTHER");
        other.buckets[0] = 4;
        figures.times = vec![times, other];
        figures.counts = vec![
            ServerFigure::counter("calls_total", "Calls of clients.", 7),
            ServerFigure::gauge("lines", "Open lines.", 2),
        ];
        figures
    };
    let admin = Admin::with_server(held.running.snapshots(), figures);
    let (plain, open, _report) = scrape(&admin);
    for scrape in [&plain, &open] {
        let name = "http_server_request_duration_seconds";
        let labels = "http_route=\"/users/{id}\",http_request_method=\"GET\",\
                      http_response_status_code=\"200\",class=\"basic\"";
        assert_eq!(scrape.value(&format!("{name}_count{{{labels}}}")), 3.0);
        assert_eq!(scrape.value(&format!("{name}_sum{{{labels}}}")), 20.5);
        assert_eq!(scrape.value(&format!("{name}_bucket{{{labels},le=\"0.0001\"}}")), 2.0);
        let other = "http_route=\"other\",http_request_method=\"_OTHER\",\
                     http_response_status_code=\"other\"";
        assert_eq!(scrape.value(&format!("{name}_count{{{other}}}")), 4.0);
        assert_eq!(scrape.value("seda_http_within_slo_total{class=\"basic\"}"), 2.0);
        assert_eq!(scrape.value("seda_http_within_slo_total{class=\"gold\"}"), 0.0);
        assert_eq!((scrape.value("calls_total"), scrape.value("lines")), (7.0, 2.0));
    }
    assert_eq!(open.families["calls"], "counter");
    assert_eq!(plain.families["calls_total"], "counter");
}

/// A stage that is idle has no buckets in its report, and all of them on the page.
#[test]
fn a_page_before_the_first_event_has_every_stage() {
    let held = start();
    let admin = Admin::new(held.running.snapshots());
    let (plain, _open, _report) = scrape(&admin);
    assert_eq!(plain.value("seda_stage_wait_seconds_count{stage=\"last\"}"), 0.0);
    assert_eq!(plain.value("seda_graph_load"), 0.0);
    assert_eq!(plain.value("seda_bottleneck_load{kind=\"cannot_tell\"}"), 0.0);
    assert_eq!(plain.value("seda_stage_workers{stage=\"first\"}"), 1.0);
}

#[test]
fn the_reader_of_these_tests_refuses_what_the_formats_forbid() {
    let head = "# HELP a_total A.\n# TYPE a_total counter\n";
    let histogram = "# HELP h H.\n# TYPE h histogram\n";
    let wrong = [
        "a 1\n".to_owned(),
        "# HELP a A.\na 1\n".to_owned(),
        "# HELP a A.\n# TYPE a gauge\n".to_owned(),
        "# HELP a A.\n# TYPE a counter\na 1\n".to_owned(),
        format!("{head}a_total 1\na_total 2\n"),
        format!("{head}a_total -1\n"),
        format!("{head}a_total one\n"),
        format!("{head}a_total{{b=\"c\\d\"}} 1\n"),
        format!("{head}a_total{{b=\"c\",}} 1\n"),
        format!("{head}a_total{{b=\"\"}} 1\n"),
        format!("{head}a_total{{b=\"c\",b=\"d\"}} 1\n"),
        format!("{head}b_total 1\n"),
        format!("{head}a_total 1\n{head}a_total{{b=\"c\"}} 1\n"),
        format!("{head}a_total 1"),
        format!("{histogram}h_bucket{{le=\"1.0\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"),
        format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 2\n"),
        format!("{histogram}h_bucket{{le=\"2.0\"}} 1\nh_bucket{{le=\"1.0\"}} 1\n"),
    ];
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let read: Vec<bool> = wrong
        .iter()
        .map(|page| std::panic::catch_unwind(|| Scrape::of_text(page)).is_ok())
        .collect();
    std::panic::set_hook(hook);
    assert_eq!(read, [false; 17]);
    Scrape::of_text(&format!("{head}a_total{{b=\"c\\\\\\n\\\"\"}} 1\n"));
}
