//! What every contestant answers, byte for byte as `examples/web_server` does where it has the
//! same route.

/// The media type of every answer.
pub const PLAIN: &str = "text/plain; charset=utf-8";
/// The answer to `/`.
pub const HELLO: &str = "Hello, world!";
/// The body of a 503.
pub const BUSY: &str = "the server is busy\n";
/// The Retry-After of a 503, in whole seconds: the least that seda says.
pub const RETRY_AFTER: &str = "1";
/// The body of a 404.
pub const NOT_FOUND: &str = "not here\n";
/// The answer to `/file8k`: 8 KiB in which no two neighbours are equal, so that a byte too few is
/// seen.
pub const FILE: &str = match std::str::from_utf8(&ALPHABETS) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

/// The longest that one request may burn or block, in seconds: as `examples/web_server`.
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

/// The answer to `/work?micros=N`.
pub fn burned(micros: u64) -> String {
    format!("burned {micros} us\n")
}

/// The answer to `/sleep?millis=N`.
pub fn slept(millis: u64) -> String {
    format!("slept {millis} ms\n")
}

/// N of `/work?micros=N`.
///
/// # Errors
/// The body of a 400, if it is not there once, or is too large.
pub fn micros(query: Option<&str>) -> Result<u64, String> {
    number(query, "micros", LONGEST * 1_000_000)
}

/// N of `/sleep?millis=N`.
///
/// # Errors
/// As [`micros`].
pub fn millis(query: Option<&str>) -> Result<u64, String> {
    number(query, "millis", LONGEST * 1_000)
}

fn number(query: Option<&str>, name: &str, most: u64) -> Result<u64, String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next().and_then(|value| value.parse().ok());
    let value = value.filter(|value| *value <= most && values.next().is_none());
    value.ok_or_else(|| format!("say ?{name}=N with N from 0 to {most}\n"))
}
