//! Finds line ends, each byte looked at once.

use std::ops::Range;

use super::rejection::Rejection;

/// How far a section of lines (a head, a trailer section) was scanned.
///
/// It remembers its place between calls, so that a client that sends byte by byte costs as much
/// as one that sends all at once. The caller must not remove bytes from the front of the input
/// until the section is whole.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Where the line that has no end yet begins.
    start: usize,
    /// Everything before this was looked at.
    scanned: usize,
}

/// Why there is no next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineError {
    /// The line ends in LF without CR.
    BareLineFeed,
    /// There is no line end within the limit.
    TooLong,
}

impl Lines {
    /// True until a byte was scanned.
    pub(super) fn untouched(&self) -> bool {
        self.scanned == 0
    }

    /// Whether the next line is the first.
    pub(super) fn at_first(&self) -> bool {
        self.start == 0
    }

    /// The place of the next line, without its CRLF; `None` if its end has not arrived.
    ///
    /// Line ends are looked for in the first `limit` bytes of the input. RFC 9112 §2.2 allows a
    /// recipient to take a single LF for a line end; a proxy in front may not, so it is a error.
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
    /// The answer to a section with this error, if being too long means `too_long`.
    pub(super) fn rejection(self, too_long: Rejection) -> Rejection {
        match self {
            Self::BareLineFeed => Rejection::BadRequest("a line ends in LF without CR"),
            Self::TooLong => too_long,
        }
    }
}

/// As many bytes as one SSE2 or NEON register holds: the inner loop compiles to a few vector
/// instructions.
const LANE: usize = 16;

/// The place of the first LF.
fn line_feed(bytes: &[u8]) -> Option<usize> {
    let (lanes, _) = bytes.as_chunks::<LANE>();
    let before = lanes.iter().take_while(|lane| !has_line_feed(lane)).count() * LANE;
    let rest = bytes.get(before..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map(|offset| before + offset)
}

/// Without early exit, so that it is one comparison of the whole lane.
fn has_line_feed(lane: &[u8; LANE]) -> bool {
    lane.iter().fold(false, |found, byte| found | (*byte == b'\n'))
}
