//! Response times by route, method, class and status, over sockets.

use crate::client::{Client, LIMIT};
use crate::exposition::Scrape;
use crate::site::{Plan, Site};
use crate::uploads::{MIB, hold_body};
use seda_core::{Class, Context, Graph, GraphConfig, SendOptions, SloConfig};
use seda_http::{
    Endpoint, Http, HttpConfig, HttpRequest, RequestTimes, Routes, Server, StatusCode, text,
};
use std::time::Duration;

/// The classes of the graph, by their names.
const GOLD: Option<Class> = Some(Class::HIGHEST);

fn basic() -> Option<Class> {
    Some(Class::new(1))
}

/// Returns the settings of a server on a free port.
fn settings() -> HttpConfig {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.limits.body_bytes = 64;
    config
}

/// Returns a server with the routes `/users/{id}` and `/jobs`. A request with the field `basic` has
/// the second class. User 13 is missing, and job 13 fails.
fn start(slo: Option<SloConfig>) -> Server {
    start_with(settings(), slo)
}

fn start_with(config: HttpConfig, slo: Option<SloConfig>) -> Server {
    let mut graph = Graph::new("times");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    if let Some(slo) = slo {
        graph.apply(GraphConfig { slo, ..GraphConfig::default() }).unwrap();
    }
    let mut http = Http::bind(config).unwrap();
    let user = Endpoint::answering(&mut graph, "user", &(), |(), call: &HttpRequest<u64>| {
        if call.params == 13 {
            Err(StatusCode::NOT_FOUND.into())
        } else {
            Ok(text(StatusCode::OK, "u"))
        }
    });
    let job = graph.stage::<HttpRequest>("job", 64);
    graph
        .attach_each(job, |_wire| {
            |call: HttpRequest, _cx: &mut Context| {
                call.respond(text(StatusCode::INTERNAL_SERVER_ERROR, "failed\n"));
            }
        })
        .unwrap();
    let routes = Routes::new()
        .get("/users/{id}", user.unwrap())
        .post("/jobs", Endpoint::new(job).body_bytes(16))
        .on("PURGE".parse().unwrap(), "/jobs", job)
        .on("BAN".parse().unwrap(), "/jobs", job);
    http.routes(&mut graph, routes).unwrap();
    http.classify(|head, options| {
        // A class beyond the declared ones is the last of them.
        let class = Class::new(if head.header("basic").is_some() { 7 } else { 0 });
        SendOptions { class, ..options }
    });
    http.serve(graph.start().unwrap()).unwrap()
}

fn ask(client: &mut Client, line: &str, fields: &str) -> u16 {
    client.send(format!("{line} HTTP/1.1\r\nHost: t\r\n{fields}\r\n"));
    client.response().status
}

