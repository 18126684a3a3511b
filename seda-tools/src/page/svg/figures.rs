//! Figures and names as a drawing shows them.

/// Longer names are cut: beside a line there is no room for a sentence.
const NAME_LENGTH: usize = 40;

/// 12345 as "12.3k".
pub(super) fn count(value: f64) -> String {
    let (scaled, letter) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, "M"),
        size if size >= 999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{letter}", digits(scaled))
}

/// 0.022 as "22 ms".
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 0.9995 => format!("{} s", digits(seconds)),
        _ if seconds >= 0.000_999_5 => format!("{} ms", digits(seconds * 1e3)),
        _ => format!("{} µs", digits(seconds * 1e6)),
    }
}

/// 0.97 as "97 %".
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// 1.5 as "1.5×".
pub(super) fn multiple(value: f64) -> String {
    format!("{}×", digits(value))
}

/// What XML can hold of a text: it has no way to write most control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// A name that fits beside a line.
pub(super) fn short_name(name: &str) -> String {
    let printable = printable(name);
    let mut letters = printable.chars();
    let mut short: String = letters.by_ref().take(NAME_LENGTH).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

/// Three significant digits, without zeros at the end.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit_say_enough() {
        assert_eq!(
            ["0", "950", "12.3k", "5k", "1M"],
            [0.0, 950.0, 12_345.0, 5000.0, 999_900.0].map(count).each_ref().map(String::as_str)
        );
        assert_eq!(
            ["80 µs", "22 ms", "1 s", "2.5 s"],
            [80e-6, 0.022, 0.9999, 2.5].map(duration).each_ref().map(String::as_str)
        );
        assert_eq!((percent(0.968), multiple(1.5)), ("97 %".to_owned(), "1.5×".to_owned()));
    }

    #[test]
    fn a_name_fits_and_holds_nothing_that_xml_cannot() {
        assert_eq!(short_name("se\u{0}d\na"), "seda");
        assert_eq!(short_name(&"x".repeat(NAME_LENGTH)).chars().count(), NAME_LENGTH);
        assert!(short_name(&"x".repeat(NAME_LENGTH + 1)).ends_with("x…"));
    }
}
