//! The values of flags.

use crate::h1::redacted;
use crate::load::arrivals::Process;
use seda_sim::plan::NewDemand;
use std::num::ParseFloatError;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The shortest time of a flag; a shorter one cannot be kept.
const SHORTEST: Duration = Duration::from_micros(1);
/// The longest time of a flag; a longer one is a typing error.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The highest rate, per second: more than any one machine sends.
const MAX_RATE: f64 = 1e7;
/// The largest number of workers, cores or places.
const MAX_COUNT: usize = 1_024;
/// The highest factor.
const MAX_FACTOR: f64 = 1e6;

/// Why the value of a flag is not allowed. The parser of the flags names the flag and the value.
#[derive(Clone, Debug, PartialEq, Error)]
pub(super) enum ValueError {
    #[error("{0}; write it like 250ms or 10s")]
    Duration(#[from] humantime::DurationError),
    #[error("`{0}` has no unit; write it like 250ms or 10s")]
    NoUnit(String),
    #[error("a time is not negative; write it like 250ms or 10s")]
    Negative,
    #[error("it must be a whole number, 1 at least")]
    Count,
    #[error("it is neither poisson nor uniform, and there is no such file of recorded times")]
    Arrivals,
    #[error("it is too short; 1us is the least")]
    TooShort,
    #[error("it is too long; a day is the most")]
    TooLong,
    #[error("it must be above 0 and at most 10000k, like 900/s or 80k")]
    Rate,
    #[error("it must be a number above 0")]
    Factor,
    #[error("write it like 50ms..1s")]
    Range,
    #[error("the first time must not be longer than the second")]
    Descending,
    #[error("a status is a number from 100 to 599")]
    Status,
    #[error("write it like render=4: a name, and a number from 1 to 1024")]
    NamedCount,
    #[error("write it like parse=0.5x or parse=3ms: a name, and a factor above 0 or a time")]
    NamedDemand,
    #[error("it must be a number above 0, at most 1000000")]
    Price,
}

/// The values from `least` to `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DurationRange {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// Parses a time above zero, such as "250ms".
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    let time = pause(text)?;
    if time < SHORTEST { Err(ValueError::TooShort) } else { Ok(time) }
}

/// Parses a time, such as "250ms" or "0s".
pub(super) fn pause(text: &str) -> Result<Duration, ValueError> {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    if text.starts_with('-') {
        return Err(ValueError::Negative);
    }
    if is_number(text) && text.trim() != "0" {
        return Err(ValueError::NoUnit(text.to_owned()));
    }
    let time = humantime::parse_duration(text)?;
    if time > LONGEST { Err(ValueError::TooLong) } else { Ok(time) }
}

/// Parses a number of things of which there must be one.
pub(super) fn count(text: &str) -> Result<usize, ValueError> {
    text.parse().ok().filter(|count| *count > 0).ok_or(ValueError::Count)
}

/// Parses a number of requests, rounds or clients.
pub(super) fn number(text: &str) -> Result<u32, ValueError> {
    text.parse().ok().filter(|count| *count > 0).ok_or(ValueError::Count)
}

/// The arrivals of a load: drawn, or recorded in a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ArrivalsFlag {
    Drawn(Process),
    Recorded(PathBuf),
}

/// Parses the name of an arrival process, or of a file.
pub(super) fn arrivals(text: &str) -> Result<ArrivalsFlag, ValueError> {
    match text.parse() {
        Ok(process) => Ok(ArrivalsFlag::Drawn(process)),
        Err(_) if Path::new(text).exists() => Ok(ArrivalsFlag::Recorded(text.into())),
        Err(_) => Err(ValueError::Arrivals),
    }
}

/// Parses a rate per second, such as "900", "900/s" or "80k".
pub(super) fn rate(text: &str) -> Result<f64, ValueError> {
    match parse_rate(text) {
        Ok(rate) if rate > 0.0 && rate <= MAX_RATE => Ok(rate),
        _ => Err(ValueError::Rate),
    }
}

fn parse_rate(text: &str) -> Result<f64, ParseFloatError> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.strip_suffix('k') {
        Some(thousands) => Ok(thousands.parse::<f64>()? * 1_000.0),
        None => number.parse(),
    }
}

/// Parses a factor above zero.
pub(super) fn factor(text: &str) -> Result<f64, ValueError> {
    match text.parse() {
        Ok(factor) if factor > 0.0 && factor <= MAX_FACTOR => Ok(factor),
        _ => Err(ValueError::Factor),
    }
}

/// Parses a range of times, such as "50ms..1s".
pub(super) fn range(text: &str) -> Result<DurationRange, ValueError> {
    let (least, most) = text.split_once("..").ok_or(ValueError::Range)?;
    let (least, most) = (pause(least)?, pause(most)?);
    if least > most { Err(ValueError::Descending) } else { Ok(DurationRange { least, most }) }
}

/// Parses a status, such as 404.
pub(super) fn status(text: &str) -> Result<u16, ValueError> {
    match text.parse() {
        Ok(status) if (100..600).contains(&status) => Ok(status),
        _ => Err(ValueError::Status),
    }
}

/// A number for a stage or a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedCount {
    pub(super) name: String,
    pub(super) count: usize,
}

/// A demand for a stage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NamedDemand {
    pub(super) name: String,
    pub(super) demand: NewDemand,
}

