//! The answers of every contestant, byte for byte those of `examples/web_server` on a route that
//! both have.

use thiserror::Error;

/// The media type of every answer.
pub const PLAIN: &str = "text/plain; charset=utf-8";
/// The answer to `/`.
pub const HELLO: &str = "Hello, world!";
/// The body of a 503.
pub const BUSY: &str = "the server is busy\n";
/// The Retry-After of a 503, in whole seconds: the shortest that seda sends.
pub const RETRY_AFTER: &str = "1";
/// The body of a 404.
pub const NOT_FOUND: &str = "not here\n";
/// The answer to `/file8k`: 8 KiB in which neighbouring bytes differ, so that a missing byte shows.
pub const FILE: &str = match std::str::from_utf8(&ALPHABETS) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

/// The longest work or sleep of one request, in seconds, as in `examples/web_server`.
const LONGEST: u64 = 5;
const ALPHABETS: [u8; 8 * 1024] = alphabets();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which sees the bound")]
const fn alphabets() -> [u8; 8 * 1024] {
    let mut bytes = [0; 8 * 1024];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = b'a' + (at % 26) as u8;
        at += 1;
    }
    bytes
}

/// A query without the number that its route needs. Its text is the body of a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("say ?{name}=N with N from 0 to {most}\n")]
pub struct QueryError {
    name: &'static str,
    most: u64,
}

/// Returns the answer to `/work?micros=N`.
pub fn burned(micros: u64) -> String {
    format!("burned {micros} us\n")
}

/// Returns the answer to `/sleep?millis=N`.
pub fn slept(millis: u64) -> String {
    format!("slept {millis} ms\n")
}

/// Returns N of `/work?micros=N`.
///
/// # Errors
/// If N is missing, given twice, or too large.
pub fn micros(query: Option<&str>) -> Result<u64, QueryError> {
    number(query, "micros", LONGEST * 1_000_000)
}

/// Returns N of `/sleep?millis=N`.
///
/// # Errors
/// As [`micros`].
pub fn millis(query: Option<&str>) -> Result<u64, QueryError> {
    number(query, "millis", LONGEST * 1_000)
}

fn number(query: Option<&str>, name: &'static str, most: u64) -> Result<u64, QueryError> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next().and_then(|value| value.parse().ok());
    let value = value.filter(|value| *value <= most && values.next().is_none());
    value.ok_or(QueryError { name, most })
}
