//! Numbers with their units. `web/shared/units.js` writes the same numbers in the same way, because
//! the live page updates what stands in the drawing.

/// Returns a number with three digits at most: 12345 is "12.3k".
pub(super) fn count(value: f64) -> String {
    let rounded = three_digits(value);
    for (size, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if rounded.abs() >= size {
            return format!("{}{letter}", three_digits(rounded / size));
        }
    }
    rounded.to_string()
}

/// Returns a rate: 12345 is "12.3k/s".
pub(super) fn rate(per_second: f64) -> String {
    format!("{}/s", count(per_second))
}

/// Returns a share of 1: 0.968 is "97 %". A share below all is never "100 %".
pub(super) fn percent(share: f64) -> String {
    let hundredths = share * 100.0;
    let text = if hundredths != 0.0 && hundredths < 1.0 {
        one_digit(hundredths)
    } else {
        format!("{hundredths:.0}")
    };
    let text = if text == "100" && share < 1.0 { format!("{hundredths:.1}") } else { text };
    format!("{text}\u{a0}%")
}

/// Returns a number rounded to three significant digits; 0 if it is not finite.
fn three_digits(value: f64) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return 0.0;
    }
    format!("{value:.2e}").parse().unwrap_or(0.0)
}

fn one_digit(value: f64) -> String {
    format!("{value:.0e}").parse::<f64>().unwrap_or(0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_three_digits_and_its_unit() {
        let counts = [0.0, 7.0, 0.12345, 12.345, 999.4, 999.6, 12_345.0, 1e6, 2_346e6, f64::NAN];
        let texts = ["0", "7", "0.123", "12.3", "999", "1k", "12.3k", "1M", "2.35G", "0"];
        assert_eq!(counts.map(count), texts);
        assert_eq!(rate(80.0), "80/s");
        let shares = [0.0, 0.004, 0.968, 0.9999, 1.0, 2.5];
        let texts =
            ["0\u{a0}%", "0.4\u{a0}%", "97\u{a0}%", "100.0\u{a0}%", "100\u{a0}%", "250\u{a0}%"];
        assert_eq!(shares.map(percent), texts);
    }
}
