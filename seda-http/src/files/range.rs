//! The Range field (RFC 9110 §14.2).

use http::{HeaderMap, header};

/// The most ranges of one request. A reader of a PDF asks for fewer; a request with more gets the
/// whole file.
const RANGES_MOST: usize = 16;

/// A part of a file: the positions of its first and its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ByteRange {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl ByteRange {
    /// Returns the number of bytes, at least 1.
    pub(super) fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

/// The part of a file that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of it: there is no Range, or one that the server ignores.
    Whole,
    One(ByteRange),
    /// Two to 16 parts that do not overlap, in the order of the request.
    Many(Vec<ByteRange>),
    /// No range begins within the file.
    Unsatisfiable,
}

/// One range as it is written.
enum RangeSpec {
    /// `first-last`, or `first-`.
    From(u64, Option<u64>),
    /// `-length`: the end of the file.
    Suffix(u64),
}

impl RangeSpec {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        if first.is_empty() {
            return Some(Self::Suffix(decimal(last)?));
        }
        let first = decimal(first)?;
        let last = if last.is_empty() { None } else { Some(decimal(last)?) };
        if last.is_some_and(|last| last < first) {
            return None;
        }
        Some(Self::From(first, last))
    }

    /// Returns the part of a file of `length` bytes; `None` if no byte of the file is in it.
    fn within(&self, length: u64) -> Option<ByteRange> {
        let end = length.checked_sub(1)?;
        let range = match *self {
            Self::From(first, last) => ByteRange { first, last: last.unwrap_or(end).min(end) },
            Self::Suffix(0) => return None,
            Self::Suffix(bytes) => ByteRange { first: length.saturating_sub(bytes), last: end },
        };
        (range.first <= end).then_some(range)
    }
}

/// Returns the part of a file of `length` bytes that the Range field asks for.
///
/// A field that is malformed, repeated, or of another unit is ignored (§14.2). So is a set of more
/// than 16 ranges, and one in which ranges overlap (§17.15): its answer would be longer than the
/// file.
pub(super) fn selection(headers: &HeaderMap, length: u64) -> Selection {
    let mut fields = headers.get_all(header::RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Selection::Whole };
    let Some(specs) = field.to_str().ok().and_then(specs) else { return Selection::Whole };
    // A suffix of an empty file is satisfiable (§14.1.2), and no Content-Range can express it.
    if length == 0 && specs.iter().any(|spec| matches!(spec, RangeSpec::Suffix(1..))) {
        return Selection::Whole;
    }
    let ranges: Vec<_> = specs.iter().filter_map(|spec| spec.within(length)).collect();
    match ranges.as_slice() {
        [] => Selection::Unsatisfiable,
        [range] => Selection::One(*range),
        several if overlap(several) => Selection::Whole,
        _ => Selection::Many(ranges),
    }
}

/// Returns the ranges of a field value; `None` if it is ignored.
fn specs(value: &str) -> Option<Vec<RangeSpec>> {
    let (unit, set) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let elements = set.split(',').map(str::trim).filter(|element| !element.is_empty());
    let specs: Option<Vec<_>> = elements.take(RANGES_MOST + 1).map(RangeSpec::parse).collect();
    specs.filter(|specs| (1..=RANGES_MOST).contains(&specs.len()))
}

fn overlap(ranges: &[ByteRange]) -> bool {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| matches!(pair, [one, next] if next.first <= one.last))
}

/// Reads digits; a number beyond 64 bits is the largest.
fn decimal(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn of(field: &str, length: u64) -> Selection {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(field).unwrap());
        selection(&headers, length)
    }

    fn one(first: u64, last: u64) -> Selection {
        Selection::One(ByteRange { first, last })
    }

    /// RFC 9110 §14.1.2.
    #[test]
    fn one_range_is_cut_at_the_end_of_the_file() {
        for (field, expected) in [
            ("bytes=0-499", one(0, 499)),
            ("bytes=500-999", one(500, 999)),
            ("bytes=9500-", one(9_500, 9_999)),
            ("bytes=-500", one(9_500, 9_999)),
            ("bytes=-99999", one(0, 9_999)),
            ("bytes=0-99999999999999999999999999", one(0, 9_999)),
            ("BYTES = 0-0 , ,", one(0, 0)),
            ("bytes=0-0,20000-", one(0, 0)),
        ] {
            assert_eq!(of(field, 10_000), expected, "{field}");
        }
    }

    #[test]
    fn a_set_without_a_byte_of_the_file_is_unsatisfiable() {
        for field in ["bytes=10000-", "bytes=-0", "bytes=99999999999999999999-", "bytes=10000-1e9"]
        {
            let expected =
                if field.ends_with("e9") { Selection::Whole } else { Selection::Unsatisfiable };
            assert_eq!(of(field, 10_000), expected, "{field}");
        }
        assert_eq!(of("bytes=0-0", 0), Selection::Unsatisfiable);
        assert_eq!(of("bytes=-5", 0), Selection::Whole);
    }

    #[test]
    fn a_malformed_or_costly_set_is_ignored() {
        let many = format!("bytes={}", (0..17).map(|n| format!("{n}0-{n}1,")).collect::<String>());
        let sixteen = many.replace("160-161,", "");
        for field in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=1-2-3",
            "bytes=+1-2",
            "bytes=0-1;2-3",
            "lines=0-1",
            "bytes=0-10,5-15",
            "bytes=0-,0-,0-",
            "bytes=5-6,-9999",
            &many,
        ] {
            assert_eq!(of(field, 10_000), Selection::Whole, "{field}");
        }
        assert!(matches!(of(&sixteen, 10_000), Selection::Many(ranges) if ranges.len() == 16));
        let mut headers = HeaderMap::new();
        headers.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        assert_eq!(selection(&headers, 10), Selection::Whole);
    }

    proptest! {
        #[test]
        fn any_field_selects_parts_of_the_file_that_do_not_overlap(
            field in ".{0,40}|bytes=[0-9,-]{0,40}|bytes=([0-9]{0,4}-[0-9]{0,4},){0,20}",
            length in 0_u64..3_000,
        ) {
            let Ok(value) = HeaderValue::from_bytes(field.as_bytes()) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, value);
            let ranges = match selection(&headers, length) {
                Selection::One(range) => vec![range],
                Selection::Many(ranges) => ranges,
                Selection::Whole | Selection::Unsatisfiable => return Ok(()),
            };
            prop_assert!(ranges.len() <= RANGES_MOST);
            prop_assert!(ranges.iter().all(|range| range.first <= range.last && range.last < length));
            prop_assert!(ranges.iter().map(|range| range.len()).sum::<u64>() <= length);
        }
    }
}
