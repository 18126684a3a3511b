//! The admin view under `/_seda/`.

use crate::client::LIMIT;
use crate::site::{Plan, Site};
use seda_core::{Clock, MonotonicClock, Time};
use std::time::Duration;

#[test]
fn the_report_is_served_as_json_text_and_graph() {
    let site = Site::start();
    let mut client = site.client();
    assert_eq!(client.fetch("/hello").status, 200);
    let json = client.fetch("/_seda/report");
    assert_eq!(json.field("content-type"), Some("application/json"));
    let report: seda_core::Report = serde_json::from_slice(&json.body).unwrap();
    assert_eq!((report.graph.as_str(), report.stages[0].name.as_str()), ("site", "site"));
    let text = client.fetch("/_seda/report?format=text");
    assert!(text.text().starts_with("site up "), "{}", text.text());
    let graph = client.fetch("/_seda/graph");
    assert_eq!(graph.field("content-type"), Some("text/vnd.graphviz"));
    assert!(graph.text().starts_with("digraph"));
    assert_eq!(client.fetch("/_seda/report?format=xml").status, 400);
    assert_eq!(client.fetch("/_seda/live").text(), "live\n");
    assert_eq!(client.fetch("/_seda/ready").text(), "ready\n");
    assert_eq!(site.admitted(), 1);
}

/// RFC 9110 §15.5.6: "the method received … is known by the origin server but not supported by
/// the target resource. The origin server MUST generate an Allow header field".
#[test]
fn status_405_for_other_methods_than_get_and_head() {
    let site = Site::start();
    let mut client = site.client();
    client.send("POST /_seda/report HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status, response.field("allow")), (405, Some("GET, HEAD")));
    client.send("HEAD /_seda/report HTTP/1.1\r\nHost: t\r\n\r\n");
    let head = client.response_without_body();
    assert_eq!(head.status, 200);
    assert_ne!(head.field("content-length"), Some("0"));
    assert_eq!(client.fetch("/_seda/live").status, 200);
}

/// RFC 9110 §15.5.5: 404.
#[test]
fn status_404_for_an_unknown_page() {
    let site = Site::start();
    assert_eq!(site.client().fetch("/_seda/nothing").status, 404);
    assert_eq!(site.admitted(), 0);
}

/// Asks whether the server is ready until the answer has `status`; returns its text.
fn ready_with(site: &Site, status: u16) -> String {
    let mut client = site.client();
    let clock = MonotonicClock::new();
    loop {
        let answer = client.fetch("/_seda/ready");
        if answer.status == status || clock.now().since(Time::ZERO) > LIMIT {
            assert_eq!(answer.status, status, "{}", answer.text());
            return answer.text().to_owned();
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_server_with_a_stuck_stage_is_not_ready_names_it_and_heals() {
    let site = Plan { stuck_after: Some(Duration::from_millis(20)), ..Plan::default() }.start();
    assert_eq!(ready_with(&site, 200), "ready\n");
    // The worker and its substitute wait for their release.
    let mut held = [site.hold(), site.hold()];
    assert!(ready_with(&site, 503).contains("stuck in handlers at: site\n"));
    let refused = site.client().fetch("/hello");
    assert_eq!((refused.status, refused.field("retry-after").is_some()), (503, true));
    held.iter().for_each(|_| site.release());
    assert_eq!(ready_with(&site, 200), "ready\n");
    assert_eq!(site.client().fetch("/hello").status, 200);
    held.iter_mut().for_each(|client| assert_eq!(client.response().text(), "held\n"));
}
