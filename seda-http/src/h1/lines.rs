//! Finds line ends, and scans each byte once.

use std::ops::Range;

use super::rejection::Rejection;

/// The scan of a section of lines: a head or a trailer section.
///
/// It keeps its position between calls, so that a section costs the same byte by byte or in one
/// piece. The caller must not remove bytes from the front of the input until the section is whole.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The start of the line that has no end yet.
    start: usize,
    /// All bytes before this position were scanned.
    scanned: usize,
}

/// The reason why a section is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineError {
    /// The line ends in LF without CR.
    BareLineFeed,
    /// No line ends within the limit.
    TooLong,
}

impl Lines {
    /// Returns true until a byte was scanned.
    pub(super) fn untouched(&self) -> bool {
        self.scanned == 0
    }

    /// Returns true if the next line is the first.
    pub(super) fn at_first(&self) -> bool {
        self.start == 0
    }

    /// Returns the range of the next line, without its CRLF; `None` if its end has not arrived.
    ///
    /// The first `limit` bytes of the input are scanned. RFC 9112 §2.2 allows a recipient to
    /// accept a single LF as a line end. A proxy in front may not accept it, so it is an error.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        limit: usize,
    ) -> Result<Option<Range<usize>>, LineError> {
        let window = input.get(..limit).unwrap_or(input);
        let Some(offset) = line_feed(window.get(self.scanned..).unwrap_or_default()) else {
            self.scanned = window.len();
            return if window.len() < limit { Ok(None) } else { Err(LineError::TooLong) };
        };
        let feed = self.scanned + offset;
        let line = window.get(self.start..feed).unwrap_or_default();
        let Some((b'\r', line)) = line.split_last() else {
            return Err(LineError::BareLineFeed);
        };
        let start = self.start;
        self.start = feed + 1;
        self.scanned = feed + 1;
        Ok(Some(start..start + line.len()))
    }
}

impl LineError {
    /// Returns the rejection of a section with this error. `too_long` is that of a long section.
    pub(super) fn rejection(self, too_long: Rejection) -> Rejection {
        match self {
            Self::BareLineFeed => Rejection::BadRequest("a line ends in LF without CR"),
            Self::TooLong => too_long,
        }
    }
}

/// Splits a section into its lines, without their CRLFs. The bytes after the last LF are no line.
pub(super) fn split(section: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = section;
    std::iter::from_fn(move || {
        let (line, after) = rest.split_at_checked(line_feed(rest)? + 1)?;
        rest = after;
        line.strip_suffix(b"\r\n")
    })
}

/// The bytes of an SSE2 or NEON register, so that the inner loop compiles to a few vector
/// instructions.
const LANE: usize = 16;

/// Returns the position of the first LF.
fn line_feed(bytes: &[u8]) -> Option<usize> {
    let (lanes, _) = bytes.as_chunks::<LANE>();
    let before = lanes.iter().take_while(|lane| !has_line_feed(lane)).count() * LANE;
    let rest = bytes.get(before..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map(|offset| before + offset)
}

/// Compares the whole lane at once: the loop has no early exit.
fn has_line_feed(lane: &[u8; LANE]) -> bool {
    lane.iter().fold(false, |found, byte| found | (*byte == b'\n'))
}
