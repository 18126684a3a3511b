//! The rate of arrivals over the time of a run.

use seda_sim::spec::Part;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// The highest rate of a part, per second: with 100 ns between arrivals, the work of the generator
/// for one request takes longer than the gap.
pub const MAX_RATE: f64 = 10_000_000.0;

/// The longest profile: 100 days. Times are computed in `f64`, which represents every whole
/// nanosecond up to 2⁵³, or 104 days.
pub const LONGEST_PROFILE: Duration = Duration::from_secs(100 * DAY);

/// Seconds in a day.
const DAY: u64 = 24 * 60 * 60;

/// The rate of arrivals over the time of a run, constant in each part: written
/// `900/s:5s,1400/s:10s,900/s:5s`. Rates are decimal numbers per second; durations are written like
/// `1m 30s` or `250ms`. A part of rate 0 is a pause; at least one part must have a rate above 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    parts: Vec<Part>,
}

impl Profile {
    /// Makes a profile of consecutive parts.
    ///
    /// # Errors
    ///
    /// Fails if there is no part, if the rate of one is not from 0 to [`MAX_RATE`], if one has no
    /// length, if all together are longer than [`LONGEST_PROFILE`], and if each is a pause.
    pub fn new(parts: Vec<Part>) -> Result<Self, ProfileError> {
        let mut total = Duration::ZERO;
        for (index, part) in parts.iter().enumerate() {
            check(part, index + 1)?;
            total = total.saturating_add(part.duration);
        }
        if parts.is_empty() {
            return Err(ProfileError::Empty);
        }
        if total > LONGEST_PROFILE {
            return Err(ProfileError::TooLong { total });
        }
        if parts.iter().all(|part| part.rate == 0.0) {
            return Err(ProfileError::Silent);
        }
        Ok(Self { parts })
    }

    /// Makes a profile of one part.
    ///
    /// # Errors
    ///
    /// Fails as [`Profile::new`]: the rate must be above 0.
    pub fn constant(rate: f64, duration: Duration) -> Result<Self, ProfileError> {
        Self::new(vec![Part { rate, duration }])
    }

    /// Returns the parts in order: at least one.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the length of all parts together.
    pub fn total(&self) -> Duration {
        self.parts.iter().map(|part| part.duration).sum()
    }
}

/// Checks the bounds of part number `number`.
fn check(part: &Part, number: usize) -> Result<(), ProfileError> {
    // A negative zero would be displayed as `-0/s`.
    if part.rate.is_sign_negative() || !(0.0..=MAX_RATE).contains(&part.rate) {
        return Err(ProfileError::Rate { number, rate: part.rate });
    }
    if part.duration.is_zero() {
        return Err(ProfileError::Duration { number });
    }
    Ok(())
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{part}")?;
        }
        Ok(())
    }
}

/// Why a text or a list of parts is not a profile.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// There is no part.
    #[error(
        "the profile is empty: write RATE/s:DURATION, several separated by commas, such as \
         `900/s:5s,1400/s:10s`"
    )]
    Empty,
    /// A part is not written as RATE/s:DURATION.
    #[error(
        "part {number} of the profile, `{found}`, is not RATE/s:DURATION: write a number per \
         second and a time with its unit, such as `900/s:5s`"
    )]
    Shape {
        /// The number of the part, from 1.
        number: usize,
        /// The part as it was written.
        found: String,
    },
    /// A rate is out of its bounds.
    #[error(
        "part {number} of the profile has the rate {rate}/s; allowed: rates above 0 up to \
         {MAX_RATE}/s, and 0 for a pause between others"
    )]
    Rate {
        /// The number of the part, from 1.
        number: usize,
        /// The rate per second.
        rate: f64,
    },
    /// A part has no length.
    #[error("part {number} of the profile lasts 0s: give it a duration, or leave it out")]
    Duration {
        /// The number of the part, from 1.
        number: usize,
    },
    /// The parts together are too long.
    #[error(
        "the profile lasts {}; allowed: {} days in all",
        humantime::format_duration(*total),
        LONGEST_PROFILE.as_secs() / DAY
    )]
    TooLong {
        /// The length of all parts.
        total: Duration,
    },
    /// Every part is a pause.
    #[error("the profile has no arrivals, only rates of 0/s: give one part a rate above 0")]
    Silent,
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(ProfileError::Empty);
        }
        let mut parts = Vec::new();
        for (number, found) in (1..).zip(text.split(',').map(str::trim)) {
            let part = found.parse();
            parts.push(part.map_err(|_| ProfileError::Shape { number, found: found.to_owned() })?);
        }
        Self::new(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(rate: f64, seconds: u64) -> Part {
        Part { rate, duration: Duration::from_secs(seconds) }
    }

    fn error(text: &str) -> String {
        text.parse::<Profile>().unwrap_err().to_string()
    }

    #[test]
    fn a_profile_is_parsed_from_text() {
        let profile: Profile = "900/s:5s, 0/s:2s,1400.5/s:1m 30s".parse().unwrap();
        assert_eq!(profile.parts(), [part(900.0, 5), part(0.0, 2), part(1400.5, 90)]);
        assert_eq!(profile.total(), Duration::from_secs(97));
        assert_eq!(Profile::constant(7.0, Duration::from_secs(3)), "7/s:3s".parse());
    }

    #[test]
    fn an_error_names_the_part_and_what_is_allowed() {
        assert!(error("").contains("write RATE/s:DURATION"));
        assert!(error("900/s:5s,900:5s").contains("part 2 of the profile, `900:5s`"));
        assert!(error("900/s:5s,").contains("part 2 of the profile, ``"));
        assert!(error("fast/s:5s").contains("part 1 of the profile, `fast/s:5s`"));
        assert!(error("900/s:5").contains("a time with its unit"));
        assert!(error("1/s:1s,-1/s:5s").contains("part 2 of the profile has the rate -1/s"));
        assert!(error("-0/s:5s,1/s:1s").contains("the rate -0/s"));
        assert!(error("inf/s:5s").contains("the rate inf/s"));
        assert!(error("NaN/s:5s").contains("up to 10000000/s"));
        assert!(error("10000001/s:5s").contains("the rate 10000001/s"));
        assert!(error("1/s:0s").contains("part 1 of the profile lasts 0s"));
        assert!(error("1/s:0").contains("part 1 of the profile lasts 0s"));
        assert!(error("1/s:60days,1/s:60days").contains("allowed: 100 days"));
        assert!(error("0/s:5s,0/s:1s").contains("only rates of 0/s"));
        assert_eq!(Profile::new(Vec::new()), Err(ProfileError::Empty));
        assert_eq!(Profile::constant(0.0, Duration::from_secs(1)), Err(ProfileError::Silent));
    }

    proptest! {
        #[test]
        fn a_profile_round_trips(
            parts in prop::collection::vec((0.0..=MAX_RATE, 1u64..1_000_000_000_000_000), 1..8)
        ) {
            let mut parts: Vec<Part> = parts
                .into_iter()
                .map(|(rate, nanos)| Part { rate, duration: Duration::from_nanos(nanos) })
                .collect();
            parts.push(part(1e-7, 1));
            let profile = Profile::new(parts).unwrap();
            prop_assert_eq!(profile.to_string().parse(), Ok(profile));
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in ".*") {
            let _ = text.parse::<Profile>();
        }
    }
}
