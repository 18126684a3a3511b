//! The lines of a text, in bounded memory.

use super::error::TraceError;
use super::fault::{LineFault, MAX_LINE};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// The bytes that are read at once: room for a byte order mark, CR LF, and one byte above the
/// limit.
const MOST: u64 = MAX_LINE as u64 + 6;

/// The lines of a text that are not blank.
pub(super) struct Lines<'a, R> {
    file: &'a str,
    reader: R,
    line: Vec<u8>,
    number: u64,
}

/// A line without its line end.
pub(super) struct TextLine<'a> {
    /// From 1; empty lines count.
    pub(super) number: u64,
    /// At most [`MAX_LINE`] bytes.
    text: &'a [u8],
    /// True if the line is longer than its text.
    is_too_long: bool,
    /// False for a last line without a line end: the file was cut off in it, or is being written.
    pub(super) has_end: bool,
}

impl<'a> TextLine<'a> {
    /// Returns the whole text.
    ///
    /// # Errors
    ///
    /// The line is longer than [`MAX_LINE`].
    pub(super) fn text(&self) -> Result<&'a [u8], LineFault> {
        if self.is_too_long { Err(LineFault::TooLong) } else { Ok(self.text) }
    }
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(file: &'a str, reader: R) -> Self {
        Self { file, reader, line: Vec::new(), number: 0 }
    }

    /// Returns the next line that is not blank; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<TextLine<'_>>, TraceError> {
        while self.fill()? {
            let range = self.text_range();
            let is_too_long = range.len() > MAX_LINE;
            let has_end = self.line.ends_with(b"\n") || (is_too_long && self.skip_rest()?);
            let range = range.start..range.end.min(range.start + MAX_LINE);
            if !self.line.get(range.clone()).unwrap_or_default().trim_ascii().is_empty() {
                let text = self.line.get(range).unwrap_or_default();
                return Ok(Some(TextLine { number: self.number, text, is_too_long, has_end }));
            }
        }
        Ok(None)
    }

    /// Reads to the end of a line, or slightly more than is allowed; false at the end of the text.
    fn fill(&mut self) -> Result<bool, TraceError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(MOST);
        let read = bounded.read_until(b'\n', &mut self.line);
        Ok(read.map_err(|source| self.unreadable(source))? > 0)
    }

    /// Reads the rest of a line that is too long, piece by piece; false without a line end.
    fn skip_rest(&mut self) -> Result<bool, TraceError> {
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let mut bounded = (&mut self.reader).take(MOST);
            let read = bounded.read_until(b'\n', &mut piece);
            if read.map_err(|source| self.unreadable(source))? == 0 {
                return Ok(false);
            }
            if piece.ends_with(b"\n") {
                return Ok(true);
            }
        }
    }

    fn unreadable(&self, source: io::Error) -> TraceError {
        TraceError::Read { file: self.file.to_owned(), line: self.number, source }
    }

    /// Returns the range of the line's text, without byte order mark and line end.
    fn text_range(&self) -> Range<usize> {
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let marked = self.number == 1 && text.starts_with(b"\xef\xbb\xbf");
        (if marked { 3 } else { 0 })..text.len()
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, TraceError> {
    let file = File::open(path)
        .map_err(|source| TraceError::Open { file: path.display().to_string(), source })?;
    Ok(BufReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut lines = Lines::new("f", text);
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push((line.number, line.text.to_owned()));
        }
        read
    }

    #[test]
    fn line_ends_byte_order_marks_and_empty_lines_are_not_text() {
        let text = b"\xef\xbb\xbfa\r\n\r\n\nb\n\xef\xbb\xbfc\rd";
        let expected: [(u64, &[u8]); 3] = [(1, b"a"), (4, b"b"), (5, b"\xef\xbb\xbfc\rd")];
        let expected = expected.map(|(number, text)| (number, text.to_owned()));
        assert_eq!(read(text), expected);
        assert_eq!(read(b"\xef\xbb\xbf\r\n \t\n"), []);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn a_line_may_have_the_maximum_length_and_no_more() {
        let longest = [b"x".repeat(MAX_LINE), b"\r\n".to_vec()].concat();
        let marked = [b"\xef\xbb\xbf".to_vec(), longest.clone()].concat();
        assert_eq!(read(&longest)[0].1.len(), MAX_LINE);
        let next = [marked, b"b".to_vec()].concat();
        let next = read(&next);
        assert_eq!((next[0].1.len(), &next[1]), (MAX_LINE, &(2, b"b".to_vec())));
        for end in ["\n", "\r\n", "xxxxxxxxxxxx\n"] {
            let long = [b"x".repeat(3 * MAX_LINE), end.into(), b"a".to_vec()].concat();
            let mut lines = Lines::new("f", &long[..]);
            let first = lines.next().unwrap().unwrap();
            assert_eq!((first.text(), first.has_end), (Err(LineFault::TooLong), true));
            let second = lines.next().unwrap().unwrap();
            assert_eq!((second.number, second.text(), second.has_end), (2, Ok(&b"a"[..]), false));
            assert!(lines.next().unwrap().is_none());
        }
    }
}
