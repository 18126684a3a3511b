//! Numbers with their units, as text for people.

/// Returns a time with three digits: "12.3 ms", "1.50 s".
pub fn seconds(value: f64) -> String {
    let (scaled, unit) = scaled_time(value);
    format!("{} {unit}", three_digits(scaled))
}

/// Returns a time as [`seconds`] does, or "-" if there is none.
pub fn seconds_or_dash(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), seconds)
}

/// Returns a time without trailing zeros, for an axis: "22 ms", "1.5 s", "80 µs".
pub fn short_seconds(value: f64) -> String {
    let (scaled, unit) = scaled_time(value);
    format!("{} {}", short(scaled), unit.replace('u', "µ"))
}

/// Returns a rate: "895/s"; "-" if it is unknown.
pub fn rate(per_second: f64) -> String {
    if per_second.is_nan() {
        return "-".to_owned();
    }
    if per_second >= 1_000.0 {
        format!("{per_second:.0}/s")
    } else {
        format!("{}/s", three_digits(per_second))
    }
}

/// Returns a count without trailing zeros, for an axis: 12345 is "12.3k".
pub fn short_count(value: f64) -> String {
    let (scaled, letter) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, "M"),
        size if size >= 999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{letter}", short(scaled))
}

/// Returns a factor without trailing zeros, for an axis: "1.5×".
pub fn multiple(value: f64) -> String {
    format!("{}×", short(value))
}

/// Returns `part` of `whole` as [`share`] does; "-" if `whole` is 0.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { share(part as f64 / whole as f64) }
}

/// Returns a share of 1 in percent with one decimal: "12.3 %". A positive share is never "0.0 %".
pub fn share(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// Returns a share of 1 in whole percent: "97 %".
pub fn whole_percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Returns a share of 1 in percent without trailing zeros: "5 %", "2.5 %".
pub fn short_percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// Returns a number with its noun: "1 core", "2 cores".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A time in the largest unit that leaves no zero before the point. The bounds are where three
/// digits would be rounded to 1,000.
fn scaled_time(seconds: f64) -> (f64, &'static str) {
    match seconds {
        value if value >= 0.9995 => (value, "s"),
        value if value >= 0.000_999_5 => (value * 1e3, "ms"),
        value => (value * 1e6, "us"),
    }
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Three digits without trailing zeros.
fn short(value: f64) -> String {
    let text = three_digits(value);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_three_digits_and_a_unit() {
        assert_eq!(seconds(0.012_345), "12.3 ms");
        assert_eq!(seconds(0.2), "200 ms");
        assert_eq!(seconds(1.5), "1.50 s");
        assert_eq!(seconds(0.000_045), "45.0 us");
        assert_eq!(seconds(0.9999), "1.00 s");
        assert_eq!(
            (seconds_or_dash(Some(1.5)), seconds_or_dash(None)),
            ("1.50 s".into(), "-".into())
        );
        assert_eq!(
            (rate(895.2), rate(81_234.0), rate(0.0)),
            ("895/s".into(), "81234/s".into(), "0.00/s".into())
        );
        assert_eq!(rate(f64::NAN), "-");
    }

    #[test]
    fn an_axis_has_no_trailing_zeros() {
        assert_eq!(
            ["0", "950", "12.3k", "5k", "1M"],
            [0.0, 950.0, 12_345.0, 5000.0, 999_900.0]
                .map(short_count)
                .each_ref()
                .map(String::as_str)
        );
        assert_eq!(
            ["80 µs", "22 ms", "1 s", "2.5 s"],
            [80e-6, 0.022, 0.9999, 2.5].map(short_seconds).each_ref().map(String::as_str)
        );
        assert_eq!((whole_percent(0.968), multiple(1.5)), ("97 %".to_owned(), "1.5×".to_owned()));
    }

    #[test]
    fn a_small_share_is_not_shown_as_none() {
        assert_eq!(
            (percent(1, 100_000), percent(0, 10), percent(0, 0)),
            ("<0.1 %".into(), "0.0 %".into(), "-".into())
        );
    }

    #[test]
    fn one_of_a_noun_is_singular() {
        assert_eq!((counted(1, "core"), counted(2, "core")), ("1 core".into(), "2 cores".into()));
    }
}
