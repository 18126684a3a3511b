//! Values of flags: durations, rates, lists, and files.

use super::Failed;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The shortest and the longest time that a flag takes: less cannot be kept, more is a slip.
const SHORTEST: Duration = Duration::from_micros(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A time like "250ms", above zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = pause(text)?;
    if time < SHORTEST {
        return Err("it is too short; 1us is the least".to_owned());
    }
    Ok(time)
}

/// A time like "250ms", or "0s".
pub(super) fn pause(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write it like 250ms or 10s"))?;
    if time > LONGEST {
        return Err("it is too long; a day is the most".to_owned());
    }
    Ok(time)
}

/// A rate like "900", "900/s" or "80k".
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let figure = text.strip_suffix("/s").unwrap_or(text);
    let (figure, unit) = match figure.strip_suffix('k') {
        Some(thousands) => (thousands, 1_000.0),
        None => (figure, 1.0),
    };
    let rate = figure.parse::<f64>().map(|rate| rate * unit).ok();
    // Ten million a second is beyond what any one machine sends.
    rate.filter(|rate| *rate > 0.0 && *rate <= 1e7)
        .ok_or_else(|| "it must be above 0 and at most 10000k, like 900/s or 80k".to_owned())
}

/// A factor above zero.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| *factor > 0.0 && *factor <= 1e6);
    factor.ok_or_else(|| "it must be a number above 0".to_owned())
}

/// A range of times like "50ms..1s".
pub(super) fn range(text: &str) -> Result<(Duration, Duration), String> {
    let (least, most) = text.split_once("..").ok_or("write it like 50ms..1s")?;
    let (least, most) = (pause(least)?, pause(most)?);
    if least > most {
        return Err("the first time must not be longer than the second".to_owned());
    }
    Ok((least, most))
}

/// A status like 404.
pub(super) fn status(text: &str) -> Result<u16, String> {
    let status = text.parse().ok().filter(|status| (100..600).contains(status));
    status.ok_or_else(|| "a status is a number from 100 to 599".to_owned())
}

/// Reads a whole file that a flag names.
pub(super) fn read(flag: &str, file: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(file).map_err(|error| cannot(flag, file, &error, "name a readable file"))
}

/// Writes a file that a flag names.
pub(super) fn write(flag: &str, file: &Path, content: &str) -> Result<(), Failed> {
    fs::write(file, content)
        .map_err(|error| cannot(flag, file, &error, "name a file that can be written"))
}

/// Finds out early that a file could not be written: after an hour of load it would be too late.
/// What is there already stays until there is something to put in its place.
pub(super) fn check_writable(flag: &str, file: &Path) -> Result<(), Failed> {
    let opened = fs::OpenOptions::new().append(true).create(true).open(file);
    opened.map(drop).map_err(|error| cannot(flag, file, &error, "name a file that can be written"))
}

fn cannot(flag: &str, file: &Path, error: &std::io::Error, remedy: &str) -> Failed {
    Failed::new(format_args!("{flag} {}: {error}; {remedy}", file.display()))
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
    fn a_range_ascends() {
        assert_eq!(range("50ms..1s"), Ok((Duration::from_millis(50), Duration::from_secs(1))));
        assert!(range("1s..50ms").is_err() && range("1s").is_err());
    }
}
