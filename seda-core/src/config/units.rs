//! Units in files, flags and reports: how they are read, and how they are shown.
//!
//! A program's own settings can use them too. A value that does not fit is refused with an example
//! of one that does.
//!
//! ```
//! use seda_core::units;
//! use serde::Deserialize;
//! use std::time::Duration;
//!
//! #[derive(Debug, Deserialize)]
//! struct Settings {
//!     #[serde(with = "units::duration")]
//!     timeout: Duration,
//!     #[serde(deserialize_with = "units::count")]
//!     tries: usize,
//! }
//!
//! let read: Settings = toml::from_str("timeout = \"200ms\"\ntries = 3")?;
//! assert_eq!((read.timeout, read.tries), (Duration::from_millis(200), 3));
//! let error = toml::from_str::<Settings>("timeout = nan\ntries = 3").unwrap_err().to_string();
//! assert!(error.contains("expected a duration like \"200ms\""), "{error}");
//! # Ok::<(), toml::de::Error>(())
//! ```

use crate::config::fault::OneOf;
use bytesize::ByteSize;
use humantime_serde::re::humantime;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const A_DURATION: &str = "a duration like \"200ms\" or \"1m 30s\"";
const A_COUNT: &str = "a whole number, neither below 0 nor too large";
const A_SIZE: &str = "a size like \"64MiB\", or a number of bytes";

/// Reads a duration from a flag: numbers with units, like "1m 30s".
///
/// ```
/// use seda_core::units::parse_duration;
/// assert_eq!(parse_duration("200ms")?.as_millis(), 200);
/// # Ok::<(), seda_core::units::ParseDurationError>(())
/// ```
///
/// # Errors
/// [`ParseDurationError`], with the text and an example of a duration.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    humantime::parse_duration(text).map_err(|_| ParseDurationError { got: text.to_owned() })
}

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{got}` is not {A_DURATION}")]
#[non_exhaustive]
pub struct ParseDurationError {
    /// The text.
    pub got: String,
}

/// A duration in a file: `#[serde(with = "units::duration")]`.
pub mod duration {
    pub use humantime_serde::serialize;
    use serde::Deserializer;
    use serde::de::Deserialize;
    use std::time::Duration;

    /// Reads a duration.
    ///
    /// # Errors
    /// The value is not a duration; the error has an example of one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        super::Lasting::deserialize(from).map(|lasting| lasting.0)
    }
}

/// An optional duration in a file: `#[serde(with = "units::optional_duration")]`.
pub mod optional_duration {
    pub use humantime_serde::serialize;
    use serde::Deserializer;
    use serde::de::Deserialize;
    use std::time::Duration;

    /// Reads a duration, or `None` if the value is absent.
    ///
    /// # Errors
    /// The value is not a duration; the error has an example of one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let read = Option::<super::Lasting>::deserialize(from)?;
        Ok(read.map(|lasting| lasting.0))
    }
}

/// Reads a whole number: `#[serde(deserialize_with = "units::count")]`.
///
/// # Errors
/// The value is not a whole number, is negative, or is too large for the field.
pub fn count<'de, D: Deserializer<'de>, N: TryFrom<u64>>(from: D) -> Result<N, D::Error> {
    Count::deserialize(from).map(|count| count.0)
}

/// Reads a whole number, or `None` if the value is absent.
///
/// # Errors
/// As [`count`].
pub fn optional_count<'de, D, N>(from: D) -> Result<Option<N>, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<u64>,
{
    Ok(Option::<Count<N>>::deserialize(from)?.map(|count| count.0))
}

/// Reads a table of whole numbers.
pub(super) fn counts<'de, D, N>(from: D) -> Result<BTreeMap<String, N>, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<u64>,
{
    let read = BTreeMap::<String, Count<N>>::deserialize(from)?;
    Ok(read.into_iter().map(|(name, count)| (name, count.0)).collect())
}

/// Reads a size in bytes, or `None` if the value is absent.
pub(super) fn optional_size<'de, D>(from: D) -> Result<Option<ByteSize>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<Size>::deserialize(from)?.map(|size| size.0))
}

/// Reads one of some words.
pub(super) fn word<'de, D, T>(from: D, words: &[&str]) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let allowed = OneOf(words, "\"");
    from.deserialize_str(Allowed { allowed, text: |text| text.parse().ok(), whole: |_| None })
}

/// Reads a value that is written as text or as a whole number.
pub(super) fn text_or_number<'de, D, T>(from: D, allowed: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let whole = |n: u64| n.to_string().parse().ok();
    from.deserialize_any(Allowed { allowed, text: |text| text.parse().ok(), whole })
}

/// Shows seconds in the unit that fits: "12.3 us", "12.3 ms" or "1.23 s".
///
/// ```
/// use seda_core::units::Seconds;
/// assert_eq!(Seconds(0.0123).to_string(), "12.3 ms");
/// assert_eq!(Seconds(1.234).to_string(), "1.23 s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds < 1e-3 => write!(f, "{:.1} us", seconds * 1e6),
            seconds if seconds < 1.0 => write!(f, "{:.1} ms", seconds * 1e3),
            seconds => write!(f, "{seconds:.2} s"),
        }
    }
}

