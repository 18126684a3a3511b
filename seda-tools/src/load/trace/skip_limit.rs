//! The share of malformed lines that a reader skips.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The largest share of malformed lines with which a file is read: written `1%`.
///
/// Logs in the wild have some: a line without its end where the file was copied, a request with a
/// stray quotation mark. The logs of NASA's web server of 1995 have 44 in 3.4 million. With more
/// than one in a hundred, the file has most likely another format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkipLimit(f64);

/// The text is not a share.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a share: write per cent from 0% to 100%, such as 1%")]
#[non_exhaustive]
pub struct SkipLimitError(String);

impl SkipLimit {
    /// Returns true if `malformed` of `lines` may be skipped.
    pub fn allows(self, malformed: u64, lines: u64) -> bool {
        malformed as f64 <= self.0 * lines as f64
    }
}

impl Default for SkipLimit {
    /// One in a hundred.
    fn default() -> Self {
        Self(0.01)
    }
}

impl FromStr for SkipLimit {
    type Err = SkipLimitError;

    fn from_str(text: &str) -> Result<Self, SkipLimitError> {
        let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        match number {
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent / 100.0)),
            _ => Err(SkipLimitError(text.to_owned())),
        }
    }
}

impl fmt::Display for SkipLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded, because 0.07 x 100 is 7.000000000000001.
        write!(formatter, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_per_cent() {
        for (text, shown) in [("1%", "1%"), ("0.5 %", "0.5%"), ("100%", "100%"), ("7%", "7%")] {
            assert_eq!(text.parse::<SkipLimit>().unwrap().to_string(), shown);
        }
        for text in ["", "1", "%", "-1%", "101%", "NaN%", "0.01"] {
            assert!(text.parse::<SkipLimit>().is_err(), "{text}");
        }
        let limit = SkipLimit::default();
        assert!(limit.allows(1, 100) && limit.allows(0, 0) && !limit.allows(2, 199));
    }
}
