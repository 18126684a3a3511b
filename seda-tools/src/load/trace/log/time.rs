//! The time in a line of a log: `10/Oct/2000:13:55:36 -0700`.

/// The months, with their days in a year that is not a leap year.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// Returns seconds since 1970, in UTC; `None` if the text is not a time since then.
pub(super) fn read(text: &[u8]) -> Option<u64> {
    let (time, zone) = str::from_utf8(text).ok()?.split_once(' ')?;
    let fields: Vec<&str> = time.split(['/', ':']).collect();
    let [day, month, year, hour, minute, second] = fields.as_slice() else { return None };
    let (day, year) = (digits(day, 2)?, digits(year, 4)?);
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    // The second 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day)?;
    let local = i64::try_from(((days * 24 + hour) * 60 + minute) * 60 + second).ok()?;
    u64::try_from(local - offset(zone)?).ok()
}

/// Returns the days since the first of January 1970; `None` for a day that does not exist.
fn days(year: u64, month: &str, day: u64) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut before = 0;
    for (name, days) in MONTHS {
        let days = if leap && name == "Feb" { days + 1 } else { days };
        if name == month {
            let in_month = (1..=days).contains(&day).then(|| day - 1)?;
            return Some(year.checked_sub(1970)? * 365 + leap_days(year) + before + in_month);
        }
        before += days;
    }
    None
}

/// Returns the leap days in the years from 1970 to before `year`, which is 1970 or later.
fn leap_days(year: u64) -> u64 {
    /// Leap days in the years 1 to 1969.
    const BEFORE: u64 = 477;

    let last = year - 1;
    last / 4 - last / 100 + last / 400 - BEFORE
}

/// Returns the offset of a zone such as `-0700` from UTC, in seconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, ahead) = match zone.split_at_checked(1)? {
        ("+", ahead) => (1, ahead),
        ("-", behind) => (-1, behind),
        _ => return None,
    };
    let (hours, minutes) = ahead.split_at_checked(2)?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let valid = hours <= 23 && minutes <= 59;
    valid.then_some(sign * i64::try_from((hours * 60 + minutes) * 60).ok()?)
}

/// Parses a number of exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_converted_from_its_zone() {
        for (text, seconds) in [
            ("01/Jan/1970:00:00:00 +0000", 0),
            ("10/Oct/2000:13:55:36 -0700", 971_211_336),
            ("10/Oct/2000:20:55:36 +0000", 971_211_336),
            ("11/Oct/2000:02:25:36 +0530", 971_211_336),
            ("29/Feb/2000:00:00:00 +0000", 951_782_400),
            ("01/Mar/2000:00:00:00 +0000", 951_868_800),
            ("31/Dec/2016:23:59:60 +0000", 1_483_228_800),
            ("19/Jan/2038:03:14:08 +0000", 2_147_483_648),
            ("01/Mar/2100:00:00:00 +0000", 4_107_542_400),
        ] {
            assert_eq!(read(text.as_bytes()), Some(seconds), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_time_is_refused() {
        for text in [
            "",
            "10/Oct/2000:13:55:36",
            "10/Oct/2000:13:55:36 0700",
            "10/Oct/2000:13:55:36 -07",
            "10/Oct/2000:13:55:36 -0é",
            "10/Oct/2000:13:55:36 -2400",
            "10/Oct/2000:24:00:00 +0000",
            "10/Oct/2000:13:60:36 +0000",
            "10/Oct/2000:13:55:36:1 +0000",
            "1/Oct/2000:13:55:36 +0000",
            "+1/Oct/2000:13:55:36 +0000",
            "10/10/2000:13:55:36 +0000",
            "29/Feb/2001:13:55:36 +0000",
            "29/Feb/1900:13:55:36 +0000",
            "00/Oct/2000:13:55:36 +0000",
            "31/Dec/1969:13:55:36 +0000",
            "01/Jan/0000:00:00:00 +0000",
            "01/Jan/1970:00:00:00 +0100",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