/// Parses a number for a name, such as "render=4".
pub(super) fn named_count(text: &str) -> Result<NamedCount, ValueError> {
    let (name, count) = text.split_once('=').ok_or(ValueError::NamedCount)?;
    let count = count.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count));
    match count {
        Some(count) if !name.is_empty() => Ok(NamedCount { name: name.to_owned(), count }),
        _ => Err(ValueError::NamedCount),
    }
}

/// Parses a demand for a name, such as "parse=0.5x" or "parse=3ms".
pub(super) fn named_demand(text: &str) -> Result<NamedDemand, ValueError> {
    let (name, demand) = text.split_once('=').ok_or(ValueError::NamedDemand)?;
    let demand = match demand.strip_suffix('x') {
        Some(times) => factor(times).ok().map(NewDemand::Times),
        None => duration(demand).ok().map(NewDemand::Mean),
    };
    match demand {
        Some(demand) if !name.is_empty() => Ok(NamedDemand { name: name.to_owned(), demand }),
        _ => Err(ValueError::NamedDemand),
    }
}

/// Parses a price above zero.
pub(super) fn price(text: &str) -> Result<f64, ValueError> {
    factor(text).map_err(|_| ValueError::Price)
}

/// Returns the multiples in ascending order, each once.
pub(super) fn ascending(multiples: &[f64]) -> Vec<f64> {
    let mut sorted = multiples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    sorted
}

/// Returns the command line of this process, for reports: without passwords.
pub(super) fn command_line() -> String {
    std::env::args().map(|argument| without_secrets(&argument)).collect::<Vec<_>>().join(" ")
}

/// Returns an argument with `***` in place of the credentials of a URL or a header.
fn without_secrets(argument: &str) -> String {
    /// Fields with credentials (RFC 9110, 11.6.2 and 11.7.2; RFC 6265, 4.2).
    const SECRETS: [&str; 3] = ["authorization:", "proxy-authorization:", "cookie:"];

    let lower = argument.to_ascii_lowercase();
    let ends = SECRETS.iter().filter_map(|name| lower.find(name).map(|at| at + name.len()));
    match ends.min().and_then(|end| argument.get(..end)) {
        Some(name) => format!("{name} ***"),
        None => redacted(argument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_may_have_a_unit_and_thousands() {
        assert_eq!(
            [rate("900"), rate("900/s"), rate("80k"), rate("1.5k/s")],
            [Ok(900.0), Ok(900.0), Ok(80_000.0), Ok(1_500.0)]
        );
        for text in ["0", "-1", "NaN", "inf", "1e9", "", "many", "5/m"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_a_limit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(pause("0s"), Ok(Duration::ZERO));
        for text in ["0s", "5", "-1s", "2days", "1ns", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_unit_and_a_negative_time_are_named() {
        assert_eq!(duration("200"), Err(ValueError::NoUnit("200".to_owned())));
        assert_eq!(pause("1.5"), Err(ValueError::NoUnit("1.5".to_owned())));
        assert_eq!(duration("-5s"), Err(ValueError::Negative));
    }

    #[test]
    fn a_command_line_has_no_credentials() {
        for (argument, shown) in [
            ("http://user:secret@h/", "http://***@h/"),
            ("Authorization: Bearer secret", "Authorization: ***"),
            ("--header=cookie: a=secret", "--header=cookie: ***"),
            ("goodput@5x>=0.97", "goodput@5x>=0.97"),
        ] {
            assert_eq!(without_secrets(argument), shown);
        }
    }

    #[test]
    fn arrivals_are_a_process_or_a_file() {
        assert_eq!(arrivals("uniform"), Ok(ArrivalsFlag::Drawn(Process::Uniform)));
        assert_eq!(arrivals("burst"), Err(ValueError::Arrivals));
        assert!(matches!(arrivals("/"), Ok(ArrivalsFlag::Recorded(_))));
    }

    #[test]
    fn a_change_has_a_name_and_a_value() {
        let render = NamedCount { name: "render".to_owned(), count: 4 };
        assert_eq!(named_count("render=4"), Ok(render));
        for text in ["render", "render=zero", "render=0", "render=1025", "=4", "render=4.5"] {
            assert_eq!(named_count(text), Err(ValueError::NamedCount), "{text}");
        }
        let demand = |text| named_demand(text).map(|named| named.demand);
        assert_eq!(demand("parse=0.5x"), Ok(NewDemand::Times(0.5)));
        assert_eq!(demand("parse=3ms"), Ok(NewDemand::Mean(Duration::from_millis(3))));
        for text in ["parse", "parse=half", "parse=0x", "parse=-1x", "=1x", "parse=0.5"] {
            assert_eq!(demand(text), Err(ValueError::NamedDemand), "{text}");
        }
        assert_eq!((price("0.5"), price("0")), (Ok(0.5), Err(ValueError::Price)));
    }

    #[test]
    fn a_range_ascends() {
        let (least, most) = (Duration::from_millis(50), Duration::from_secs(1));
        assert_eq!(range("50ms..1s"), Ok(DurationRange { least, most }));
        assert_eq!(range("1s..50ms"), Err(ValueError::Descending));
        assert_eq!(range("1s"), Err(ValueError::Range));
    }
}