/// A series: its route, method, class and status, and the number of its requests.
type Series = (String, &'static str, Option<Class>, Option<u16>, u64);

/// Returns all series.
fn counts(server: &Server) -> Vec<Series> {
    let times = server.request_times().into_iter();
    times.map(|it| (it.route.clone(), it.method, it.class, it.status, it.count())).collect()
}

#[test]
fn each_answer_is_counted_under_the_declared_pattern_and_never_under_its_path() {
    let server = start(None);
    let mut client = Client::connect(server.local_addr());
    for n in 0..3 {
        assert_eq!(ask(&mut client, &format!("GET /users/{n}"), ""), 200);
    }
    assert_eq!(ask(&mut client, "GET /users/4", "basic: 1\r\n"), 200);
    assert_eq!(ask(&mut client, "GET /users/13", ""), 404);
    assert_eq!(ask(&mut client, "GET /users/x", ""), 400);
    assert_eq!(ask(&mut client, "GET /secret/path", ""), 404);
    assert_eq!(ask(&mut client, "DELETE /jobs", ""), 405);
    assert_eq!(ask(&mut client, "POST /jobs", "Content-Length: 2\r\n\r\nok"), 500);
    assert_eq!(
        ask(&mut client, "POST /jobs", "Content-Length: 17\r\nExpect: 100-continue\r\n"),
        413
    );
    let mut client = Client::connect(server.local_addr());
    assert_eq!(ask(&mut client, "GET /livez", ""), 200);
    client.send("no request\r\n\r\n");
    assert_eq!(client.response().status, 400);
    let series =
        |route: &str, method, class, status, n| (route.to_owned(), method, class, Some(status), n);
    let expected = [
        series("unmatched", "GET", None, 404, 1),
        series("unmatched", "DELETE", None, 405, 1),
        series("unmatched", "_OTHER", None, 400, 1),
        series("admin", "GET", None, 200, 1),
        series("/users/{id}", "GET", None, 400, 1),
        series("/users/{id}", "GET", GOLD, 200, 3),
        series("/users/{id}", "GET", GOLD, 404, 1),
        series("/users/{id}", "GET", basic(), 200, 1),
        series("/jobs", "POST", None, 413, 1),
        series("/jobs", "POST", GOLD, 500, 1),
    ];
    assert_eq!(counts(&server), expected);
    assert!(server.drain(LIMIT).complete);
}

#[test]
fn methods_without_a_name_of_their_own_are_counted_together_also_on_several_routes() {
    let server = start(None);
    let mut client = Client::connect(server.local_addr());
    assert_eq!(ask(&mut client, "PURGE /jobs", ""), 500);
    assert_eq!(ask(&mut client, "BAN /jobs", ""), 500);
    let series = ("/jobs".to_owned(), "_OTHER", GOLD, Some(500), 2);
    assert_eq!(counts(&server), [series]);
}

#[test]
fn a_refusal_is_counted_under_the_route_and_the_class_that_it_would_have_had() {
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    let mut http = Http::bind(config).unwrap();
    let mut graph = Graph::new("full");
    let hold = graph.stage::<HttpRequest>("hold", 1);
    http.routes(&mut graph, Routes::new().get("/hold", hold).post("/hold", hold)).unwrap();
    graph
        .attach_each(hold, |_wire| {
            |call: HttpRequest, cx: &mut Context| {
                std::mem::forget((call, cx.defer()));
            }
        })
        .unwrap();
    graph.budget(1);
    let server = http.serve(graph.start().unwrap()).unwrap();
    let mut held = Client::connect(server.local_addr());
    held.get("/hold");
    let mut client = Client::connect(server.local_addr());
    crate::site::until("the graph is full", || ask(&mut client, "GET /hold", "") == 503);
    assert_eq!(ask(&mut client, "POST /hold", "Content-Length: 2\r\n\r\nok"), 503);
    assert_eq!(ask(&mut client, "POST /hold", "Transfer-Encoding: chunked\r\n\r\n0\r\n"), 503);
    let refused = |method| {
        let times = server.request_times();
        let refused = times.iter().filter(|it| it.method == method && it.status == Some(503));
        refused.map(|it| (it.route.clone(), it.class, it.count())).collect::<Vec<_>>()
    };
    assert_eq!(refused("POST"), [("/hold".to_owned(), GOLD, 2)]);
    assert!(
        refused("GET").iter().all(|(route, class, n)| route == "/hold" && *class == GOLD && *n > 0)
    );
}

/// Returns the figures of the answers with this status: they have one series.
fn times_of(server: &Server, status: u16) -> RequestTimes {
    let mut times = server.request_times().into_iter().filter(|it| it.status == Some(status));
    let found = times.next().unwrap();
    assert_eq!(times.next(), None, "one series");
    found
}

#[test]
fn a_request_that_ends_while_its_body_arrives_keeps_its_route_its_class_and_its_time() {
    let mut config = settings();
    config.body.timeout = Duration::from_millis(100);
    let server = start_with(config, None);
    let chunked = "basic: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let ends = |fields: &str| ask(&mut Client::connect(server.local_addr()), "POST /jobs", fields);
    // It is too slow, too long for its route, and malformed.
    assert_eq!(ends("basic: 1\r\nContent-Length: 2\r\n"), 408);
    assert_eq!(ends(&format!("{chunked}11\r\n0123456789abcdefg\r\n0\r\n")), 413);
    assert_eq!(ends(&format!("{chunked}no chunk\r\n")), 400);
    for status in [408, 413, 400] {
        let times = times_of(&server, status);
        let labels = (&*times.route, times.method, times.class, times.count());
        assert_eq!(labels, ("/jobs", "POST", basic(), 1), "{status}");
    }
    assert!(times_of(&server, 408).sum_seconds >= 0.1);
}

#[test]
fn a_body_without_memory_is_counted_under_its_route_and_its_class() {
    let site = Plan::with(|http| http.body.budget = MIB).workers(2).start();
    let held = hold_body(&site);
    let refused = |client: &mut Client, fields: &str| {
        assert_eq!(ask(client, "POST /echo", fields), 503);
    };
    // At the head; whole, with the head; and at the end of a chunked body.
    refused(&mut site.client(), "Content-Length: 2\r\nExpect: 100-continue\r\n");
    refused(&mut site.client(), "Content-Length: 2\r\n\r\nhi");
    let mut chunked = site.client();
    assert_eq!(
        ask(&mut chunked, "POST /echo", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"),
        100
    );
    chunked.send("2\r\nhi\r\n0\r\n\r\n");
    assert_eq!(chunked.response().status, 503);
    let times = times_of(&site.server, 503);
    let labels = (&*times.route, times.method, times.class, times.count());
    assert_eq!(labels, ("/{*path}", "POST", GOLD, 3));
    assert_eq!(site.server.counts().refused_bodies, 3);
    site.release();
    drop(held);
}

/// The response without memory is that of the route: a body does not hide that there is none.
#[test]
fn a_body_without_memory_and_without_a_route_is_not_found() {
    let mut config = settings();
    config.body.budget = 64;
    let server = start_with(config, None);
    // Its head has come; the budget is that of one body.
    let mut first = Client::connect(server.local_addr());
    first.send("POST /jobs HTTP/1.1\r\nHost: t\r\nContent-Length: 16\r\n\r\n");
    let mut second = Client::connect(server.local_addr());
    crate::site::until("a body is charged", || server.counts().body_bytes == 16);
    let body = format!("Content-Length: 60\r\n\r\n{}", "x".repeat(60));
    assert_eq!(ask(&mut second, "POST /none", &body), 404);
    assert_eq!(times_of(&server, 404).route, "unmatched");
}

#[test]
fn answers_within_the_slo_are_those_in_time_that_are_no_failure_of_the_server() {
    let slo = SloConfig::new(Duration::from_secs(600));
    let server = start(Some(slo));
    let mut client = Client::connect(server.local_addr());
    assert_eq!(ask(&mut client, "GET /users/1", ""), 200);
    assert_eq!(ask(&mut client, "GET /users/13", ""), 404);
    assert_eq!(ask(&mut client, "GET /users/1", "basic: 1\r\n"), 200);
    assert_eq!(ask(&mut client, "POST /jobs", "Content-Length: 0\r\n"), 500);
    assert_eq!(ask(&mut client, "GET /none", ""), 404);
    let within = |class| {
        let times = server.request_times();
        let of_class = times.iter().filter(|it| it.class == class);
        of_class.map(|it| it.within_slo).sum::<u64>()
    };
    assert_eq!([GOLD, basic(), None].map(within), [2, 1, 0]);
}

#[test]
fn a_scrape_has_the_response_times_of_every_route_in_both_formats() {
    let server = start(Some(SloConfig::new(Duration::from_secs(600))));
    let mut client = Client::connect(server.local_addr());
    for n in 0..3 {
        assert_eq!(ask(&mut client, &format!("GET /users/{n}"), "basic: 1\r\n"), 200);
    }
    client.get("/_seda/metrics");
    let plain = client.response();
    assert_eq!(plain.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    client.send(
        "GET /_seda/metrics HTTP/1.1\r\nHost: localhost\r\n\
         Accept: application/openmetrics-text\r\n\r\n",
    );
    let open = client.response();
    let open_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.field("content-type"), Some(open_type));
    for scrape in [Scrape::of_text(plain.text()), Scrape::of_open_metrics(open.text())] {
        let labels = "http_route=\"/users/{id}\",http_request_method=\"GET\",\
                      http_response_status_code=\"200\",class=\"basic\"";
        let name = "http_server_request_duration_seconds";
        assert_eq!(scrape.value(&format!("{name}_count{{{labels}}}")), 3.0);
        assert_eq!(scrape.value("seda_http_within_slo_total{class=\"basic\"}"), 3.0);
        assert_eq!(scrape.value("seda_http_connections"), 2.0, "and the listener");
        assert_eq!(scrape.value("seda_requests_admitted_total"), 3.0);
    }
}

#[test]
fn a_server_with_one_entry_has_one_route_for_all_paths() {
    let site = crate::site::Site::start();
    let mut client = site.client();
    client.fetch("/hello");
    client.fetch("/bytes");
    let times = site.server.request_times();
    let routes: Vec<(&str, u64)> =
        times.iter().map(|it| (&*it.route, RequestTimes::count(it))).collect();
    assert_eq!(routes, [("/{*path}", 2)]);
}

/// W3C Server Timing: a token, and `dur` in milliseconds.
#[test]
fn an_answer_tells_the_wait_and_the_service_of_its_request_by_stage_where_that_is_set() {
    let site = Plan::with(|http| http.access_log.server_timing = true).start();
    let mut client = site.client();
    let answer = client.fetch("/hello");
    let timing = answer.field("server-timing").unwrap();
    let millis: Vec<_> =
        timing.split(", ").map(|entry| entry.split_once(";dur=").unwrap()).collect();
    assert_eq!(
        millis.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["site.wait", "site.service"]
    );
    assert!(millis.iter().all(|(_, millis)| millis.parse::<f64>().unwrap() >= 0.0), "{timing}");
    // Nothing of the graph is in answers without a stage, and nothing at all without the setting.
    assert_eq!(client.fetch("/livez").field("server-timing"), None);
    assert_eq!(Site::start().client().fetch("/hello").field("server-timing"), None);
}
