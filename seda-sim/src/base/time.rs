//! Durations as the simulation counts them: nanoseconds in a `u64`, at most 584 years.

use std::time::Duration;

/// Returns a duration in nanoseconds; `u64::MAX` if it is longer than 584 years.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns a duration as a spec writes it: a whole number of the largest unit that divides it.
pub(crate) fn describe(time: Duration) -> String {
    const UNITS: [(&str, u128); 6] = [
        ("days", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ];
    let nanos = time.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None => format!("{nanos}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_duration_reads_back_as_the_same_duration() {
        for text in ["0s", "1ns", "1500us", "90s", "100days", "18446744073709551615s"] {
            let time = humantime::parse_duration(text).unwrap();
            assert_eq!(describe(time), text);
        }
    }

    #[test]
    fn a_duration_beyond_the_range_is_the_longest_one() {
        assert_eq!(nanos(Duration::MAX), u64::MAX);
    }
}
