//! The line server as a user runs it: as a process, over real sockets.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::example;

/// The limit of a wait: long enough for any machine, so that a server that hangs fails the test.
const LONG: Duration = Duration::from_secs(60);

/// A running example; dropping it kills its process.
struct Example {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Example {
    fn start() -> Self {
        let mut child = Command::new(example::build("line_server"))
            .args(["--listen", "127.0.0.1:0", "--workers", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("serving on ").unwrap().parse().unwrap();
        Self { child, output, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends `text` over a connection of its own, and returns all answers.
    fn ask(&self, text: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(text).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        answers
    }

    /// Sends SIGTERM; returns the rest of the output, and whether the exit code is 0.
    fn end(mut self) -> (String, bool) {
        self.signal();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().success())
    }

    fn signal(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn commands_sent_in_one_go_are_answered_in_order() {
    let example = Example::start();
    let answers =
        example.ask(b"SET a 1\r\nGET a\nGET b\nSET b two words\nGET b\nDEL a\nDEL a\nGET a\n");
    assert_eq!(answers, "OK\nVALUE 1\nNOT FOUND\nOK\nVALUE two words\nOK\nNOT FOUND\nNOT FOUND\n");
    let (report, succeeded) = example.end();
    assert!(
        succeeded && report.contains("requests 8 admitted, 8 answered, 0 lost, 0 open"),
        "{report}"
    );
}

#[test]
fn an_invalid_line_is_answered_in_its_turn_and_the_connection_stays_open() {
    let example = Example::start();
    let wrong = "ERROR write SET key value, GET key or DEL key\n";
    let answers = example.ask(b"SET a 1\nGET\n\xff\xfe\x00\nset a 2\n\nGET a\n");
    assert_eq!(answers, format!("OK\n{wrong}{wrong}{wrong}{wrong}VALUE 1\n"));
    // A line without its end, before the end of the input, is no command.
    assert_eq!(example.ask(b"GET a"), "");
    assert!(example.end().1);
}

#[test]
fn a_line_that_is_too_long_ends_its_own_connection_with_an_error() {
    let example = Example::start();
    let long = [b"SET a ", vec![b'x'; 5_000].as_slice(), b"\nGET a\n"].concat();
    assert_eq!(example.ask(&long), "ERROR line too long, or too slow\n");
    let endless = vec![b'x'; 100_000];
    let mut stream = example.connect();
    // The server may close before the whole line is written.
    let _ = stream.write_all(&endless);
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert_eq!(answer, "ERROR line too long, or too slow\n");
    assert_eq!(example.ask(b"GET a\n"), "NOT FOUND\n");
}

#[test]
fn sigterm_under_load_answers_all_received_commands_and_exits_with_0() {
    let example = Example::start();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let mut stream = example.connect();
            std::thread::Builder::new()
                .name(format!("client {client}"))
                .spawn(move || {
                    let mut answers = BufReader::new(stream.try_clone().unwrap());
                    let mut sent = 0_u64;
                    let mut answered = 0_u64;
                    loop {
                        let mut answer = String::new();
                        if stream.write_all(b"SET key value\n").is_err() {
                            break;
                        }
                        sent += 1;
                        match answers.read_line(&mut answer) {
                            Ok(n) if n > 0 => assert_eq!(answer, "OK\n"),
                            _ => break,
                        }
                        answered += 1;
                    }
                    (sent, answered)
                })
                .unwrap()
        })
        .collect();
    while !example.ask(b"GET key\n").starts_with("VALUE") {}
    let (report, succeeded) = example.end();
    assert!(succeeded, "{report}");
    let mut all_answered = 0;
    for client in clients {
        let (sent, answered) = client.join().unwrap();
        // The server may have closed before it received the last command of a client.
        assert!(sent - answered <= 1, "{sent} sent, {answered} answered");
        all_answered += answered;
    }
    assert!(all_answered > 0);
    assert!(report.contains(" 0 lost, 0 open"), "{report}");
}
