//! The Date field: the wall clock, read once a second.

use seda_core::Time;
use std::time::{Duration, SystemTime};

/// The resolution of the field (RFC 9110 §5.6.7).
const RESOLUTION: Duration = Duration::from_secs(1);

/// The current date as text. Beside it only the room `files` reads the wall clock.
#[derive(Debug)]
pub(super) struct Date {
    text: [u8; 29],
    read_at: Option<Time>,
}

impl Date {
    pub(super) fn new() -> Self {
        Self { text: [b' '; 29], read_at: None }
    }

    /// Returns the date as an IMF-fixdate, at most one second old.
    pub(super) fn at(&mut self, now: Time) -> &[u8; 29] {
        if self.read_at.is_none_or(|read_at| now.since(read_at) >= RESOLUTION) {
            self.read_at = Some(now);
            self.read();
        }
        &self.text
    }

    #[expect(clippy::disallowed_methods, reason = "the Date field has the wall clock's time")]
    fn read(&mut self) {
        let text = httpdate::fmt_http_date(SystemTime::now());
        match text.as_bytes().try_into() {
            Ok(text) => self.text = text,
            Err(_) => debug_assert!(false, "an IMF-fixdate has 29 bytes: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_an_imf_fixdate_and_is_kept_for_a_second() {
        let mut date = Date::new();
        let first = *date.at(Time::ZERO);
        assert!(first.ends_with(b" GMT") && first[3] == b',');
        date.text = [b'x'; 29];
        assert_eq!(*date.at(Time::from_nanos(999_999_999)), [b'x'; 29]);
        assert_ne!(*date.at(Time::from_nanos(1_000_000_000)), [b'x'; 29]);
    }
}
