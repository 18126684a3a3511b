//! The admin view under `/_seda/`.

use crate::site::Site;

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
