//! The program as a user runs it: its output and its exit codes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use support::{OK, Reply, dead_port, server};

fn seda(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seda")).args(arguments).output().unwrap()
}

/// Returns the standard error, which must be one line and the only output, and the exit code.
fn complaint(arguments: &[&str]) -> (String, i32) {
    let output = seda(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.stdout.len(), said.lines().count()), (0, 1), "{arguments:?}: {said}");
    (said, output.status.code().unwrap())
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("seda-{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    path
}

fn json(path: &PathBuf) -> Value {
    let value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    fs::remove_file(path).unwrap();
    value
}

/// A dead port, to which nothing is sent.
const URL: &str = "http://127.0.0.1:9/";

/// Wrong command lines, and parts of the line that refuses each.
type Refused<'a> = &'a [(&'a [&'a str], &'a [&'a str])];

/// Wrong values of the flags of a precision, of a view and of a summary.
const REFUSED_RESULTS: Refused<'_> = &[
    (&["load", URL, "--rate", "9", "--until", "5"], &["--until", "'5'", "±5%", "1% to 50%"]),
    (&["load", URL, "--rate", "9", "--until", "-5%"], &["--until", "'-5%'", "1% to 50%"]),
    (&["load", URL, "--rate", "9", "--until", "p98=5%"], &["--until", "p98=5%", "p50, p90"]),
    (&["load", URL, "--profile", "9/s:1s", "--until", "5%"], &["--until", "--profile"]),
    (
        &["load", URL, "--rate", "9", "--json", "-", "--markdown", "-"],
        &["--json -", "--markdown -", "name a file"],
    ),
    (
        &["step", URL, "--profile", "9/s:1s", "--markdown", "/no/such/file"],
        &["--markdown", "/no/such/file"],
    ),
    (&["sweep", URL, "--svg", "/no/such/file"], &["--svg", "/no/such/file"]),
    (&["step", URL, "--profile", "9/s:1s", "--svg", "-"], &["--svg -", "name a file"]),
    (&["sweep", URL, "--html", "-"], &["--html -", "name a file"]),
    #[cfg(feature = "top")]
    (&["load", URL, "--rate", "9", "--tui"], &["--tui", "no terminal", "progress line"]),
    #[cfg(feature = "top")]
    (&["load", URL, "--rate", "9", "--tui", "--quiet"], &["--tui", "--quiet"]),
];

fn assert_refused(cases: Refused<'_>) {
    for (words, expected) in cases {
        let output = seda(words);
        let said = String::from_utf8(output.stderr).unwrap();
        // A warning about the dead port may precede the error.
        let said = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(output.stdout.is_empty(), "{words:?}");
        for part in *expected {
            assert!(said.contains(part), "{words:?}: no {part} in: {said}");
        }
    }
}

