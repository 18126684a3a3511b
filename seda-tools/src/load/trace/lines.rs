//! The lines of a text, in bounded memory.

use super::error::TraceError;
use super::fault::{LineFault, MAX_LINE};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// The non-empty lines of a text.
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
    pub(super) text: &'a [u8],
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(file: &'a str, reader: R) -> Self {
        Self { file, reader, line: Vec::new(), number: 0 }
    }

    /// Returns the next non-empty line; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<TextLine<'_>>, TraceError> {
        while self.fill()? {
            let range = self.text_range();
            if range.len() > MAX_LINE {
                return Err(self.too_long());
            }
            if !range.is_empty() {
                let text = self.line.get(range).unwrap_or_default();
                return Ok(Some(TextLine { number: self.number, text }));
            }
        }
        Ok(None)
    }

    /// Reads to the end of a line, or slightly more than is allowed; false at the end of the text.
    fn fill(&mut self) -> Result<bool, TraceError> {
        /// Room for a byte order mark, CR LF, and one byte above the limit.
        const MOST: u64 = MAX_LINE as u64 + 6;

        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(MOST);
        let read = bounded.read_until(b'\n', &mut self.line).map_err(|source| {
            TraceError::Read { file: self.file.to_owned(), line: self.number, source }
        })?;
        Ok(read > 0)
    }

    /// Returns the range of the line's text, without byte order mark and line end.
    fn text_range(&self) -> Range<usize> {
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let marked = self.number == 1 && text.starts_with(b"\xef\xbb\xbf");
        (if marked { 3 } else { 0 })..text.len()
    }

    fn too_long(&self) -> TraceError {
        let (file, fault) = (self.file.to_owned(), LineFault::TooLong);
        TraceError::Line { file, line: self.number, fault }
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

    fn read(text: &[u8]) -> Result<Vec<(u64, Vec<u8>)>, TraceError> {
        let mut lines = Lines::new("f", text);
        let mut read = Vec::new();
        while let Some(line) = lines.next()? {
            read.push((line.number, line.text.to_owned()));
        }
        Ok(read)
    }

    #[test]
    fn line_ends_byte_order_marks_and_empty_lines_are_not_text() {
        let text = b"\xef\xbb\xbfa\r\n\r\n\nb\n\xef\xbb\xbfc\rd";
        let expected: [(u64, &[u8]); 3] = [(1, b"a"), (4, b"b"), (5, b"\xef\xbb\xbfc\rd")];
        let expected = expected.map(|(number, text)| (number, text.to_owned()));
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read(b"\xef\xbb\xbf\r\n").unwrap(), []);
        assert_eq!(read(b"").unwrap(), []);
    }

    #[test]
    fn a_line_may_have_the_maximum_length_and_no_more() {
        let longest = [b"x".repeat(MAX_LINE), b"\r\n".to_vec()].concat();
        let marked = [b"\xef\xbb\xbf".to_vec(), longest.clone()].concat();
        assert_eq!(read(&longest).unwrap()[0].1.len(), MAX_LINE);
        let next = [marked, b"b".to_vec()].concat();
        let next = read(&next).unwrap();
        assert_eq!((next[0].1.len(), &next[1]), (MAX_LINE, &(2, b"b".to_vec())));
        for end in ["", "\n", "\r\n", "xxxxxxxxxxxx\n"] {
            let long = [b"a\n".to_vec(), b"x".repeat(MAX_LINE + 1), end.into()].concat();
            let error = read(&long).unwrap_err().to_string();
            assert!(error.starts_with("f, line 2: longer than 65536 bytes"), "{error}");
        }
    }
}
