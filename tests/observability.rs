//! The dashboard, the alert rules and the autoscalers name metrics and labels that a server really
//! has.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../seda-admin/tests/exposition/mod.rs"]
mod exposition;
mod support;

use exposition::Scrape;
use seda::http::{Endpoint, Http, HttpConfig, HttpRequest, Routes, StatusCode, text};
use seda::{Graph, GraphConfig, SloConfig};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use support::Client;

/// Scrapes a server with an SLO that has answered a request.
fn scrape() -> Scrape {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let mut graph = Graph::new("shop");
    let slo = SloConfig::new(Duration::from_secs(1));
    graph.apply(GraphConfig { slo, ..GraphConfig::default() }).unwrap();
    let mut http = Http::bind(config).unwrap();
    let show = Endpoint::answering(&mut graph, "show", &(), |(), _call: &HttpRequest<u64>| {
        Ok(text(StatusCode::OK, "1"))
    });
    http.routes(&mut graph, Routes::new().get("/items/{id}", show.unwrap())).unwrap();
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut client = Client::connect(server.local_addr());
    assert_eq!(client.ask("GET", "/items/7").status, 200);
    // Until enough requests tell the capacity.
    loop {
        (0..20).for_each(|_| assert_eq!(client.ask("GET", "/items/7").status, 200));
        client.send("GET", "/_seda/metrics");
        let page = client.read_whole();
        if page.contains("\nseda_graph_capacity_per_second ") {
            return Scrape::of_text(&page);
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all values of a key, at any depth.
fn values_of(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get(key) {
                found.push(text.clone());
            }
            fields.values().for_each(|value| values_of(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| values_of(value, key, found)),
        _ => {}
    }
}

/// The words of an expression that are no metrics: functions, keywords, and the labels that
/// Prometheus adds.
const WORDS: &[&str] = &[
    "sum",
    "max",
    "avg",
    "by",
    "le",
    "rate",
    "histogram_quantile",
    "and",
    "job",
    "instance",
    "avg_over_time",
    "namespace",
    "pod",
];

/// Returns the identifiers of an expression outside of strings, durations and variables.
fn identifiers(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Every second part is a string.
    for part in expression.split('"').step_by(2) {
        let part = part.replace("<<.LabelMatchers>>", "");
        for word in part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$') {
            let is_name = word.starts_with(|c: char| c.is_ascii_lowercase());
            if is_name && !WORDS.contains(&word) {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

#[track_caller]
fn check(scrape: &Scrape, expression: &str) {
    let names = identifiers(expression);
    assert!(names.iter().any(|name| scrape.names.contains(name)), "no metric in {expression}");
    for name in names {
        let is_label = || scrape.series.keys().any(|series| series.contains(&format!("{name}=\"")));
        assert!(scrape.names.contains(&name) || is_label(), "{name} in {expression}");
    }
}

#[test]
fn the_dashboard_the_alerts_and_the_autoscalers_ask_for_what_a_server_has() {
    let scrape = scrape();
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/dashboard.json")).unwrap();
    let mut expressions = Vec::new();
    values_of(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() >= 15, "{expressions:?}");
    expressions.iter().for_each(|expression| check(&scrape, expression));
    // The rules: the lines of each `expr`, up to the next key.
    let alerts = read("docs/grafana/alerts.yml");
    let rules: Vec<&str> = alerts.split("        expr:").skip(1).collect();
    assert_eq!(rules.len(), 7);
    for rule in rules {
        let end = rule.find("\n        labels:").expect("labels follow");
        let expression = rule[..end].split("\n        for:").next().unwrap();
        check(&scrape, expression.trim_start_matches([' ', '|', '\n']));
    }
    for (path, key) in
        [("docs/autoscale/keda.yaml", "query: "), ("docs/autoscale/hpa.yaml", "metricsQuery: '")]
    {
        let text = read(path);
        let expression = text.split(key).nth(1).and_then(|rest| rest.lines().next()).unwrap();
        check(&scrape, expression);
    }
}