#[test]
fn wrong_input_is_named_in_one_line_with_exit_code_2() {
    let url = URL;
    let trace = file("trace.tsv", "seconds\tmethod\tpath\n0\tGET\t/\nsoon\tGET\t/\n");
    let trace = trace.to_str().unwrap();
    let cases: Refused<'_> = &[
        (&["load", url], &["--rate", "--profile", "--clients", "--trace"]),
        (&["load", url, "--rate", "0"], &["--rate", "'0'", "above 0"]),
        (&["load", url, "--rate", "fast"], &["--rate", "fast"]),
        (&["load", url, "--rate", "9", "--duration", "0s"], &["--duration", "too short"]),
        (&["load", url, "--rate", "9", "--duration", "5"], &["--duration", "250ms or 10s"]),
        (&["load", url, "--profile", "9/s:1s,x/s:1s"], &["--profile", "x/s:1s"]),
        (&["load", url, "--mix", "work=1", "--rate", "9"], &["--mix", "work"]),
        (&["load", url, "--rate", "9", "--slo", "20s"], &["SLO", "20s", "10s"]),
        (&["load", url, "--rate", "9", "--expect", "99"], &["--expect", "99"]),
        (&["load", url, "--rate", "9", "--header", "none"], &["none", "Accept"]),
        (&["load", url, "--rate", "9", "--method", "G T"], &["G T"]),
        (&["load", url, "--rate", "9", "--connections", "0"], &["--connections"]),
        (&["load", url, "--clients", "9", "--rate", "9"], &["--rate", "--clients"]),
        (&["load", url, "--trace", trace], &[trace, "line 3", "soon"]),
        (&["load", url, "--trace", "/no/such/file"], &["/no/such/file"]),
        (&["load", url, "--arrivals", "/no/such/file"], &["/no/such/file"]),
        (&["load", url, "--rate", "9", "--json", "/no/such/file"], &["--json", "/no/such/file"]),
        (&["load", "http://no-such-host.invalid/", "--rate", "9"], &["no-such-host.invalid"]),
        (&["load", "ftp://127.0.0.1/", "--rate", "9"], &["ftp", "http://"]),
        (&["sweep", url, "--at", "0"], &["--at", "above 0"]),
        (&["sweep", url, "--assert", "goodput@5x"], &["--assert", "goodput@5x"]),
        (&["sweep", url, "--assert", "goodput@7x>=1"], &["7x", "--at"]),
        (&["step", url], &["--profile"]),
        (&["compare", "one.json"], &["SWEEP.json", "2"]),
        (&["compare", trace, trace], &[trace, "seda sweep --json"]),
        (&["lode", url], &["lode", "'load'", "--help"]),
        (&["load", url, "--retrys", "1"], &["'--retries'"]),
        (&["load", "foo", "--rate", "9"], &["`foo` is not an address", "http://127.0.0.1:8080"]),
        (&["load", "http://127.0.0.1:9/%zz", "--rate", "9"], &["%zz", "write `%25`"]),
        (&["load", url, "--rate", "-5"], &["--rate", "'-5'", "above 0"]),
        (&["load", url, "--rate", "9", "--threads", "0"], &["--threads", "'0'", "1 at least"]),
        (&["load", url, "--clients", "-1"], &["--clients", "'-1'", "1 at least"]),
        (&["load", url, "--rate", "9", "--duration", "-5s"], &["--duration", "not negative"]),
        (&["load", url, "--rate", "9", "--slo", "200"], &["--slo", "`200` has no unit", "250ms"]),
        (
            &["load", url, "--rate", "9", "--arrivals", "burst"],
            &["--arrivals", "'burst'", "poisson"],
        ),
        (&["load", url, "-n", "9"], &["-n 9", "--rate"]),
        (&["load", url, "--rate", "9", "--mix", "/a,/b=1"], &["--mix", "`/a` has no weight"]),
        (&["load", url, "--rate", "9", "--mix", "/b=zero"], &["--mix", "/b=zero", "above 0"]),
        (&["load", url, "--rate", "9", "--mix", "/a=1;/b=2"], &["--mix", "by commas"]),
        (&["load", url, "--trace", trace, "--method", "POST"], &["--trace", "--method"]),
        (&["load", url, "--trace", trace, "--skip-limit", "2"], &["--skip-limit", "1%"]),
        (&["load", url, "--rate", "9", "--assert", "p98<=1s"], &["--assert", "p98", "goodput"]),
        (&["load", url, "--rate", "9", "--assert", "p99_back<=1s"], &["p99_back", "seda step"]),
        (&["sweep", url, "--repeat", "0"], &["--repeat", "'0'", "1 at least"]),
        (&["sweep", url, "--at", "-1"], &["--at", "'-1'", "above 0"]),
        (&["step", url, "--profile", "9/s:1s", "--repeat", "0"], &["--repeat", "1 at least"]),
    ];
    assert_refused(cases);
    assert_refused(REFUSED_RESULTS);
    fs::remove_file(trace).unwrap();
}

#[test]
fn the_json_has_the_documented_fields_and_the_outcomes_add_up() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let path = file("load.json", "");
    let words = ["load", &url, "--rate", "500", "--duration", "200ms", "--slo", "5s,1s", "-q"];
    let output = seda(&[&words[..], &["--json", path.to_str().unwrap()]].concat());
    let report = json(&path);
    // The exit code is 3 if this machine is too busy.
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{output:?}");
    let count = |field: &str| report[field].as_u64().unwrap_or_else(|| panic!("no {field}"));
    let ends = ["good", "late", "refused", "wrong", "timed_out", "connect_error", "broken"];
    assert_eq!(ends.iter().map(|end| count(end)).sum::<u64>(), count("scheduled"));
    for field in FIELDS {
        assert!(report.get(field).is_some(), "no {field}");
    }
    assert_eq!(report.as_object().unwrap().len(), FIELDS.len(), "a field that is not documented");
    assert_eq!(report["slo_seconds"], serde_json::json!([1.0, 5.0]));
    for quantile in ["p10", "p50", "p90", "p99", "p999", "max", "mean", "count"] {
        assert!(report["response_seconds"][quantile].is_number(), "no {quantile}");
    }
}

