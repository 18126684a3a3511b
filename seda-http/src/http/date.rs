//! The Date field: the wall clock, read once a second.

use seda_core::Time;
use std::time::{Duration, SystemTime};

/// The field has a resolution of a second (RFC 9110 §5.6.7).
const RESOLUTION: Duration = Duration::from_secs(1);

/// The date as answers tell it, kept for a second. The one room that reads the wall clock.
#[derive(Debug)]
pub(crate) struct Date {
    text: [u8; 29],
    read_at: Option<Time>,
}

impl Date {
    pub(crate) fn new() -> Self {
        Self { text: [b' '; 29], read_at: None }
    }

    /// The date, as an IMF-fixdate; at most a second behind.
    pub(crate) fn at(&mut self, now: Time) -> &[u8; 29] {
        if self.read_at.is_none_or(|read_at| now.since(read_at) >= RESOLUTION) {
            self.read_at = Some(now);
            self.read();
        }
        &self.text
    }

    #[expect(clippy::disallowed_methods, reason = "the Date field tells the wall clock")]
    fn read(&mut self) {
        let text = httpdate::fmt_http_date(SystemTime::now());
        if let Ok(text) = text.as_bytes().try_into() {
            self.text = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_imf_fixdate_and_kept_for_a_second() {
        let mut date = Date::new();
        let first = *date.at(Time::ZERO);
        assert!(first.ends_with(b" GMT") && first[3] == b',');
        date.text = [b'x'; 29];
        assert_eq!(*date.at(Time::from_nanos(999_999_999)), [b'x'; 29]);
        assert_ne!(*date.at(Time::from_nanos(1_000_000_000)), [b'x'; 29]);
    }
}
