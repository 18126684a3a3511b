//! Uploads and server-sent events as a user sees them: the example as a process, and curl.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use support::example;

/// A running example with a directory of its own; dropping it kills its process.
struct Example {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
    directory: PathBuf,
}

impl Example {
    fn start() -> Self {
        let name = format!("seda-uploads-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let mut child = Command::new(example::build("uploads_and_events"))
            .arg(&directory)
            .arg("127.0.0.1:0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line.split(' ').next().unwrap().to_owned();
        Self { input: child.stdin.take(), child, output, url, directory }
    }

    /// Runs curl with these arguments, and the path as the last.
    fn curl(&self, arguments: &[&str], path: &str) -> Output {
        let url = format!("{}{path}", self.url);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "60"]).args(arguments).arg(url);
        let output = curl.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Presses Enter; returns the rest of the output.
    fn end(&mut self) -> String {
        drop(self.input.take().map(|mut input| input.write_all(b"\n")));
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Reads lines up to the end of an event, without comments.
fn event(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Vec<String> {
    let lines = lines.map(Result::unwrap).filter(|line| !line.starts_with(':'));
    lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn an_upload_is_stored_and_its_subscribers_are_told() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl");
        return;
    }
    let mut example = Example::start();
    let mut subscriber = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "60"])
        .arg(format!("{}/events", example.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut events = BufReader::new(subscriber.stdout.take().unwrap()).lines();

    // 3 MiB with a declared length, for which curl asks with `Expect: 100-continue`; then chunked.
    let content: Vec<u8> = (0..3 * 1024 * 1024_u32).map(|n| (n % 251) as u8).collect();
    let file = example.directory.join("source.bin");
    std::fs::write(&file, &content).unwrap();
    let file = file.to_str().unwrap();
    let stored = example.curl(&["--upload-file", file], "/files/one");
    assert_eq!(stored.stdout, b"stored\n");
    let chunked = ["--header", "Transfer-Encoding: chunked", "--upload-file", file];
    assert_eq!(example.curl(&chunked, "/files/two").stdout, b"stored\n");
    assert!(example.curl(&[], "/files/one").stdout == content);
    assert!(example.curl(&[], "/files/two").stdout == content);

    // A client that subscribes late or again gets what it has missed.
    let names = ["one", "two"];
    for (id, name) in names.iter().enumerate() {
        let expected = [
            "event: stored".to_owned(),
            format!("id: {}", id + 1),
            format!("data: {name}"),
            "data: 3145728 bytes".to_owned(),
        ];
        assert_eq!(event(&mut events), expected);
    }
    let mut again = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "60", "--header", "Last-Event-ID: 1"])
        .arg(format!("{}/events", example.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut missed = BufReader::new(again.stdout.take().unwrap()).lines();
    assert_eq!(event(&mut missed)[1], "id: 2");

    // The drain ends both event streams whole: curl is content.
    let report = example.end();
    assert!(report.contains("publish"), "{report}");
    assert!(subscriber.wait().unwrap().success() && again.wait().unwrap().success());
}
