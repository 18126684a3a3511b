//! A time in a file.

use super::fault::LineFault;

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// The latest time in seconds: 64 bits of nanoseconds hold 584 years.
const LATEST: u64 = u64::MAX / SECOND;

/// A time in a file, relative to the origin of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) nanos: u64,
    /// True if it was written without a fraction.
    pub(super) whole: bool,
}

impl Stamp {
    /// Returns a time of whole seconds, as logs have it; `None` if it is too late for 64 bits.
    pub(super) fn seconds(seconds: u64) -> Option<Self> {
        Some(Self { nanos: seconds.checked_mul(SECOND)?, whole: true })
    }

    /// Parses a decimal number of seconds.
    pub(super) fn read(field: &[u8]) -> Result<Self, LineFault> {
        let field = field.trim_ascii();
        str::from_utf8(field).ok().and_then(Self::parse).ok_or_else(|| {
            LineFault::value("seconds", field, "a number from 0 to 18446744073, in seconds")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || !has_digits_only(whole) || !has_digits_only(fraction) {
            return floating(text);
        }
        let nanos = whole.parse::<u64>().ok()?.checked_mul(SECOND)?;
        let nanos = nanos.checked_add(billionths(fraction))?;
        Some(Self { nanos, whole: whole.len() == text.len() })
    }
}

fn has_digits_only(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the digits after a point as nanoseconds. An `f64` of seconds since 1970 has only seven
/// digits after the point.
fn billionths(digits: &str) -> u64 {
    let padded = digits.bytes().chain(std::iter::repeat(b'0'));
    padded.take(9).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// Parses any other notation of a number, such as `5e-05`.
fn floating(text: &str) -> Option<Stamp> {
    let seconds: f64 = text.parse().ok()?;
    let fits = (0.0..=LATEST as f64).contains(&seconds);
    fits.then(|| Stamp { nanos: (seconds * SECOND as f64).round() as u64, whole: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_parsed_to_the_nanosecond() {
        for (text, nanos, whole) in [
            ("0", 0, true),
            ("17", 17 * SECOND, true),
            (" 17. ", 17 * SECOND, false),
            ("0.052000", 52_000_000, false),
            ("1700000000.123456789", 1_700_000_000_123_456_789, false),
            ("0.1234567899", 123_456_789, false),
            (".5", 500_000_000, false),
            ("5e-05", 50_000, false),
            ("18446744073", LATEST * SECOND, true),
        ] {
            assert_eq!(Stamp::read(text.as_bytes()), Ok(Stamp { nanos, whole }), "{text}");
        }
    }

    #[test]
    fn an_error_names_the_value_that_is_not_a_time() {
        let bad: [&[u8]; 10] =
            [b"", b".", b"-1", b"NaN", b"inf", b"1,5", b"1e300", b"99999999999", b"\xff", b"1 2"];
        for bad in bad {
            let fault = Stamp::read(bad).unwrap_err().to_string();
            let expected = format!("seconds is `{}`; allowed: a number", bad.escape_ascii());
            assert!(fault.starts_with(&expected), "{fault}");
        }
    }
}
