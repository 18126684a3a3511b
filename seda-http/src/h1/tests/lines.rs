use crate::h1::lines::{LineError, Lines};

const LIMIT: usize = 100;

/// A slow client must not make the server scan a head repeatedly. The test changes scanned bytes,
/// and the scan does not see the change.
#[test]
fn a_byte_is_scanned_once() {
    let mut lines = Lines::default();
    assert_eq!(lines.next(b"GET / HTTP", LIMIT), Ok(None));
    assert_eq!(lines.next(b"\n\n\n\n\n\n\n\n\n\n/1.1\r", LIMIT), Ok(None));
    assert_eq!(lines.next(b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r\n\r", LIMIT), Ok(Some(0..14)));
    assert_eq!(lines.next(b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r\n\r", LIMIT), Ok(None));
    assert_eq!(lines.next(b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r\n\r\n", LIMIT), Ok(Some(16..16)));
}

/// Covers every offset within a lane of bytes that are compared at once.
#[test]
fn a_line_end_is_found_at_every_offset() {
    for length in 0..70 {
        let mut input = vec![b'x'; length];
        input.extend_from_slice(b"\r\ny\n");
        let mut lines = Lines::default();
        assert_eq!(lines.next(&input, LIMIT), Ok(Some(0..length)));
        assert_eq!(lines.next(&input, LIMIT), Err(LineError::BareLineFeed));
    }
}

/// A rejection must not depend on the bytes beyond the limit.
#[test]
fn a_line_end_beyond_the_limit_is_not_seen() {
    assert_eq!(Lines::default().next(b"abc\r\n", 5), Ok(Some(0..3)));
    assert_eq!(Lines::default().next(b"abc\r\n", 4), Err(LineError::TooLong));
    assert_eq!(Lines::default().next(b"abc\r", 4), Err(LineError::TooLong));
    assert_eq!(Lines::default().next(b"abc", 4), Ok(None));
}
