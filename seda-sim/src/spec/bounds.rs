//! The ranges of a spec's values, and the checks against them.

use super::error::SpecError;
use crate::base::time::describe;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest time of a run. Times are computed in `f64`, which holds every whole nanosecond up to
/// 104 days.
pub(super) const LONGEST: Duration = Duration::from_secs(100 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest length. A shorter one is a slip, because no machine's clock is finer.
pub(super) const SHORTEST: Duration = Duration::from_micros(1);

/// Range of moments, from the beginning of the run.
pub(super) const TIME: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;
/// Range of lengths.
pub(super) const LENGTH: RangeInclusive<Duration> = SHORTEST..=LONGEST;
/// Range of the timeouts and thinking times of clients.
pub(super) const TIMEOUT: RangeInclusive<Duration> = SHORTEST..=DAY;
/// Range of the pauses before a retry.
pub(super) const PAUSE: RangeInclusive<Duration> = Duration::ZERO..=DAY;
/// Range of an SLO, as the graph has it ([`seda_core::SloConfig`]).
pub(super) const SLO: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(600);
/// Range of the core time of a refusal.
pub(super) const REFUSAL: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(1);
/// Range of the service demand of one event.
pub(super) const SERVICE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

/// The highest rate, per second. At a higher one, seconds of virtual time take minutes to simulate.
pub(super) const MAX_RATE: f64 = 1e7;

/// Checks that a duration is within `range`.
pub(super) fn check_duration(
    key: impl Into<String>,
    value: Duration,
    range: RangeInclusive<Duration>,
) -> Result<(), SpecError> {
    if range.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{} to {}", describe(*range.start()), describe(*range.end()));
    Err(SpecError::value(key, describe(value), allowed))
}

/// Checks that a number is from 0 to `most`.
pub(super) fn check_share(key: impl Into<String>, value: f64, most: f64) -> Result<(), SpecError> {
    if (0.0..=most).contains(&value) {
        return Ok(());
    }
    Err(SpecError::value(key, value, format!("0 to {most}")))
}

/// Checks that a rate per second is from 0 to [`MAX_RATE`].
pub(super) fn check_rate(key: impl Into<String>, rate: f64) -> Result<(), SpecError> {
    if (0.0..=MAX_RATE).contains(&rate) {
        return Ok(());
    }
    Err(SpecError::value(key, rate, "0 to 10000000 per second"))
}

/// Checks that every service demand, in seconds, is within [`SERVICE`].
pub(super) fn check_seconds(key: &str, seconds: &[f64]) -> Result<(), SpecError> {
    match seconds.iter().find(|s| !(0.0..=SERVICE.end().as_secs_f64()).contains(*s)) {
        Some(outside) => Err(SpecError::value(key, outside, "0 to 3600 seconds each")),
        None => Ok(()),
    }
}

/// Checks that each thing of one kind has a name of its own.
pub(super) fn check_names(kind: &str, names: &[&str]) -> Result<(), SpecError> {
    let key = format!("{kind}.name");
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(SpecError::value(key, "empty", "a name"));
        }
        if names.iter().take(index).any(|other| other == name) {
            return Err(SpecError::value(key, format!("{name} twice"), "each name once"));
        }
    }
    Ok(())
}

/// Returns the remedy of an unknown name.
pub(super) fn one_of<N: AsRef<str>>(known: &[N]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    format!("one of {}", known.join(", "))
}
