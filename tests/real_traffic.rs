//! Replays an access trace against the web server over real sockets. Checks every status and every
//! byte count, and that the report counts each request once.
//!
//! The trace is the file named by `SEDA_TRACE`, else a file beside the checkout if it exists, else
//! generated from a seed with the same shape; the test prints its origin and its number of lines.
//! Lines with status 304, 206 or 5xx are replayed as plain GETs; no line is skipped.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../examples/web_server/file.rs"]
#[allow(dead_code)]
mod file;
#[path = "../examples/web_server/settings.rs"]
#[allow(dead_code)]
mod settings;
#[path = "../examples/web_server/site.rs"]
#[allow(dead_code)]
mod site;
#[path = "../examples/web_server/stages.rs"]
mod stages;
mod support;
#[path = "../examples/web_server/trace.rs"]
#[allow(dead_code)]
mod trace;

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use support::Client;
use trace::Line;

/// Concurrent clients, each with a persistent connection.
const CLIENTS: usize = 24;

#[test]
fn every_line_of_a_trace_gets_its_status_and_its_bytes_and_is_counted_once() {
    let (text, origin) = trace_text();
    let lines = lines_of("replay", &text);
    println!("{} lines of {origin}", lines.len());
    let expected = expectations(&lines);

    let mut settings = settings::Settings::default();
    settings.http.listen.set_port(0);
    let site = site::Site::Trace(trace::Trace::new(&lines));
    let server = stages::start(settings, site).expect("the server starts");
    let address = server.local_addr();

    thread::scope(|scope| {
        let (lines, expected) = (&lines, &expected);
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let mut connection = Client::connect(address);
                for line in lines.iter().skip(client).step_by(CLIENTS) {
                    let answer = connection.ask(&line.method, &line.path);
                    let (status, size) = expected[line.path.as_str()];
                    let head = line.method == "HEAD" || status == 304;
                    assert_eq!(answer.status, status, "{line:?}");
                    assert_eq!(answer.body_bytes, if head { 0 } else { size }, "{line:?}");
                    if status != 304 {
                        assert_eq!(answer.content_length, Some(size), "{line:?}");
                    }
                }
            });
        }
    });

    let report = server.drain(Duration::from_secs(30)).report;
    let sent = lines.len() as u64;
    let handled: Vec<(&str, u64)> =
        report.stages.iter().map(|stage| (stage.name.as_str(), stage.handled)).collect();
    assert_eq!(handled, [("files", sent), ("work", 0), ("sleep", 0), ("page", 0)]);
    assert_eq!((report.requests.admitted, report.requests.answered), (sent, sent));
    assert_eq!((report.requests.open, report.requests.lost.len()), (0, 0));
    let answered: u64 = report.response_seconds.values().map(|r| r.quantiles.count).sum();
    assert_eq!(answered, sent);
}

/// Returns the lines of a log as the server reads them.
fn lines_of(name: &str, text: &str) -> Vec<Line> {
    let file = std::env::temp_dir().join(format!("seda-{name}-{}.log", std::process::id()));
    fs::write(&file, text).expect("a writable folder");
    let log = trace::Log::read(&file);
    fs::remove_file(file).expect("it is there");
    log.expect("a well-formed log").lines
}

#[test]
fn a_log_of_a_web_server_is_served_as_it_was_recorded() {
    let text = "#Software: none\n\
        ::1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a b|\u{e9} HTTP/1.1\" 200 5 \"-\" \"x\"\n\
        ::1 - - [10/Oct/2000:13:55:36 -0700] \"POST /form HTTP/1.1\" 201 -\n\
        ::1 - - [10/Oct/2000:13:55:37 -0700] \"GET /slow HTTP/1.1\" 499 0\n\
        ::1 - - [10/Oct/2000:13:55:38 -0700] \"GET /cut";
    let site = trace::Trace::new(&lines_of("site", text));
    let asked = [("GET", "/a%20b%7C%C3%A9"), ("POST", "/form"), ("GET", "/form"), ("GET", "/slow")];
    let statuses = asked.map(|(method, path)| {
        site.answer(&method.parse().expect("a method"), path).status().as_u16()
    });
    assert_eq!((statuses, site.len()), ([200, 201, 404, 200], 3));
}

/// Returns the text of the trace and its origin.
fn trace_text() -> (String, String) {
    if let Ok(file) = std::env::var("SEDA_TRACE") {
        return (fs::read_to_string(&file).expect("SEDA_TRACE names a readable file"), file);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/web-access.tsv");
    match fs::read_to_string(&beside) {
        Ok(text) => (text, beside.display().to_string()),
        Err(_) => (generated(2_000), "a generated trace (seed 1)".to_owned()),
    }
}

/// Returns the status and size that each path must answer, computed in another way than by the
/// server.
fn expectations(lines: &[Line]) -> HashMap<&str, (u16, u64)> {
    let mut statuses: HashMap<&str, Vec<u16>> = HashMap::new();
    for line in lines {
        statuses.entry(&line.path).or_default().push(line.status.as_u16());
    }
    let expected = statuses.into_iter().map(|(path, statuses)| {
        let status = if statuses.contains(&200) { 200 } else { mode(&statuses) };
        let sizes = |head: bool| -> Vec<u64> {
            let alike = lines.iter().filter(|line| line.path == path && line.status == status);
            alike.filter(|line| head || line.method != "HEAD").map(|line| line.size).collect()
        };
        let sized = sizes(false);
        (path, (status, mode(if sized.is_empty() { sizes(true) } else { sized }.as_slice())))
    });
    expected.collect()
}

/// Returns the most frequent value; among equals the first.
fn mode<T: Copy + PartialEq>(values: &[T]) -> T {
    let count = |value: &T| values.iter().filter(|other| *other == value).count();
    let most = values.iter().map(count).max().expect("not empty");
    *values.iter().find(|value| count(value) == most).expect("it occurs")
}

/// Returns a trace of the shape of a small public site: few paths have most requests, sizes are
/// heavy-tailed, and a tenth of the responses is not 200.
fn generated(lines: u32) -> String {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut text = String::from("seconds\tclient\tmethod\tpath\tstatus\tbytes\n");
    for line in 0..lines {
        // A product of two uniform numbers: low numbers are popular.
        let path = next(400) * next(400) / 400;
        let size = 200 + (path * 7919) % 5_000 * (1 + (path % 13 == 0) as u64 * 60);
        let (status, bytes) = match next(100) {
            0..=5 => (304, 0),
            6 | 7 => (301, 320),
            8 if path % 10 == 0 => (404, 290),
            9 if path % 50 == 0 => (500, 0),
            10 => (206, size / 2),
            _ => (200, size),
        };
        let method = if next(200) == 0 { "HEAD" } else { "GET" };
        let bytes = if method == "HEAD" { 0 } else { bytes };
        let _ = writeln!(text, "{line}\t{}\t{method}\t/p/{path}\t{status}\t{bytes}", path % 97);
    }
    text
}
