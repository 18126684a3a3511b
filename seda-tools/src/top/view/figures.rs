//! Figures in few characters.

use crate::report::units;

/// Returns a rate or a count: "895", "12.3k".
pub(super) fn count(value: f64) -> String {
    // The sum of no figures is -0.
    units::short_count(value + 0.0)
}

/// Returns a count or "-" if it is unknown.
pub(super) fn count_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), count)
}

/// Returns a time without a space: "12.3ms"; "-" if it is unknown.
pub(super) fn time(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(seconds) => units::short_seconds(seconds).replace(' ', ""),
    }
}

/// Returns a share of 1 in whole percent: "97%".
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// Returns how long something has lasted: "42s", "3m05s", "2h07m", "5d03h".
pub(super) fn lasting(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3_600, whole / 86_400);
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{minutes}m{:02}s", whole % 60),
        3_600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let times = [None, Some(0.0), Some(8e-7), Some(0.01234), Some(59.96)].map(time);
        assert_eq!(times, ["-", "0", "0.8µs", "12.3ms", "60s"]);
        let lasted = [0.9, 59.0, 185.0, 7_650.0, 442_800.0].map(lasting);
        assert_eq!(lasted, ["0s", "59s", "3m05s", "2h07m", "5d03h"]);
        let none: f64 = [].iter().sum();
        assert_eq!((count(none), count(12_345.0)), ("0".to_owned(), "12.3k".to_owned()));
        assert_eq!((percent(0.974), percent(1.0)), ("97%".to_owned(), "100%".to_owned()));
    }
}
