//! The forms of a line.

use super::record::{Fields, Record, Sent};
use http::Version;
use serde::Serialize;
use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

/// The bytes of an ordinary line, and some more.
const LINE_BYTES: usize = 384;

/// The months of an IMF-fixdate (RFC 9110 §5.6.7).
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The parts of an IMF-fixdate.
struct Moment<'a> {
    day: &'a str,
    month: &'a str,
    year: &'a str,
    time: &'a str,
}

impl<'a> Moment<'a> {
    fn of(date: &'a [u8; 29]) -> Option<Self> {
        let mut words = str::from_utf8(date).ok()?.split(' ').skip(1);
        let (day, month) = (words.next()?, words.next()?);
        Some(Self { day, month, year: words.next()?, time: words.next()? })
    }

    /// Returns the moment as RFC 3339 has it.
    fn rfc3339(&self) -> Option<String> {
        let Self { day, month, year, time } = self;
        let month = MONTHS.iter().position(|name| name == month)? + 1;
        Some(format!("{year}-{month:02}-{day}T{time}Z"))
    }
}

/// Returns a line of the Combined Log Format. Fields are escaped as Apache does; a missing one is
/// `-`.
pub(super) fn combined(record: &Record, sent: &Sent<'_>, date: &[u8; 29]) -> Option<Vec<u8>> {
    let Moment { day, month, year, time } = Moment::of(date)?;
    let mut line = Vec::with_capacity(LINE_BYTES);
    match client(record, sent) {
        Some(client) => write!(line, "{client}").ok()?,
        None => line.push(b'-'),
    }
    write!(line, " - - [{day}/{month}/{year}:{time} +0000] \"").ok()?;
    match &record.fields {
        Some(Fields { method, target, .. }) => {
            put_escaped(method, &mut line);
            line.push(b' ');
            put_escaped(target, &mut line);
            write!(line, " {}", version(sent.version)).ok()?;
        }
        None => line.push(b'-'),
    }
    write!(line, "\" {} ", sent.status.as_str()).ok()?;
    match sent.bytes {
        Some(bytes) => write!(line, "{bytes}").ok()?,
        None => line.push(b'-'),
    }
    let (referer, user_agent) = match &record.fields {
        Some(fields) => (fields.referer.as_deref(), fields.user_agent.as_deref()),
        None => (None, None),
    };
    for field in [referer, user_agent] {
        line.extend_from_slice(b" \"");
        put_escaped(field.unwrap_or(b"-"), &mut line);
        line.push(b'"');
    }
    line.push(b'\n');
    Some(line)
}

/// Writes `"` and `\` with a backslash in front, and bytes that no terminal may get as `\xhh`.
fn put_escaped(field: &[u8], line: &mut Vec<u8>) {
    for &byte in field {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => line.push(byte),
            b'\t' => line.extend_from_slice(b"\\t"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            _ => {
                line.extend_from_slice(b"\\x");
                line.extend([byte >> 4, byte & 0xf].map(hex_digit));
            }
        }
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// The fields of a line in JSON.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    client: Option<IpAddr>,
    method: Option<Cow<'a, str>>,
    target: Option<Cow<'a, str>>,
    version: &'static str,
    status: u16,
    bytes: Option<u64>,
    referer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    duration_seconds: f64,
    request_id: Option<&'a str>,
    refused: bool,
}

/// Returns a line with one JSON object. A field that is missing is `null`, and bytes that are not
/// UTF-8 become U+FFFD.
pub(super) fn json(
    record: &Record,
    sent: &Sent<'_>,
    duration: Duration,
    date: &[u8; 29],
) -> Option<Vec<u8>> {
    let fields = record.fields.as_ref();
    let json = JsonLine {
        time: Moment::of(date)?.rfc3339()?,
        client: client(record, sent),
        method: fields.map(|fields| String::from_utf8_lossy(&fields.method)),
        target: fields.map(|fields| String::from_utf8_lossy(&fields.target)),
        version: version(sent.version),
        status: sent.status.as_u16(),
        bytes: sent.bytes,
        referer: fields.and_then(|fields| fields.referer.as_deref()).map(String::from_utf8_lossy),
        user_agent: fields
            .and_then(|fields| fields.user_agent.as_deref())
            .map(String::from_utf8_lossy),
        duration_seconds: duration.as_secs_f64(),
        request_id: sent.id,
        refused: sent.is_refused,
    };
    let mut line = Vec::with_capacity(LINE_BYTES);
    serde_json::to_writer(&mut line, &json).ok()?;
    line.push(b'\n');
    Some(line)
}

/// Returns the client of the request; without a readable head, that of the connection.
fn client(record: &Record, sent: &Sent<'_>) -> Option<IpAddr> {
    record.fields.as_ref().map_or(sent.client, |fields| fields.client)
}

fn version(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use seda_core::Time;

    const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

    fn record(target: &[u8], user_agent: Option<&[u8]>) -> Record {
        let fields = Fields {
            client: Some([192, 0, 2, 1].into()),
            method: b"GET".as_slice().into(),
            target: target.into(),
            referer: None,
            user_agent: user_agent.map(Into::into),
        };
        Record { began: Time::ZERO, fields: Some(fields) }
    }

    fn sent() -> Sent<'static> {
        Sent {
            client: Some([192, 0, 2, 1].into()),
            version: Version::HTTP_11,
            status: StatusCode::OK,
            bytes: Some(6),
            id: Some("a-1"),
            is_refused: false,
        }
    }

    fn combined_text(record: &Record, sent: &Sent<'_>) -> String {
        String::from_utf8(combined(record, sent, DATE).unwrap()).unwrap()
    }

    #[test]
    fn a_combined_line_has_the_fields_of_apache_in_their_order() {
        assert_eq!(
            combined_text(&record(b"/a?b=c", Some(b"curl/8")), &sent()),
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 6 \"-\" \
             \"curl/8\"\n"
        );
    }

    #[test]
    fn a_combined_line_has_a_dash_for_each_missing_field() {
        let nothing = Record { began: Time::ZERO, fields: None };
        let sent = Sent { bytes: None, status: StatusCode::BAD_REQUEST, ..sent() };
        assert_eq!(
            combined_text(&nothing, &sent),
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"-\" 400 - \"-\" \"-\"\n"
        );
        let line = combined_text(&nothing, &Sent { client: None, ..sent });
        assert!(line.starts_with("- - - [06/Nov"), "{line}");
    }

    #[test]
    fn a_client_cannot_write_quotes_lines_or_control_bytes_into_a_combined_line() {
        let agent = b"a\"b\\c\r\n\t\x1b[31m\xff\x7f";
        let line = combined_text(&record(b"/", Some(agent)), &sent());
        assert!(line.ends_with("\"a\\\"b\\\\c\\r\\n\\t\\x1b[31m\\xff\\x7f\"\n"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_json_line_has_the_same_fields_with_duration_and_id() {
        let record = record(b"/a\"\n", Some(b"\xff"));
        let line = json(&record, &sent(), Duration::from_millis(1500), DATE).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let expected = serde_json::json!({
            "time": "1994-11-06T08:49:37Z",
            "client": "192.0.2.1",
            "method": "GET",
            "target": "/a\"\n",
            "version": "HTTP/1.1",
            "status": 200,
            "bytes": 6,
            "referer": null,
            "user_agent": "\u{fffd}",
            "duration_seconds": 1.5,
            "request_id": "a-1",
            "refused": false,
        });
        assert_eq!(value, expected);
    }
}