/// The stable fields of `seda load --json`, as docs/overload.md lists them.
const FIELDS: [&str; 39] = [
    "url",
    "arrivals",
    "seed",
    "slo_seconds",
    "deadline_seconds",
    "interrupted",
    "unfinished",
    "duration_seconds",
    "scheduled",
    "good",
    "late",
    "refused",
    "wrong",
    "timed_out",
    "connect_error",
    "broken",
    "offered_per_second",
    "throughput_per_second",
    "goodput_per_second",
    "goodput_by_slo",
    "response_seconds",
    "intervals",
    "raw_seconds",
    "refusal_seconds",
    "sojourn_mean",
    "cdf",
    "paths",
    "windows",
    "statuses",
    "failures",
    "attempts",
    "amplification",
    "in_flight_mean",
    "in_flight_max",
    "trace",
    "bytes_received",
    "fairness",
    "generator",
    "server",
];

#[test]
fn a_server_that_answers_nothing_ends_with_exit_code_1() {
    let url = format!("http://{}/", dead_port());
    let output = seda(&[
        "load",
        &url,
        "--rate",
        "100",
        "--arrivals",
        "uniform",
        "--duration",
        "100ms",
        "-q",
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("accepts no connection"), "{said}");
    assert!(found.contains("10 x connection refused"), "{found}");
    if has_kept_schedule(&output) {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("not one request"), "{said}");
    }
}

#[test]
fn a_server_that_refuses_every_connection_ends_the_run_after_a_second() {
    let url = format!("http://{}/", dead_port());
    let output = seda(&["load", &url, "--rate", "50", "--duration", "1h", "-q"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("no connection could be made") && said.contains("--keep-going"),
        "{said}"
    );
}

#[test]
fn a_load_without_a_right_answer_ends_with_exit_code_1() {
    const GONE: &str = "HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n";
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(GONE)));
    let load = ["load", &url, "--rate", "200", "--duration", "100ms", "-q"];
    for words in [load.to_vec(), vec!["step", &url, "--profile", "200/s:100ms", "-q"]] {
        let output = seda(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        if has_kept_schedule(&output) {
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains("every answer was wrong"), "{words:?}: {said}");
        }
    }
    let expected = seda(&[&load[..], &["--expect", "404"]].concat());
    assert!([Some(0), Some(3)].contains(&expected.status.code()));
}

#[test]
fn a_condition_on_a_load_or_a_step_decides_the_exit_code() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let summary = file("summary.md", "# Before\n");
    let markdown = ["-q", "--markdown", summary.to_str().unwrap(), "--assert"];
    let load = [&["load", &url, "--rate", "200", "--duration", "100ms"][..], &markdown].concat();
    let step = [&["step", &url, "--profile", "200/s:100ms"][..], &markdown].concat();
    for (command, condition, code) in [
        (&load[..], "good>=0", 0),
        (&load[..], "good>1", 1),
        (&step[..], "wrong<=1", 0),
        (&step[..], "broken>0", 1),
    ] {
        let output = seda(&[command, &[condition]].concat());
        let found = String::from_utf8_lossy(&output.stdout);
        assert!(found.contains(&format!("assert {condition}: ")), "{found}");
        let codes = [Some(code), if code == 0 { Some(3) } else { Some(1) }];
        assert!(codes.contains(&output.status.code()), "{condition}: {output:?}");
    }
    // The summaries stand one behind the other, as in a step of a CI job.
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("# Before\n### seda load\n"), "{text}");
    let count = |part| text.matches(part).count();
    assert_eq!((count("### seda load"), count("### seda step")), (2, 2), "{text}");
    assert_eq!((count("✅ yes"), count("❌ **no**")), (2, 2), "{text}");
    fs::remove_file(summary).unwrap();
}

