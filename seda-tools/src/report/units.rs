//! Figures as people read them: three digits and a unit.

/// A time in seconds as "12.3 ms".
pub fn seconds(value: f64) -> String {
    let (scaled, unit) = match value {
        value if value >= 1.0 => (value, "s"),
        value if value >= 1e-3 => (value * 1e3, "ms"),
        value => (value * 1e6, "us"),
    };
    format!("{} {unit}", three_digits(scaled))
}

/// A rate as "895/s".
pub fn rate(per_second: f64) -> String {
    if per_second >= 1_000.0 {
        format!("{per_second:.0}/s")
    } else {
        format!("{}/s", three_digits(per_second))
    }
}

/// A share of a whole as "12.3 %"; "-" of nothing. What is not nothing is not shown as 0.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    match part as f64 / whole as f64 * 100.0 {
        share if share > 0.0 && share < 0.05 => "<0.1 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(seconds(0.012_345), "12.3 ms");
        assert_eq!(seconds(0.2), "200 ms");
        assert_eq!(seconds(1.5), "1.50 s");
        assert_eq!(seconds(0.000_045), "45.0 us");
        assert_eq!(
            (rate(895.2), rate(81_234.0), rate(0.0)),
            ("895/s".into(), "81234/s".into(), "0.00/s".into())
        );
    }

    #[test]
    fn a_small_share_is_not_shown_as_none() {
        assert_eq!(
            (percent(1, 100_000), percent(0, 10), percent(0, 0)),
            ("<0.1 %".into(), "0.0 %".into(), "-".into())
        );
    }
}
