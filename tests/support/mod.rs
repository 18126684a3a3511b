//! A minimal blocking HTTP/1.1 client for the tests of the server, and the examples as programs.
#![allow(dead_code, unreachable_pub)]

pub mod example;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The limit of a wait: long enough for any machine, so that a server that hangs fails the test.
const LONG: Duration = Duration::from_secs(120);

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_length: Option<u64>,
    pub retry_after: Option<u64>,
    pub closes: bool,
    /// Bytes after the head.
    pub body_bytes: u64,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
}

/// A persistent connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(LONG)).expect("a time limit");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::with_capacity(64 * 1024, stream) }
    }

    /// Sends a request without a body and reads its answer.
    pub fn ask(&mut self, method: &str, target: &str) -> Answer {
        self.send(method, target);
        self.read(method == "HEAD").expect("an answer")
    }

    pub fn send(&mut self, method: &str, target: &str) {
        self.send_with(method, target, "");
    }

    /// Sends a request with more header lines, each ended by CRLF.
    pub fn send_with(&mut self, method: &str, target: &str, lines: &str) {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
        // A closed connection is noticed when the answer is read.
        let _ = self.stream.get_mut().write_all(request.as_bytes());
    }

    /// Reads one answer; `None` if the connection ends first.
    pub fn read(&mut self, head_only: bool) -> Option<Answer> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(n) if n > 0 => {}
            _ => return None,
        }
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status line");
        let mut answer = Answer {
            status,
            content_length: None,
            retry_after: None,
            closes: false,
            body_bytes: 0,
            body: Vec::new(),
        };
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header line");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => answer.content_length = value.parse().ok(),
                "retry-after" => answer.retry_after = value.parse().ok(),
                "connection" => answer.closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        if !head_only && status != 304 && status != 204 {
            self.read_body(&mut answer);
        }
        Some(answer)
    }

    /// Reads one answer of any length, and returns its body as text.
    pub fn read_whole(&mut self) -> String {
        let mut length = None;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a header line");
            if line.trim_end().is_empty() {
                break;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().ok();
                }
                _ => {}
            }
        }
        let mut body = vec![0; length.expect("an answer has a length")];
        self.stream.read_exact(&mut body).expect("the body");
        String::from_utf8(body).expect("text")
    }

    fn read_body(&mut self, answer: &mut Answer) {
        let mut left = answer.content_length.expect("every answer has a length");
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let n = self.stream.read(&mut buffer[..most]).expect("the body");
            assert!(n > 0, "the body ends {left} bytes early");
            let room = (64 * 1024_usize).saturating_sub(answer.body.len()).min(n);
            answer.body.extend_from_slice(&buffer[..room]);
            answer.body_bytes += n as u64;
            left -= n as u64;
        }
    }
}
