//! A line of the Common or Combined Log Format.

mod request_line;
mod time;

use super::fault::{LineFault, quoted};
use super::record::{LoggedRequest, Record};
use super::stamp::Stamp;
use super::status;

/// Parses a line. The text in the place of the request need not be a request.
pub(super) fn read(line: &[u8]) -> Result<Record, LineFault> {
    let parts = split(line).ok_or_else(|| LineFault::NotLog { found: quoted(line) })?;
    let stamp = time::read(parts.time).and_then(Stamp::seconds).ok_or_else(|| {
        LineFault::value("the time", parts.time, "one such as 10/Oct/2000:13:55:36 -0700")
    })?;
    let (status, bytes) = (status::read(parts.status)?, status::read_bytes(parts.bytes)?);
    let request = request_line::unescape(parts.request);
    let request = request_line::split(&request)
        .and_then(|(method, path)| LoggedRequest::new(method, path, status, bytes));
    Ok(Record { stamp, request })
}

/// Returns true if a line has the outline of the format.
pub(super) fn recognises(line: &[u8]) -> bool {
    split(line).is_some()
}

struct Parts<'a> {
    time: &'a [u8],
    request: &'a [u8],
    status: &'a [u8],
    bytes: &'a [u8],
}

/// Splits a line into its parts. The name of a user may hold blanks, and a virtual host may precede
/// the client: at least three words precede the time.
fn split(line: &[u8]) -> Option<Parts<'_>> {
    let open = line.windows(2).position(|pair| pair == b" [")?;
    let (before, rest) = line.split_at_checked(open)?;
    if before.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count() < 3 {
        return None;
    }
    let (time, rest) = cut(rest.strip_prefix(b" [")?, b']')?;
    let (request, rest) = cut_quoted(rest.strip_prefix(b" \"")?)?;
    let (status, rest) = cut(rest.strip_prefix(b" ")?, b' ')?;
    let bytes = cut(rest, b' ').map_or(rest, |(bytes, _)| bytes);
    Some(Parts { time, request, status, bytes })
}

/// Splits a text at the first byte `at`, which is dropped.
fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let mut parts = text.splitn(2, |byte| *byte == at);
    Some((parts.next()?, parts.next()?))
}

/// Splits a text at the first quotation mark without a backslash, which is dropped.
fn cut_quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let (before, rest) = text.split_at_checked(end)?;
    Some((before, rest.strip_prefix(b"\"")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn target(line: &str) -> Option<(Method, String, Option<u16>, Option<u64>)> {
        let request = read(line.as_bytes()).unwrap().request?;
        Some((request.method, request.path, request.status, request.bytes))
    }

    fn of_request(request: &str) -> Option<String> {
        let line = format!("::1 - - [10/Oct/2000:13:55:36 -0700] \"{request}\" 200 7");
        Some(target(&line)?.1)
    }

    #[test]
    fn common_and_combined_lines_are_parsed() {
        let common =
            r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326"#;
        let expected = Some((Method::GET, "/a.gif".to_owned(), Some(200), Some(2326)));
        assert_eq!(target(common), expected);
        let agent = r#" "http://x/\"y\"" "Mozilla \"5\" [en]""#;
        assert_eq!(target(&format!("{common}{agent}")), expected);
        assert_eq!(target(&format!("www:80 {common}")), expected);
        assert_eq!(target(&common.replace("frank", "frank n furter")), expected);
        assert_eq!(read(common.as_bytes()).unwrap().stamp, Stamp::seconds(971_211_336).unwrap());
    }

    #[test]
    fn a_dash_in_the_log_is_not_expected_as_answer() {
        let line = r#"::1 - - [10/Oct/2000:13:55:36 -0700] "POST /x?q=1 HTTP/1.1" - -"#;
        assert_eq!(target(line), Some((Method::POST, "/x?q=1".to_owned(), None, None)));
    }

    #[test]
    fn requests_are_unescaped_and_percent_encoded() {
        assert_eq!(of_request(r#"GET /say\"hi\" HTTP/1.1"#).as_deref(), Some("/say%22hi%22"));
        assert_eq!(of_request(r"GET /\xC3\xA9 HTTP/1.1").as_deref(), Some("/%C3%A9"));
        assert_eq!(of_request(r"GET /a b\t HTTP/1.1").as_deref(), Some("/a%20b%09"));
        assert_eq!(of_request(r"GET /c\\ HTTP/1.1").as_deref(), Some("/c%5C"));
        assert_eq!(of_request(r"GET /c\\").as_deref(), Some("/c%5C"));
    }

    #[test]
    fn bytes_that_are_not_a_request_are_skipped() {
        for garbage in [
            "-",
            "",
            r"\x16\x03\x01\x00\xEE",
            "\u{16}\u{3}",
            "GET",
            "GET ",
            "OPTIONS * HTTP/1.0",
            "CONNECT host:443 HTTP/1.1",
            "GET http://host/ HTTP/1.1",
            r"t3 12.1.2\n",
        ] {
            assert_eq!(of_request(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn an_error_names_the_allowed_format() {
        let fault = |line: &str| read(line.as_bytes()).map(|_| ()).unwrap_err().to_string();
        for line in [
            "",
            "nonsense",
            r#"::1 - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1"#,
            r#"::1 - - [10/Oct/2000:13:55:36 -0700] GET / 200 1"#,
            r#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET /\" 200 1"#,
            r#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET /" 200"#,
        ] {
            assert!(fault(line).contains("is not a line of the log"), "{line}");
        }
        let line = |time, status, bytes| format!("::1 - - [{time}] \"GET /\" {status} {bytes}");
        let time = "10/Oct/2000:13:55:36 -0700";
        let wrong = fault(&line("yesterday", "200", "1"));
        assert!(wrong.starts_with("the time is `yesterday`; allowed: one such as"), "{wrong}");
        assert!(fault(&line(time, "2000", "1")).starts_with("status is `2000`"));
        assert!(fault(&line(time, "200", "-1")).starts_with("bytes is `-1`"));
    }
}
