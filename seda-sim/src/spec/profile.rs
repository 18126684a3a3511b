//! Profiles: rates over time, as text and as stretches of a run.

use crate::base::time::nanos;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// A part of a profile: a rate, and how long it holds. Written `RATE/s:DURATION`.
///
/// ```
/// use seda_sim::spec::Part;
/// use std::time::Duration;
///
/// let part: Part = "900/s:1m 30s".parse()?;
/// assert_eq!(part, Part { rate: 900.0, duration: Duration::from_secs(90) });
/// assert_eq!(part.to_string(), "900/s:1m 30s");
/// # Ok::<(), seda_sim::spec::ProfileError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Arrivals per second. Reading sets no bounds; `Spec::check` does.
    pub rate: f64,
    /// How long the rate holds.
    pub duration: Duration,
}

/// The error of a part that is not written as `RATE/s:DURATION`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "part {number} of the profile, `{found}`, is not RATE/s:DURATION: write a number per second \
     and a time with its unit, such as `900/s:5s`"
)]
#[non_exhaustive]
pub struct ProfileError {
    /// The number of the part in its profile, from 1.
    pub number: usize,
    /// The text of the part.
    pub found: String,
}

/// Reads a profile: parts, separated by commas. Returns them as stretches of a run, one after the
/// other from 0 on. Rates and durations are not checked against any bounds.
///
/// ```
/// use seda_sim::spec::{Stretch, parse_profile};
///
/// let stretches = parse_profile("900/s:5s, 1400/s:10s")?;
/// assert_eq!(stretches[1], Stretch { until: 15_000_000_000, rate: 1400.0 });
/// let error = parse_profile("900/s:5s,fast").unwrap_err();
/// assert_eq!((error.number, error.found.as_str()), (2, "fast"));
/// # Ok::<(), seda_sim::spec::ProfileError>(())
/// ```
///
/// # Errors
/// The first part that is not `RATE/s:DURATION`. An empty text is one empty part.
pub fn parse_profile(text: &str) -> Result<Vec<Stretch>, ProfileError> {
    let mut stretches = Vec::new();
    let mut until = 0_u64;
    for (number, found) in (1..).zip(text.split(',').map(str::trim)) {
        let part =
            read_part(found).ok_or_else(|| ProfileError { number, found: found.to_owned() })?;
        until = until.saturating_add(nanos(part.duration));
        stretches.push(Stretch { until, rate: part.rate });
    }
    Ok(stretches)
}

/// Reads one part; `None` if the text is none.
fn read_part(text: &str) -> Option<Part> {
    let (rate, duration) = text.split_once("/s:")?;
    let rate = rate.trim().parse().ok()?;
    let duration = humantime::parse_duration(duration.trim()).ok()?;
    Some(Part { rate, duration })
}

impl FromStr for Part {
    type Err = ProfileError;

    /// Reads one part; an error calls it part 1.
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let text = text.trim();
        read_part(text).ok_or_else(|| ProfileError { number: 1, found: text.to_owned() })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s:{}", self.rate, humantime::format_duration(self.duration))
    }
}

/// A stretch of a run during which the rate is constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The end of the stretch, in nanoseconds since the beginning of the run. It begins where the
    /// stretch before it ends.
    pub until: u64,
    /// Arrivals per second.
    pub rate: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_back_as_it_is_written() {
        for text in ["900/s:5s", "0/s:1m 30s", "0.25/s:1day"] {
            let part: Part = text.parse().unwrap();
            assert_eq!(part.to_string(), text);
        }
    }

    #[test]
    fn each_stretch_ends_where_the_next_one_begins() {
        let stretches = parse_profile("900/s:5s, 0/s:1m 30s").unwrap();
        let ends: Vec<u64> = stretches.iter().map(|stretch| stretch.until).collect();
        assert_eq!(ends, [5_000_000_000, 95_000_000_000]);
    }

    #[test]
    fn a_part_that_cannot_be_read_is_named_with_its_number() {
        for (text, number, found) in [
            ("", 1, ""),
            ("900/s:5s,900:5s", 2, "900:5s"),
            ("1/s:1s, fast/s:5s", 2, "fast/s:5s"),
            ("900/s:5", 1, "900/s:5"),
        ] {
            let expected = ProfileError { number, found: found.to_owned() };
            assert_eq!(parse_profile(text), Err(expected), "{text}");
        }
    }
}
