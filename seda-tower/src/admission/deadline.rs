//! The deadline that a client states: how long it waits for the answer.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// The time that a client of gRPC waits, such as `200m`.
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The time that the client of a proxy waits, in milliseconds.
const ENVOY_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");

/// The most digits of a time in gRPC.
const GRPC_DIGITS_MOST: usize = 8;
/// The most digits of a time in milliseconds: beyond them it is no deadline.
const MILLIS_DIGITS_MOST: usize = 15;

/// Returns the shortest deadline of those stated; `None` without one. A malformed value counts as
/// none.
pub(super) fn client_deadline(headers: &HeaderMap) -> Option<Duration> {
    let grpc = headers.get(GRPC_TIMEOUT).and_then(grpc_timeout);
    let envoy = headers.get(ENVOY_TIMEOUT).and_then(millis);
    grpc.into_iter().chain(envoy).min()
}

/// Returns the time of 1 to 8 digits and a unit.
fn grpc_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number = digits(number, GRPC_DIGITS_MOST)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

fn millis(value: &HeaderValue) -> Option<Duration> {
    digits(value.to_str().ok()?, MILLIS_DIGITS_MOST).map(Duration::from_millis)
}

/// Returns a number of digits alone, without a sign.
fn digits(text: &str, most: usize) -> Option<u64> {
    let is_number = text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(name: &'static str, value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        client_deadline(&headers)
    }

    #[test]
    fn a_time_of_grpc_has_up_to_eight_digits_and_a_unit() {
        for (value, nanos) in [
            ("1H", 3_600_000_000_000),
            ("2M", 120_000_000_000),
            ("3S", 3_000_000_000),
            ("200m", 200_000_000),
            ("5u", 5_000),
            ("99999999n", 99_999_999),
            ("0m", 0),
        ] {
            assert_eq!(
                deadline("grpc-timeout", value),
                Some(Duration::from_nanos(nanos)),
                "{value}"
            );
        }
        for value in ["", "m", "1", "1h", "-1m", "+1m", "1.5S", "123456789m", " 1m"] {
            assert_eq!(deadline("grpc-timeout", value), None, "{value}");
        }
    }

    #[test]
    fn the_shortest_deadline_counts() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::from_static("1S"));
        headers.insert("x-envoy-expected-rq-timeout-ms", HeaderValue::from_static("250"));
        assert_eq!(client_deadline(&headers), Some(Duration::from_millis(250)));
        assert_eq!(client_deadline(&HeaderMap::new()), None);
        assert_eq!(deadline("x-envoy-expected-rq-timeout-ms", "soon"), None);
    }
}
