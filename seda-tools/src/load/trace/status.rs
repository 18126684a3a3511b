//! The status and the size of an answer in a log.

use super::fault::LineFault;
use std::str::FromStr;

/// Parses a status; `None` for `-`, and for `000`, which nginx writes if a client got no answer.
pub(super) fn read(field: &[u8]) -> Result<Option<u16>, LineFault> {
    if matches!(field, b"-" | b"000") {
        return Ok(None);
    }
    match number(field) {
        Some(status) if (100..=999).contains(&status) => Ok(Some(status)),
        _ => Err(LineFault::value("status", field, "a number from 100 to 999, or `-`")),
    }
}

/// Parses a size in bytes; `None` for `-`, which means 0 in some servers and unknown in others.
pub(super) fn read_bytes(field: &[u8]) -> Result<Option<u64>, LineFault> {
    if field == b"-" {
        return Ok(None);
    }
    match number(field) {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(LineFault::value("bytes", field, "a whole number of bytes, or `-`")),
    }
}

fn number<N: FromStr>(field: &[u8]) -> Option<N> {
    let has_digits_only = field.iter().all(u8::is_ascii_digit);
    if has_digits_only { str::from_utf8(field).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_unknown_and_an_error_names_the_value() {
        assert_eq!(read(b"404"), Ok(Some(404)));
        assert_eq!((read(b"-"), read(b"000")), (Ok(None), Ok(None)));
        assert_eq!(read_bytes(b"18446744073709551615"), Ok(Some(u64::MAX)));
        assert_eq!((read_bytes(b"0"), read_bytes(b"-")), (Ok(Some(0)), Ok(None)));
        for bad in ["", "99", "1000", "+20", "2.0", "OK"] {
            let fault = read(bad.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(&format!("status is `{bad}`; allowed:")), "{fault}");
        }
        for bad in ["", "-1", "+1", "1k", "18446744073709551616"] {
            let fault = read_bytes(bad.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(&format!("bytes is `{bad}`; allowed:")), "{fault}");
        }
    }
}
