//! The admin side: on the public listener, and on one of its own.

use crate::client::{Client, LIMIT, Response};
use crate::site::{Plan, Site, until};
use seda_core::{Clock, MonotonicClock, Time};
use seda_http::{AdminPlace, BindError, Http, HttpConfig};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

#[test]
fn the_live_page_and_its_events_are_served_and_their_root_leads_to_it() {
    let site = Site::start();
    let mut client = site.client();
    let root = client.fetch("/_seda");
    assert_eq!((root.status, root.field("location")), (308, Some("/_seda/")));
    let page = client.fetch("/_seda/");
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("src=\"page.js\""), "{}", page.text());
    client.send("HEAD /_seda/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.response_without_body().status, 200);
    client.send("GET /_seda/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.head().field("content-type"), Some("text/event-stream"));
    for _ in 0..2 {
        let mut event = client.chunk();
        while !event.ends_with(b"\n\n") {
            event.extend(client.chunk());
        }
        assert!(event.starts_with(b"data: {\"load\":{"), "{}", String::from_utf8_lossy(&event));
    }
    assert_eq!(site.admitted(), 0);
}

/// RFC 9110 §15.5.6: "the method received … is known by the origin server but not supported by
/// the target resource. The origin server MUST generate an Allow header field".
#[test]
fn status_405_for_other_methods_than_get_and_head() {
    let site = Site::start();
    let mut client = site.client();
    client.send("POST /_seda/report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status, response.field("allow")), (405, Some("GET, HEAD")));
    client.send("HEAD /_seda/report HTTP/1.1\r\nHost: localhost\r\n\r\n");
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

/// Asks for a page with this Host.
fn fetch_as(client: &mut Client, host: &str, path: &str) -> Response {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    client.response()
}

/// Starts a site whose admin side is at `place`.
fn site_at(place: &str) -> Site {
    Plan::with(|http| http.admin.at = place.parse().unwrap()).start()
}

/// Connects to the admin side's own listener.
fn admin_client(site: &Site) -> Client {
    let AdminPlace::Tcp(address) = site.server.admin() else { panic!("{}", site.server.admin()) };
    Client::connect(*address)
}

#[test]
fn a_listener_that_other_machines_reach_shows_the_probes_and_no_report() {
    let site = Plan::with(|http| http.listen = ([0, 0, 0, 0], 0).into()).start();
    let mut client = Client::connect(([127, 0, 0, 1], site.address().port()).into());
    assert_eq!(*site.server.admin(), AdminPlace::Off);
    for path in ["/_seda/report", "/_seda/report?format=text", "/_seda/graph", "/_seda/ready"] {
        assert_eq!(client.fetch(path).text(), "no such page\n", "the program answers");
    }
    assert_eq!(site.admitted(), 4);
    assert_eq!(client.fetch("/livez").text(), "live\n");
    assert_eq!(fetch_as(&mut client, "site.example", "/readyz").text(), "ready\n");
    assert_eq!(site.admitted(), 4);
}

#[test]
fn an_admin_side_that_is_off_leaves_its_paths_to_the_program() {
    let site = site_at("off");
    let mut client = site.client();
    assert_eq!(client.fetch("/_seda/report").text(), "no such page\n");
    assert_eq!((client.fetch("/readyz").status, site.admitted()), (200, 1));
}

#[test]
fn a_program_with_probes_of_its_own_gets_their_requests() {
    let site = Plan::with(|http| http.admin.probes = false).start();
    let mut client = site.client();
    assert_eq!(client.fetch("/livez").text(), "no such page\n");
    assert_eq!(client.fetch("/readyz").text(), "no such page\n");
    assert_eq!((client.fetch("/_seda/ready").status, site.admitted()), (200, 2));
}

#[test]
fn a_path_of_the_programs_choice_shows_the_pages_there_alone() {
    let site = site_at("/internal/status");
    let mut client = site.client();
    let report = client.fetch("/internal/status/report");
    assert_eq!(report.field("content-type"), Some("application/json"));
    assert_eq!(client.fetch("/_seda/report").text(), "no such page\n");
    assert_eq!(site.server.admin().to_string(), "/internal/status");
    // The operator has decided, and may show it under any name.
    assert_eq!(fetch_as(&mut client, "site.example", "/internal/status/graph").status, 200);
}

/// RFC 9110 §15.5.20: 421.
#[test]
fn without_a_setting_a_site_that_rebinds_its_name_to_loopback_sees_no_report() {
    let site = Site::start();
    let mut client = site.client();
    for host in ["evil.example", "evil.example:80", "localhost.evil.example"] {
        assert_eq!(fetch_as(&mut client, host, "/_seda/report").status, 421);
        assert_eq!(fetch_as(&mut client, host, "/hello").status, 200);
    }
    // RFC 9112 §3.2.2: the authority of an absolute target replaces Host.
    let target = "http://evil.example/_seda/report";
    assert_eq!(fetch_as(&mut client, "localhost", target).status, 421);
    assert_eq!(fetch_as(&mut client, &site.address().to_string(), "/_seda/report").status, 200);
}

#[test]
fn a_listener_of_its_own_shows_the_pages_there_alone_and_checks_the_host() {
    let plan = Plan::with(|http| {
        http.admin.at = "0".parse().unwrap();
        http.admin.hosts = vec!["status.internal".to_owned()];
    });
    let site = plan.start();
    assert_eq!(site.client().fetch("/_seda/report").text(), "no such page\n");
    assert_eq!(site.client().fetch("/readyz").status, 200);
    let mut admin = admin_client(&site);
    let report = admin.fetch("/_seda/report");
    let report: seda_core::Report = serde_json::from_slice(&report.body).unwrap();
    assert_eq!(report.graph, "site");
    assert_eq!(admin.fetch("/_seda/graph").status, 200);
    assert_eq!(admin.fetch("/livez").status, 200);
    assert_eq!(fetch_as(&mut admin, "evil.example", "/_seda/report").status, 421);
    assert_eq!(fetch_as(&mut admin, "status.internal:80", "/_seda/report").status, 200);
    assert_eq!(admin.fetch("/hello").status, 404, "there is no way into the graph");
    assert_eq!(site.admitted(), 1);
}

#[test]
fn a_listener_of_its_own_answers_while_the_public_one_is_full_and_its_reactor_is_busy() {
    let mut plan = Plan::with(|http| http.admin.at = "0".parse().unwrap()).on_reactor();
    plan.http.connections = 1;
    let site = plan.start();
    // The handler blocks the only reactor, and the client has the only place.
    let mut held = site.hold();
    let mut admin = admin_client(&site);
    assert_eq!(admin.fetch("/_seda/report").status, 200);
    assert_eq!(admin.fetch("/livez").status, 200);
    site.release();
    assert_eq!(held.response().text(), "held\n");
}

/// All connections have the address of loopback, and are clients of their own nevertheless.
#[test]
fn idle_connections_lock_no_operator_out_of_a_listener_of_its_own() {
    let site = site_at("0");
    let idle: Vec<_> = (0..300).map(|_| admin_client(&site)).collect();
    let mut admin = admin_client(&site);
    assert_eq!(admin.fetch("/_seda/report").status, 200);
    drop(idle);
    assert_eq!(site.server.counts().evicted_connections, 0, "the public listener closed none");
    assert_eq!(admin.fetch("/livez").status, 200);
}

#[test]
fn a_listener_of_its_own_answers_until_the_drain_ends() {
    let site = site_at("0");
    let mut held = site.hold();
    let mut admin = admin_client(&site);
    assert_eq!(admin.fetch("/readyz").status, 200);
    let release = site.release_handle();
    let server = site.server;
    let drained = std::thread::scope(|scope| {
        let drain = scope.spawn(move || server.drain(LIMIT));
        until("the server drains", || admin.fetch("/readyz").status == 503);
        assert_eq!(admin.fetch("/_seda/report").status, 200);
        assert_eq!(admin.fetch("/livez").status, 200);
        release.send(()).unwrap();
        drain.join().unwrap()
    });
    assert!(drained.complete);
    assert_eq!(held.response().text(), "held\n");
    admin.expect_end();
}

#[test]
fn the_body_of_a_request_to_the_admin_side_is_not_asked_for() {
    let site = Site::start();
    let mut client = site.client();
    client.send("POST /_seda/report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n");
    client.send("Expect: 100-continue\r\n\r\n");
    assert_eq!(client.response().status, 405);
}

#[test]
fn an_answer_of_the_admin_side_is_kept_by_no_cache_and_shown_in_no_page() {
    let site = Site::start();
    let mut client = site.client();
    for path in ["/_seda/report", "/_seda/nothing", "/livez", "/readyz"] {
        let answer = client.fetch(path);
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        let policy = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(answer.field("content-security-policy"), Some(policy));
        assert_eq!(answer.field("access-control-allow-origin"), None);
    }
}

#[test]
fn a_busy_address_of_the_admin_side_is_an_error_that_names_the_setting() {
    let site = site_at("0");
    let mut config = HttpConfig::default();
    config.listen.set_port(0);
    config.admin.at = site.server.admin().clone();
    let error = Http::bind(config).unwrap_err();
    assert!(matches!(error, BindError::Admin { .. }), "{error}");
    assert!(error.to_string().starts_with("cannot listen on `admin.at` = 127.0.0.1:"), "{error}");
}

#[test]
fn sixty_four_clients_that_ask_again_and_again_are_slowed_down_to_the_snapshots() {
    let site = Site::start();
    let done = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    let before = site.server.graph().report().uptime_seconds;
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let mut client = site.client();
                while !done.load(Ordering::SeqCst) {
                    let answer = client.fetch("/_seda/report");
                    assert!([200, 429].contains(&answer.status), "{}", answer.status);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // The others' requests are served meanwhile.
        let mut client = site.client();
        until("many requests are answered", || {
            assert_eq!(client.fetch("/hello").status, 200);
            answered.load(Ordering::SeqCst) > 300
        });
        let seconds = site.server.graph().report().uptime_seconds - before;
        done.store(true, Ordering::SeqCst);
        // 64 answers of each snapshot, at most four snapshots a second, and those in progress.
        let most = 64.0 * (4.0 * seconds + 2.0);
        assert!((answered.load(Ordering::SeqCst) as f64) < most, "{seconds} s");
    });
}

#[cfg(unix)]
mod unix {
    use super::{Plan, Site};
    use seda_http::{BindError, Http, HttpConfig};
    use std::fs;
    use std::io::{Read, Write};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};

    /// A path in the temporary folder that no other test uses.
    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("seda-{name}-{}.sock", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    fn config(path: &Path) -> HttpConfig {
        let mut config = HttpConfig::default();
        config.listen.set_port(0);
        config.admin.at = format!("unix:{}", path.display()).parse().unwrap();
        config
    }

    fn start(path: &Path) -> Site {
        Plan { http: config(path), ..Plan::default() }.start()
    }

    /// Returns the whole response.
    fn fetch(path: &Path, target: &str) -> String {
        let mut socket = UnixStream::connect(path).unwrap();
        socket.set_read_timeout(Some(super::LIMIT)).unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n");
        socket.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        response
    }

    #[test]
    fn a_unix_socket_shows_the_pages_to_the_user_of_the_server_and_goes_with_it() {
        let path = path("admin");
        let site = start(&path);
        let report = fetch(&path, "/_seda/report?format=text");
        assert!(report.starts_with("HTTP/1.1 200 OK\r\n") && report.contains("\nsite up "));
        assert!(fetch(&path, "/_seda/report").contains("{\"graph\":\"site\""));
        assert!(fetch(&path, "/readyz").ends_with("\r\n\r\nready\n"));
        assert_eq!(site.client().fetch("/_seda/report").text(), "no such page\n");
        let metadata = fs::metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        drop(site);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_a_killed_server_has_left_is_replaced_and_a_live_one_is_not() {
        let path = path("left");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let site = start(&path);
        let error = Http::bind(config(&path)).unwrap_err();
        assert!(matches!(error, BindError::Admin { .. }), "{error}");
        assert!(fetch(&path, "/livez").ends_with("live\n"));
        // Another server that replaces the file keeps it when this one ends.
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(site);
        assert!(path.exists());
        drop(other);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_is_not_replaced() {
        let path = path("file");
        fs::write(&path, "precious").unwrap();
        let error = Http::bind(config(&path)).unwrap_err();
        assert!(error.to_string().contains("cannot listen on `admin.at` = unix:"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
    }
}