#[test]
fn a_load_ends_once_its_figure_is_known_and_says_so() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let words = ["load", &url, "--rate", "200", "--threads", "2", "--duration", "1h", "-q"];
    let output = seda(&[&words[..], &["--until", "throughput=50%", "--json", "-"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{said}");
    assert!(said.contains("throughput is known within ±"), "{said}");
    assert!(said.contains("--until ±50 % ended the run"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let until = &report["intervals"]["until"];
    assert_eq!((&until["figure"], &until["reached"]), (&"throughput".into(), &true.into()));
    assert_eq!(report["interrupted"], false);
    let duration = report["duration_seconds"].as_f64().unwrap();
    assert!((2.0..3_600.0).contains(&duration), "{duration}");
}

#[test]
fn json_to_standard_output_stands_alone() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let words = ["load", &url, "--rate", "200", "--duration", "100ms", "--assert", "good>=0"];
    let output = seda(&[&words[..], &["--json", "-"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["good"].is_number());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("goodput") && said.contains("assert good>=0"), "{said}");
    assert!(!std::path::Path::new("-").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut help = Command::new(env!("CARGO_BIN_EXE_seda"));
    let output = help.args(["load", "--help"]).stdout(full()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("standard output cannot be written"), "{said}");
}

#[test]
fn a_password_is_sent_and_never_shown_or_written() {
    let url = format!("http://user:secret@{}/caf\u{e9}", server(|_, _| Reply::Bytes(OK)));
    let header = "Authorization: Bearer secret";
    let words = ["load", &url, "--rate", "200", "--duration", "100ms", "-H", header, "--json", "-"];
    let output = seda(&words);
    let all = [output.stdout, output.stderr].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains("/caf%C3%A9") && !all.contains("secret"), "{all}");
    let (said, code) = complaint(&["load", "http://user:secret@h:1/%zz", "--rate", "9"]);
    assert!(code == 2 && said.contains("***@h") && !said.contains("secret"), "{said}");
}

/// A server with TLS and a certificate of its own; returns its port and the certificate in PEM.
#[cfg(feature = "tls")]
fn secure_server() -> (u16, String) {
    use rustls::pki_types::PrivateKeyDer;
    use std::io::{Read, Write};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move |stream: std::net::TcpStream| {
        let session = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut stream = rustls::StreamOwned::new(session, stream);
        let (mut read, mut buffer) = (Vec::new(), [0; 4_096]);
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            read.extend_from_slice(&buffer[..length]);
            if read.ends_with(b"\r\n\r\n") {
                read.clear();
                // Three records, of which a client may find the first two in one segment.
                for part in ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "ok", "ok"] {
                    if stream.write_all(part.as_bytes()).is_err() {
                        return;
                    }
                }
            }
        }
    };
    let accept = move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            let connection = std::thread::Builder::new().name("connection".to_owned());
            connection.spawn(move || serve(stream)).unwrap();
        }
    };
    std::thread::Builder::new().name("accept".to_owned()).spawn(accept).unwrap();
    (port, made.cert.pem())
}

#[cfg(feature = "tls")]
#[test]
fn a_secure_server_is_asked_and_its_certificate_is_checked() {
    let (port, pem) = secure_server();
    let (certificate, other) = (file("cert.pem", &pem), file("none.pem", "none"));
    let url = format!("https://localhost:{port}/");
    let to = format!("127.0.0.1:{port}");
    let load = ["load", &url, "--connect-to", &to, "--rate", "200", "--duration", "200ms", "-q"];
    let ask = |more: &[&str]| {
        let output = seda(&[&load[..], more].concat());
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let slow = ["--slo", "9s", "--json", "-"];
    let (code, text) = ask(&[&["--cacert", certificate.to_str().unwrap()][..], &slow].concat());
    assert!([Some(0), Some(3)].contains(&code) && !text.contains("\"good\": 0"), "{text}");
    let (code, text) = ask(&[&["--insecure"][..], &slow].concat());
    assert!([Some(0), Some(3)].contains(&code) && !text.contains("\"good\": 0"), "{text}");
    let (code, text) = ask(&[]);
    assert!([Some(1), Some(2), Some(3)].contains(&code), "{text}");
    assert!(text.contains("certificate"), "{text}");
    let (code, text) = ask(&["--cacert", other.to_str().unwrap()]);
    assert!(code == Some(2) && text.contains("none.pem") && text.contains("PEM"), "{text}");
    fs::remove_file(certificate).unwrap();
    fs::remove_file(other).unwrap();
}

#[test]
fn malformed_lines_of_a_log_are_counted_in_text_and_json() {
    let line = "::1 - - [10/Oct/2000:13:55:36 -0700] \"GET /x HTTP/1.0\" 200 2\n";
    let log = file("access.log", &format!("{}GET stray\"\n", line.repeat(100)));
    let log_name = log.to_str().unwrap();
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let words = ["load", &url, "--trace", log_name, "--speed", "10", "-q", "--json", "-"];
    let output = seda(&words);
    fs::remove_file(&log).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let trace = &report["trace"];
    assert_eq!((trace["lines"].as_u64(), trace["malformed"].as_u64()), (Some(101), Some(1)));
    assert_eq!(trace["first"][0]["line"], 101);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("of 101 lines, 1 malformed"), "{said}");
}

