//! The admin side as a service, alone and nested in a router.

use crate::scripted::run;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use seda_tower::{AdminResponseBody, AdminService, Admission};
use std::time::Duration;
use tower::ServiceExt;

fn ask(admin: &AdminService, request: Request<()>) -> Response<AdminResponseBody> {
    run(admin.clone().oneshot(request)).unwrap()
}

fn page(admin: &AdminService, path: &str) -> Response<AdminResponseBody> {
    ask(admin, Request::get(path).body(()).unwrap())
}

#[test]
fn pages_are_found_with_and_without_the_prefix() {
    let admission = Admission::new().name("front");
    let admin = admission.admin();
    for path in ["/_seda/report", "/report"] {
        let answer = page(&admin, path);
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["cache-control"]),
            (200, &"no-store".parse().unwrap())
        );
        let json = run(answer.into_body().collect()).unwrap().to_bytes();
        let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(report["graph"], "front");
    }
    for (path, status) in
        [("/livez", 200), ("/metrics", 200), ("/graph", 200), ("/none", 404), ("/", 200)]
    {
        assert_eq!(page(&admin, path).status(), status, "{path}");
    }
}

#[test]
fn the_live_page_gets_a_record_until_the_graph_ends() {
    let admission = Admission::new().name("front");
    let admin = admission.admin();
    let moved = page(&admin, "/_seda");
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (308, &"/_seda/".parse().unwrap())
    );
    let answer = page(&admin, "/_seda/events");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let record = run(body.frame()).unwrap().unwrap().into_data().unwrap();
    assert!(String::from_utf8_lossy(&record).contains("\"graph\":\"front\""), "{record:?}");
    admission.drain(Duration::from_secs(5));
    while let Some(further) = run(body.frame()) {
        assert!(further.unwrap().is_data());
    }
}

#[test]
fn an_answer_to_head_has_no_body_and_other_methods_none_at_all() {
    let admission = Admission::new();
    let admin = admission.admin();
    let answer = ask(&admin, Request::head("/report").body(()).unwrap());
    assert!(answer.status() == 200 && answer.body().is_end_stream());
    assert_eq!(ask(&admin, Request::post("/report").body(()).unwrap()).status(), 405);
}

#[test]
fn a_drain_shows_at_the_probe_of_readiness() {
    let admission = Admission::new();
    let admin = admission.admin();
    assert_eq!(page(&admin, "/readyz").status(), 200);
    admin.set_draining();
    assert_eq!(page(&admin, "/readyz").status(), 503);
}

#[test]
fn pages_are_shown_under_trusted_hosts_alone() {
    let admission = Admission::new();
    let admin = admission.admin();
    let of = |host| Request::get("/report").header("host", host).body(()).unwrap();
    assert_eq!(ask(&admin, of("127.0.0.1:80")).status(), 200);
    assert_eq!(ask(&admin, of("rebound.example")).status(), 421);
    let named = admin.for_hosts(vec!["rebound.example".to_owned()]);
    assert_eq!(ask(&named, of("rebound.example")).status(), 200);
}

#[test]
fn nested_in_an_app_it_shows_the_requests_of_the_layer() {
    let admission = Admission::new();
    let app = Router::new().route("/", get(|| async { "hello" })).layer(admission.clone());
    let app = app.nest_service("/_seda", admission.admin());
    let ask = |path: &str| {
        let answer = run(app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()));
        let body = run(answer.unwrap().into_body().collect()).unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    };
    assert_eq!(ask("/"), "hello");
    let text = ask("/_seda/report?format=text");
    assert!(text.contains("requests 1 admitted, 1 answered"), "{text}");
}

#[test]
fn the_metrics_have_the_depth_of_the_runtimes_queue_if_there_is_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let metrics = || {
        let answer = page(&Admission::new().admin(), "/metrics");
        let text = run(answer.into_body().collect()).unwrap().to_bytes();
        String::from_utf8(text.to_vec()).unwrap()
    };
    assert!(runtime.block_on(async { metrics() }).contains("\nseda_tower_runtime_queue_depth 0\n"));
    assert!(!metrics().contains("runtime_queue_depth"));
}