/// Shows seconds in milliseconds, with one digit unless a precision is given.
///
/// ```
/// use seda_core::units::Millis;
/// assert_eq!(Millis(0.0123).to_string(), "12.3 ms");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Millis(pub f64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*} ms", f.precision().unwrap_or(1), self.0 * 1e3)
    }
}

/// Shows seconds in microseconds, with two digits unless a precision is given.
///
/// ```
/// use seda_core::units::Micros;
/// assert_eq!(Micros(0.000_012_34).to_string(), "12.34 us");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Micros(pub f64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*} us", f.precision().unwrap_or(2), self.0 * 1e6)
    }
}

/// Shows a share of 1 in percent, without digits unless a precision is given.
///
/// ```
/// use seda_core::units::Percent;
/// assert_eq!(Percent(0.974).to_string(), "97 %");
/// assert_eq!(format!("{:.1}", Percent(0.974)), "97.4 %");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*} %", f.precision().unwrap_or(0), self.0 * 100.0)
    }
}

struct Lasting(Duration);

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = |text: &str| humantime::parse_duration(text).ok();
        from.deserialize_str(Allowed { allowed: A_DURATION, text, whole: |_| None }).map(Self)
    }
}

struct Count<N>(N);

impl<'de, N: TryFrom<u64>> Deserialize<'de> for Count<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let whole = |n: u64| N::try_from(n).ok();
        from.deserialize_u64(Allowed { allowed: A_COUNT, text: |_| None, whole }).map(Self)
    }
}

struct Size(ByteSize);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (text, whole) = (|text: &str| text.parse().ok(), |n| Some(ByteSize::b(n)));
        from.deserialize_any(Allowed { allowed: A_SIZE, text, whole }).map(Self)
    }
}

/// Accepts a value that one of two readers understands, and refuses any other with `allowed`.
struct Allowed<A, T> {
    allowed: A,
    text: fn(&str) -> Option<T>,
    whole: fn(u64) -> Option<T>,
}

impl<A: fmt::Display, T> Visitor<'_> for Allowed<A, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.allowed.fmt(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.text)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<T, E> {
        (self.whole)(n).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(n), &self))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<T, E> {
        let read = u64::try_from(n).ok().and_then(self.whole);
        read.ok_or_else(|| E::invalid_value(Unexpected::Signed(n), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::graph::GraphConfig;

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_one_that_does() {
        let duration = "expected a duration like \"200ms\" or \"1m 30s\"";
        let mode = "expected \"on\", \"observe\" or \"off\"";
        let count = "expected a whole number, neither below 0 nor too large";
        for (text, value, expected) in [
            ("slo.p99 = nan", "`NaN`", duration),
            ("slo.p99 = \"-1s\"", "\"-1s\"", duration),
            ("slo.p99 = \"10\"", "\"10\"", duration),
            ("slo.p99 = 10", "`10`", duration),
            ("slo.classes.gold.p99 = \"x\"", "\"x\"", duration),
            ("control.tick = true", "`true`", duration),
            ("stages.work.newest_first_above = \"\"", "\"\"", duration),
            ("stages.work.codel.target = 0", "`0`", duration),
            ("control.pool_size = \"maybe\"", "\"maybe\"", mode),
            ("control.admission = true", "`true`", mode),
            ("control.law = \"p90\"", "\"p90\"", "expected \"drain_rate\", \"aimd\""),
            ("control.overload = 3", "`3`", "expected \"longest_queue\", \"tail_drop\""),
            ("control.hot.least = -1", "`-1`", count),
            ("stages.work.capacity = -1", "`-1`", count),
            ("stages.work.weight = 5000000000", "`5000000000`", count),
            ("stages.work.codel.keep_one_in = 0.5", "`0.5`", count),
            ("stages.work.codel.law = \"x\"", "\"x\"", "expected \"slough\" or \"spaced\""),
            ("stages.work.codel = \"off\"", "\"off\"", "expected a table like { target"),
            ("stages.work.rate = 500", "`500`", "expected a table like { per_second"),
            ("stages.work.workers = \"4..2\"", "\"4..2\"", "expected a range like \"1..4\""),
            ("stages.work.workers = -1", "`-1`", "expected a range like \"1..4\""),
            ("budget_bytes = -3", "`-3`", "expected a size like \"64MiB\""),
            ("budget = \"many\"", "\"many\"", count),
            ("classes.gold = -1", "`-1`", count),
        ] {
            let error = toml::from_str::<GraphConfig>(text).unwrap_err();
            let message = error.message();
            assert!(message.contains(value) && message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn written_settings_read_back_as_they_were() {
        let text = "budget_bytes = \"64MiB\"\nslo.p99 = \"200ms\"\nstages.a.workers = 3\n\
                    stages.a.codel = {}\nclasses.gold = 3\ncontrol.overload = \"random\"\n";
        let config: GraphConfig = toml::from_str(text).unwrap();
        let again: GraphConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<GraphConfig>(&json).unwrap(), config);
    }
}