/// Returns false if this machine was too busy to keep the schedule: then the exit code is 3.
fn has_kept_schedule(output: &Output) -> bool {
    output.status.code() != Some(3)
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seda"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_the_report_with_exit_code_130() {
    use std::sync::mpsc::channel;
    let (asked, is_asked) = channel();
    let url = format!(
        "http://{}/",
        server(move |_, _| {
            let _ = asked.send(());
            Reply::Bytes(OK)
        })
    );
    let child = start(&["load", &url, "--rate", "100", "--duration", "1h"]);
    is_asked.recv().unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{found}");
    assert!(found.contains("ended before its time") && found.contains("goodput"), "{found}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_a_sweep_writes_the_loads_that_were_run() {
    use std::sync::mpsc::channel;
    let (asked, is_asked) = channel();
    let url = format!(
        "http://{}/",
        server(move |number, _| {
            // The first load sends 50 requests, and the client after it 50 at most.
            if number == 130 {
                let _ = asked.send(());
            }
            Reply::Bytes(OK)
        })
    );
    let path = file("interrupted.json", "");
    let times = ["--duration", "500ms", "--warmup", "0s", "--cooldown", "0s"];
    let loads = ["sweep", &url, "-q", "--capacity", "100", "--at", "1,2,3,4,5,6", "--arrivals"];
    let child =
        start(&[&loads[..], &["uniform", "--json", path.to_str().unwrap()], &times].concat());
    is_asked.recv().unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let sweep = json(&path);
    assert_eq!(sweep["interrupted"], true);
    let points = sweep["points"].as_array().unwrap().len();
    assert!((1..6).contains(&points), "{points} points");
}

#[test]
fn a_sweep_writes_what_compare_reads() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let (one, two) = (file("one.json", ""), file("two.json", ""));
    let (html, svg) = (file("sweep.html", ""), file("sweep.svg", ""));
    for path in [&one, &two] {
        let output = seda(&[
            "sweep",
            &url,
            "-q",
            "--capacity",
            "200",
            "--at",
            "0.5,2",
            "--duration",
            "200ms",
            "--warmup",
            "0s",
            "--cooldown",
            "0s",
            "--json",
            path.to_str().unwrap(),
            "--html",
            html.to_str().unwrap(),
            "--svg",
            svg.to_str().unwrap(),
            "--assert",
            "good@2x>=0",
        ]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!([Some(0), Some(3)].contains(&output.status.code()), "{output:?}");
        assert!(said.contains("assert good@2x>=0: holds"), "{said}");
    }
    assert!(fs::read_to_string(&html).unwrap().contains("<html"));
    assert!(fs::read_to_string(&svg).unwrap().contains("\nideal\n"));
    let output = seda(&["compare", one.to_str().unwrap(), two.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("goodput over capacity"), "{said}");
    assert!(said.contains("cannot tell: one round"), "{said}");
    let sweep = json(&one);
    assert_eq!(sweep["points"].as_array().unwrap().len(), 2);
    fs::remove_file(two).unwrap();
    fs::remove_file(html).unwrap();
    fs::remove_file(svg).unwrap();
}

#[test]
fn an_assertion_that_does_not_hold_ends_with_exit_code_1() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let output = seda(&[
        "sweep",
        &url,
        "-q",
        "--capacity",
        "100",
        "--at",
        "1",
        "--duration",
        "100ms",
        "--warmup",
        "0s",
        "--cooldown",
        "0s",
        "--assert",
        "good@1x>1",
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("DOES NOT HOLD"));
}

#[test]
fn a_step_prints_its_time_series_and_its_recovery() {
    let url = format!("http://{}/", server(|_, _| Reply::Bytes(OK)));
    let output = seda(&[
        "step",
        &url,
        "-q",
        "--profile",
        "100/s:200ms,300/s:200ms,100/s:200ms",
        "--repeat",
        "2",
        "--slo",
        "1s",
        "--deadline",
        "30s",
    ]);
    let found = String::from_utf8(output.stdout).unwrap();
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{found}");
    assert!(
        found.contains("100/s -> 300/s at 0.2 s") && found.contains("300/s -> 100/s"),
        "{found}"
    );
}

#[test]
fn a_step_against_a_dead_port_ends_with_exit_code_1_and_no_recovery() {
    let url = format!("http://{}/", dead_port());
    let output =
        seda(&["step", &url, "-q", "--repeat", "1", "--profile", "100/s:300ms,300/s:300ms"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(found.contains("goodput back at 97 % not before the part ended"), "{found}");
    if has_kept_schedule(&output) {
        assert_eq!(output.status.code(), Some(1), "{said}{found}");
        assert!(said.contains("not one request was answered"), "{said}");
    }
}

#[test]
fn a_reader_that_has_gone_causes_neither_panic_nor_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_seda"))
        .args(["load", "--help"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_reader_of_errors_that_has_gone_causes_no_panic() {
    let url = format!("http://{}/", dead_port());
    let mut child = start(&["load", &url, "--rate", "100", "--duration", "100ms"]);
    drop((child.stdout.take(), child.stderr.take()));
    let code = child.wait().unwrap().code();
    assert!([Some(1), Some(3)].contains(&code), "{code:?}");
}

#[test]
fn completions_and_the_manual_page_have_every_command() {
    for (words, begin) in [(&["completions", "bash"][..], "_seda()"), (&["man"][..], ".TH")] {
        let output = seda(words);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(begin), "{words:?}");
        assert!(["load", "sweep", "honour"].iter().all(|part| text.contains(part)), "{words:?}");
    }
}

#[test]
fn help_is_not_an_error() {
    let bare = seda(&[]);
    assert!(bare.status.success() && bare.stderr.is_empty());
    assert!(String::from_utf8(bare.stdout).unwrap().contains("Finds the capacity"));
    let output = seda(&["load", "--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--honour-retry-after"));
    let (said, code) = complaint(&["load"]);
    assert!(code == 2 && said.contains("URL"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_ends_under_load_is_reported_with_its_figures() {
    use parking_lot::Mutex;
    let process = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = process.id().to_string();
    let process = Mutex::new(process);
    let url = format!(
        "http://{}/",
        server(move |_, _| {
            let mut process = process.lock();
            process.kill().unwrap();
            process.wait().unwrap();
            Reply::Bytes(OK)
        })
    );
    let output = seda(&["load", &url, "--rate", "100", "--duration", "200ms", "--pid", &pid, "-q"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{said}");
    assert!(said.contains(&pid), "{said}");
    assert!(found.contains("goodput"), "{found}");
}

/// Returns the path of a lab spec.
fn lab(name: &str) -> String {
    format!("{}/../examples/lab/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_simulation_reports_its_speed_and_has_the_given_cores() {
    let output = seda(&["sim", &lab("admission"), "--cores", "3"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains(" events/s"), "{said}");
    assert!(found.contains("simulated on 3 cores"), "{found}");
    let output = seda(&["sim", &lab("admission"), "--sweep", "--repeat", "0"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--repeat"), "{said}");
}

#[test]
fn the_error_for_a_file_that_is_not_a_report_names_the_remedy() {
    let output = seda(&["sim", "--from-report", &lab("mm1")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("mm1.toml") && said.contains("/_seda/report gave, as JSON"), "{said}");
}

#[test]
fn the_written_spec_of_a_report_can_be_simulated_again() {
    let temporary = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| temporary.join(name).to_str().unwrap().to_owned();
    let (run, report, spec) =
        (file("sim-run.json"), file("sim-report.json"), file("sim-spec.toml"));
    let output = seda(&["sim", &lab("mm1"), "--json", &run]);
    assert!(output.status.success());
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&run).unwrap()).unwrap();
    std::fs::write(&report, json["graph"].to_string()).unwrap();
    let first = seda(&["sim", "--from-report", &report, "--cores", "2", "--spec-out", &spec]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let again = seda(&["sim", &spec]);
    assert_eq!(first.stdout, again.stdout);
}

/// Two stages under load, of which the second is nearly full: the report at the end of a run.
fn measured(test: &str) -> PathBuf {
    let spec = file(
        &format!("{test}.toml"),
        r#"
        cores = 4
        window = "20s"
        arrivals = { rate = 90.0 }
        pool = [{ name = "both", workers = 2 }]
        [[stage]]
        name = "parse"
        capacity = 1000
        pool = "both"
        demand = { kind = "exponential", mean = "1ms" }
        routes = [{ to = "work" }]
        [[stage]]
        name = "work"
        capacity = 1000
        demand = { kind = "exponential", mean = "8ms" }
        [graph.control]
        admission = "off"
        pool_size = "off"
        "#,
    );
    let run = file(&format!("{test}-run.json"), "");
    let sim = seda(&["sim", spec.to_str().unwrap(), "--json", run.to_str().unwrap()]);
    assert!(sim.status.success(), "{sim:?}");
    fs::remove_file(spec).unwrap();
    file(&format!("{test}-report.json"), &json(&run)["graph"].to_string())
}

/// Returns the words of a text whose lines break anywhere.
fn words(text: Vec<u8>) -> String {
    let text = String::from_utf8(text).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_prints_before_and_after_in_80_columns_and_as_json() {
    let (report, out) = (measured("plan"), file("plan.json", ""));
    let name = report.to_str().unwrap();
    let plan = seda(&[
        "plan",
        "--report",
        name,
        "--rate",
        "150",
        "--workers",
        "work=2",
        "--slo",
        "100ms",
        "--runs",
        "3",
        "--json",
        out.to_str().unwrap(),
    ]);
    let text = String::from_utf8(plan.stdout).unwrap();
    assert_eq!(plan.status.code(), Some(0), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("what if --workers work=2 --rate 150"), "{text}");
    assert!(text.contains("slo: p99 within 100 ms is met"), "{text}");
    let json = json(&out);
    let sides = &json["comparison"];
    let figure = |side: &str, name: &str| sides[side]["forecast"][name]["median"].as_f64().unwrap();
    assert!((figure("before", "throughput") / 90.0 - 1.0).abs() < 0.1, "{text}");
    assert!((figure("after", "throughput") / 150.0 - 1.0).abs() < 0.1, "{text}");
    let full = |side: &str| sides[side]["forecast"]["limit"]["full_at"].as_f64().unwrap();
    assert!((full("after") / full("before") - 2.0).abs() < 0.1, "{text}");

    // A search; without a remedy its exit code is 1, and it names the stage.
    let search = |slo: &str| {
        seda(&["plan", "--report", name, "--rate", "150", "--slo", slo, "--search", "--runs", "2"])
    };
    let found = search("100ms");
    let text = words(found.stdout);
    assert!(found.status.success() && text.contains("costs 1.0: --workers work=2"), "{text}");
    let none = search("5ms");
    let text = words(none.stdout);
    assert_eq!(none.status.code(), Some(1), "{text}");
    assert!(text.contains("no change gives") && text.contains("stage work"), "{text}");
    fs::remove_file(report).unwrap();
}

/// Returns a history of the first three seconds of two stages.
fn history(name: &str) -> PathBuf {
    let second = |at: u32, handled: u32| {
        serde_json::json!({
            "at": at, "seconds": 1.0, "load": { "ratio": 0.9, "offered_per_second": handled },
            "bottleneck": "cpu", "bottleneck_stage": "work",
            "stages": [
                { "handled": handled, "capacity": 8, "workers": 1 },
                { "handled": handled, "depth": 4, "capacity": 8, "workers": 2, "utilization": 0.95 }
            ]
        })
    };
    let history = serde_json::json!({
        "graph": "both", "stages": ["parse", "work"], "classes": ["default"],
        "edges": [{ "to": "parse" }, { "from": "parse", "to": "work" }],
        "seconds": [second(1, 10), second(2, 20), second(3, 345)]
    });
    file(name, &history.to_string())
}

#[test]
fn top_prints_one_frame_of_a_report_and_of_a_history() {
    let (report, history) = (measured("top"), history("top-history.json"));
    let frame = |arguments: &[&str]| {
        let output = seda(&[&["top", "--once"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\x1b') && text.lines().count() > 8, "{text}");
        text
    };
    let text = frame(&[report.to_str().unwrap()]);
    assert!(text.contains("saved at") && text.contains("wait99"), "{text}");
    let of_history = history.to_str().unwrap();
    let text = frame(&["--replay", of_history]);
    assert!(text.contains("345") && text.contains("▶ work") && text.contains("3s of 3s"), "{text}");
    let text = frame(&["--at", "2s", of_history]);
    assert!(!text.contains("345") && text.contains("2s of 3s"), "{text}");
    let text = frame(&["--show", "edges", of_history]);
    assert!(text.contains("parse → work") && text.contains("sent/s"), "{text}");

    // A server answers with its report, and with its history.
    let answer = |path: &PathBuf| -> &'static str {
        let body = fs::read_to_string(path).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        (head + &body).leak()
    };
    let (of_report, of_past) = (answer(&report), answer(&history));
    let live = server(move |n, _| Reply::Last(if n == 0 { of_report } else { of_past }));
    let text = frame(&[&format!("http://{live}/")]);
    assert!(text.contains(&live.to_string()) && text.contains("up "), "{text}");
    // The path of a request has no pages below it; the next requests are to those of `/_seda`.
    let elsewhere = server(move |n, _| {
        Reply::Last(match n {
            0 => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            1 => of_report,
            _ => of_past,
        })
    });
    let text = frame(&[&format!("http://{elsewhere}/work?micros=1000")]);
    assert!(text.contains(&format!("{elsewhere} ")) && text.contains("up "), "{text}");
    let past = server(move |_, _| Reply::Last(of_past));
    let text = frame(&["--replay", &past.to_string()]);
    assert!(text.contains("345"), "{text}");
    [report, history].iter().for_each(|path| fs::remove_file(path).unwrap());
}

#[test]
fn top_of_wrong_input_is_refused_in_one_line() {
    let (report, history) = (measured("top-wrong"), history("top-wrong-history.json"));
    let text = fs::read_to_string(&history).unwrap();
    let cut = file("top-cut.json", &text[..text.len() / 2]);
    let html = file("top-html.json", "<!doctype html><html></html>");
    let old = file("top-old.json", r#"{ "graph": "both", "uptime_seconds": 1.0 }"#);
    let other = file("top-other.json", r#"{ "rounds": [] }"#);
    let paths = [report, history, cut, html, old, other];
    let [report, history, cut, html, old, other] = paths.each_ref().map(|p| p.to_str().unwrap());
    const LOST: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno page\n";
    const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>";
    let lost = server(|_, _| Reply::Last(LOST)).to_string();
    let page = server(|_, _| Reply::Last(PAGE)).to_string();
    let dead = dead_port().to_string();
    let cases: &[(&[&str], &[&str])] = &[
        (&["histroy.json"], &["histroy.json", "neither a file nor an address"]),
        (&[&lost], &[&lost, "/_seda/report", "404", "(no page)", "admin side"]),
        (&[&page], &[&page, "HTML"]),
        (&[&dead], &[&dead, "refused", "start the server"]),
        (&["https://127.0.0.1:9/"], &["127.0.0.1:9", "start the server"]),
        (&["--replay", &lost], &["/_seda/history", "404"]),
        (&[cut], &[cut, "ends in the middle", "line 1"]),
        (&[html], &[html, "HTML"]),
        (&[old], &[old, "version of seda"]),
        (&[other], &[other, "neither a report nor a history"]),
        (&["--replay", report], &[report, "a replay needs a history"]),
        (&["/"], &["/: ", "readable file"]),
        (&["--at", "9s", history], &["--at 9s", "1s to 3s"]),
        (&["--show", "graph", history], &["--show", "graph"]),
        (&[], &["URL|FILE"]),
    ];
    for (arguments, parts) in cases {
        let (said, code) = complaint(&[&["top", "--once"], *arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {said}");
        for part in *parts {
            assert!(said.contains(part), "{arguments:?} says {said:?} without {part:?}");
        }
    }
    // Without a terminal there is no screen.
    let (said, code) = complaint(&["top", history]);
    assert!(code == 2 && said.contains("--once"), "{said}");
    paths.iter().for_each(|path| fs::remove_file(path).unwrap());
}

#[test]
fn a_plan_of_wrong_input_is_refused_in_one_line() {
    let report = measured("wrong");
    let name = report.to_str().unwrap();
    let text = fs::read_to_string(&report).unwrap();
    let empty = file("empty.json", "");
    let old = file("old.json", &text.replace("last_ten_seconds", "last_minute"));
    let few = file("few.json", &{
        let mut few: Value = serde_json::from_str(&text).unwrap();
        for edge in few["edges"].as_array_mut().unwrap() {
            edge["last_ten_seconds"]["sent"] = 12.into();
        }
        few.to_string()
    });
    let [empty, old, few] = [empty, old, few].map(|path| path.to_str().unwrap().to_owned());
    let cases: &[(&[&str], &[&str])] = &[
        (&["--report", name, "--workers", "wrok=2"], &["--workers wrok=2", "work, both"]),
        (&["--report", name, "--workers", "work=zero"], &["--workers", "work=zero", "1 to 1024"]),
        (&["--report", name, "--workers", "parse=3"], &["--workers parse=3", "--workers both=3"]),
        (&["--report", name, "--cap", "work=1"], &["--cap work=1", "allowed: parse"]),
        (&["--report", name, "--places", "work=1"], &["--places work=1", "defers no events"]),
        (&["--report", name, "--demand", "work=half"], &["--demand", "work=half", "0.5x"]),
        (&["--report", name, "--rate", "0"], &["--rate", "'0'", "above 0"]),
        (&["--report", name, "--search"], &["--search", "--slo 200ms"]),
        (&["--report", name, "--rate", "5", "--clients", "5"], &["--rate", "--clients"]),
        (&["--report", &empty], &["--report", "EOF", "/_seda/report"]),
        (&["--report", &old], &["--report", "last_ten_seconds", "this version"]),
        (&["--report", &few], &["--report", "12 requests at parse", "30 at least"]),
        (&["--report", "/no/such/file"], &["--report", "/no/such/file"]),
        (&["--report", "http://127.0.0.1:1"], &["--report", "127.0.0.1:1", "running seda server"]),
        (&[], &["--report"]),
    ];
    for (arguments, parts) in cases {
        let arguments: Vec<&str> = ["plan"].iter().chain(*arguments).copied().collect();
        let (said, code) = complaint(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        for part in *parts {
            assert!(said.contains(part), "{arguments:?} says {said:?} without {part:?}");
        }
    }
    for path in [name, &empty, &old, &few] {
        fs::remove_file(path).unwrap();
    }
}
