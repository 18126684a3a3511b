//! A page of a server's admin side, read over a connection of its own.

use crate::h1::{Url, UrlError};
use crate::load::address::ServerAddress;
use seda_core::{Clock, MonotonicClock, Time};
use std::io::{self, Read};
use std::time::Duration;
use thiserror::Error;

/// The longest wait for one read or write, so that a deadline between two of them is kept.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// The bytes of one read.
const READ: usize = 64 * 1024;
/// The most characters of a refusal's text that an error repeats.
const SAID: usize = 120;

/// The bounds within which a page is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageBounds {
    /// The time from the connection to the last byte.
    pub(crate) within: Duration,
    /// The most bytes of head and body.
    pub(crate) bytes: usize,
}

/// Why there is no page.
#[derive(Debug, Error)]
pub(crate) enum AdminError {
    /// The host has no address.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The socket fails.
    #[error(transparent)]
    Socket(#[from] io::Error),
    /// The page is not complete in time.
    #[error("no whole answer within {0:?}")]
    Slow(Duration),
    /// The bytes are no HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// The server answers with another status than 200.
    #[error("status {status}{said}")]
    Status {
        /// The status.
        status: u16,
        /// The first line of its body, in brackets; empty without one.
        said: String,
    },
    /// The connection ends before the body.
    #[error("the answer ends after {got} of {expected} bytes")]
    Cut {
        /// The bytes of the body that came.
        got: usize,
        /// The bytes that its head announces.
        expected: usize,
    },
    /// The page is larger than its bound.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}

impl AdminError {
    /// Returns what to do about it, as the end of a sentence.
    #[cfg(feature = "top")]
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            AdminError::Url(_) => "give the address of a running seda server",
            AdminError::Socket(_) => "start the server, or check the address and the port",
            AdminError::Slow(_) => "try again, or give the address of the admin side",
            AdminError::NotHttp => "give the port on which the server speaks plain HTTP",
            AdminError::Status { status: 429 | 503, .. } => "try again in a second",
            AdminError::Status { .. } => {
                "give the address of a seda server's admin side, like http://127.0.0.1:8080/_seda"
            }
            AdminError::Cut { .. } => "try again",
            AdminError::TooLarge(_) => "give the address of a seda server",
        }
    }
}

/// Returns the body of the page `target` of the server of `url`. Of several addresses of the host,
/// the first that accepts a connection is asked.
pub(crate) fn page(url: &Url, target: &str, bounds: PageBounds) -> Result<Vec<u8>, AdminError> {
    let mut refused = None;
    for address in url.resolve()? {
        let address = ServerAddress::of(url, address)?;
        match page_at(&address, &url.authority(), target, bounds) {
            Err(AdminError::Socket(error)) => refused = refused.or(Some(error)),
            page => return page,
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()).into())
}

/// Returns the body of the page `target` of the server at `address`.
pub(crate) fn page_at(
    address: &ServerAddress,
    authority: &str,
    target: &str,
    bounds: PageBounds,
) -> Result<Vec<u8>, AdminError> {
    let mut stream = address.connect(bounds.within, bounds.within.min(LONGEST_WAIT))?;
    // An answer to HTTP/1.0 has no chunks: its body ends with the connection.
    let request = format!("GET {target} HTTP/1.0\r\nHost: {authority}\r\nAccept: */*\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    body(&read_to_end(stream.as_mut(), bounds)?)
}

fn read_to_end(stream: &mut dyn Read, bounds: PageBounds) -> Result<Vec<u8>, AdminError> {
    let clock = MonotonicClock::new();
    let mut answer = Vec::new();
    let mut piece = vec![0; READ];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(answer),
            Ok(length) => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error.into()),
        }
        if answer.len() > bounds.bytes {
            return Err(AdminError::TooLarge(bounds.bytes));
        }
        if clock.now().since(Time::ZERO) > bounds.within {
            return Err(AdminError::Slow(bounds.within));
        }
    }
}

/// Returns true if a read may be tried again.
fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// Returns the body of a complete answer with status 200.
fn body(answer: &[u8]) -> Result<Vec<u8>, AdminError> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let split = end.and_then(|end| answer.split_at_checked(end + 4));
    let (head, body) = split.ok_or(AdminError::NotHttp)?;
    let head = std::str::from_utf8(head).map_err(|_| AdminError::NotHttp)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(status).ok_or(AdminError::NotHttp)?;
    if status != 200 {
        return Err(AdminError::Status { status, said: said(body) });
    }
    let announced = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)?.trim().parse().ok()
    });
    match announced {
        Some(expected) if expected > body.len() => {
            Err(AdminError::Cut { got: body.len(), expected })
        }
        _ => Ok(body.to_vec()),
    }
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.")?.get(1..)?.trim_start();
    rest.split(' ').next()?.parse().ok()
}

/// Returns the first line of a refusal's text in brackets; nothing for HTML and for no text.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let first = text.lines().next().unwrap_or_default().trim();
    let is_plain = !first.starts_with('<') && !first.contains(char::is_control);
    if first.is_empty() || !is_plain {
        return String::new();
    }
    format!(" ({})", first.chars().take(SAID).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_with_status_200_is_a_page() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(body(answer).unwrap(), b"{}");
        assert_eq!(body(b"HTTP/1.0 200 OK\r\nserver: x\r\n\r\n{}").unwrap(), b"{}");
    }

    #[test]
    fn other_answers_are_named() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "not HTTP"),
            (b"SSH-2.0-x\r\n\r\n", "not HTTP"),
            (b"HTTP/1.1 404 No\r\n\r\nthere are /_seda/report\nmore", "(there are /_seda/report)"),
            (b"HTTP/1.1 500 No\r\n\r\n<html>", "status 500"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", "ends after 2 of 9 bytes"),
            (b"HTTP/1.1 429 No\r\n\r\n\x1b[31m", "status 429"),
        ];
        for (answer, expected) in cases {
            let error = body(answer).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.to_string().contains('<') && !error.to_string().contains('\x1b'));
            assert!(!error.remedy().is_empty());
        }
    }
}
