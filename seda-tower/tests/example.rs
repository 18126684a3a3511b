//! The examples with axum and tonic, as programs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Returns the program of an example, built.
fn program(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let profile = me.parent().and_then(|deps| deps.parent()).unwrap();
    // `cargo test --test` does not build examples. With the features of the workspace, in which
    // `cargo test --workspace` has built them, nothing is built again.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--example", name])
        .args(profile.ends_with("release").then_some("--release"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "the example does not build");
    profile.join("examples").join(name)
}

/// A running example; it is killed when dropped.
struct Example {
    process: Child,
    address: String,
}

impl Example {
    fn start(name: &str, flags: &[&str]) -> Self {
        let mut process = Command::new(program(name))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { process, address }
    }

    /// Returns the status and the body of one request.
    fn ask(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "")
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = "Host: localhost\r\nConnection: close";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_example_answers_every_route_and_reports_them() {
    let example = Example::start("axum_admission", &["--slo", "60s", "--by-route"]);
    for (path, body) in [
        ("/hello", "hello\n"),
        ("/work?micros=100", "burned 100 us\n"),
        ("/sleep?millis=5", "slept 5 ms\n"),
        ("/greet/ada", "hello, ada\n"),
    ] {
        assert_eq!(example.ask(path), (200, body.to_owned()));
    }
    assert_eq!(example.ask("/count").0, 405);
    let (status, report) = example.ask("/_seda/report");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((status, &report["requests"]["answered"]), (200, &5.into()));
}

#[test]
fn without_the_layer_the_example_is_the_same_app() {
    let example = Example::start("axum_admission", &["--plain"]);
    assert_eq!(example.ask("/hello"), (200, "hello\n".to_owned()));
    assert_eq!(example.ask("/_seda/report").0, 404);
}

#[test]
fn the_example_speaks_http_2_by_prior_knowledge() {
    let example = Example::start("axum_admission", &[]);
    let mut stream = TcpStream::connect(&example.address).unwrap();
    // The preface, and empty settings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "the first frame of the server is its settings");
}

#[test]
fn stages_compute_and_block_beside_the_threads_of_tokio() {
    let example = Example::start("axum_stages", &[]);
    assert_eq!(example.ask("/notes/7").0, 404);
    assert_eq!(example.send("PUT", "/notes/7", "kept"), (200, "kept".to_owned()));
    assert_eq!(example.ask("/notes/7"), (200, "kept".to_owned()));
    let (status, sum) = example.ask("/thumbnail/8");
    assert_eq!((status, sum.trim().len()), (200, 16));
    let (_, report) = example.ask("/stages/report");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["requests"]["answered"], 1);
    assert!(example.ask("/notes_report").1.contains("requests 3 admitted, 3 answered"));
}

#[test]
fn the_calls_of_both_tenants_are_sent_and_accounted_for() {
    let server = Example::start("tonic_admission", &[]);
    let client = Command::new(program("tonic_admission"))
        .args(["--client", &format!("http://{}", server.address)])
        .args(["--rate", "10", "--duration", "200ms", "--micros", "100", "--timeout", "60s"])
        .output()
        .unwrap();
    let printed = String::from_utf8(client.stdout).unwrap();
    for (line, tenant, sent) in [(1, "modest", 2), (2, "greedy", 20)] {
        let mut words = printed.lines().nth(line).unwrap().split_whitespace();
        assert_eq!(words.next(), Some(tenant), "{printed}");
        let counts: Vec<u32> = words.take(5).map(|word| word.parse().unwrap()).collect();
        assert_eq!((counts[0], counts[1..].iter().sum::<u32>()), (sent, sent), "{printed}");
    }
}
