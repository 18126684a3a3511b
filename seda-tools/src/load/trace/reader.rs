//! Reads the lines of a file, and skips the malformed ones.

use super::error::TraceError;
use super::fault::LineFault;
use super::format::Format;
use super::lines::{Lines, TextLine};
use super::record::Record;
use super::skip_limit::SkipLimit;
use super::work::WorkScale;
use crate::report::{SkippedLine, SkippedLines};
use std::io::BufRead;

/// Lines of no known format after which the reading ends: a log has a good one among the first.
const MOST_UNKNOWN: u64 = 1_000;

/// The one reader of recorded requests: a load repeats them, a server answers them.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    name: &'a str,
    scale: WorkScale,
    limit: SkipLimit,
    /// The format, once a line has told it.
    format: Option<Format>,
    taken: u64,
    skipped: SkippedLines,
    /// The first malformed line.
    first_fault: Option<(u64, LineFault)>,
    /// True if the last line is malformed and has no end: the file was cut off in it.
    is_cut: bool,
}

impl<'a> Reader<'a> {
    /// Makes a reader; errors call the text `name`.
    pub(super) fn new(name: &'a str, scale: WorkScale, limit: SkipLimit) -> Self {
        Self {
            name,
            scale,
            limit,
            format: None,
            taken: 0,
            skipped: SkippedLines::default(),
            first_fault: None,
            is_cut: false,
        }
    }

    /// Passes the record of each line to `each`, with the number of the line; returns what was
    /// skipped.
    pub(super) fn read(
        mut self,
        text: impl BufRead,
        mut each: impl FnMut(Record, u64) -> Result<(), TraceError>,
    ) -> Result<SkippedLines, TraceError> {
        let mut lines = Lines::new(self.name, text);
        while let Some(line) = lines.next()? {
            match self.parse(&line) {
                Ok(Some(record)) if record.request.is_some() => {
                    self.taken += 1;
                    each(record, line.number)?;
                }
                Ok(Some(_)) => self.skipped.requests += 1,
                Ok(None) => {}
                Err(fault) => self.skip(&line, fault),
            }
            if self.format.is_none() && self.skipped.malformed >= MOST_UNKNOWN {
                break;
            }
        }
        self.finish()
    }

    /// Returns the record of a line; `None` for a comment and a header.
    fn parse(&mut self, line: &TextLine<'_>) -> Result<Option<Record>, LineFault> {
        let text = line.text()?;
        if text.starts_with(b"#") {
            self.skipped.comments += 1;
            return Ok(None);
        }
        let format = match &self.format {
            Some(format) => format,
            None => {
                // The first line of a known format decides; a header holds no record.
                let format = self.format.insert(Format::recognise(text, self.scale)?);
                if format.has_header() {
                    return Ok(None);
                }
                format
            }
        };
        let record = format.read(text)?;
        Ok(Some(record))
    }

    fn skip(&mut self, line: &TextLine<'_>, fault: LineFault) {
        self.skipped.malformed += 1;
        self.is_cut |= !line.has_end;
        self.skipped.name(SkippedLine { line: line.number, reason: fault.to_string() });
        self.first_fault.get_or_insert((line.number, fault));
    }

    fn finish(mut self) -> Result<SkippedLines, TraceError> {
        let file = self.name.to_owned();
        let SkippedLines { requests, malformed, .. } = self.skipped;
        self.skipped.lines = self.taken + requests + malformed;
        let lines = self.skipped.lines;
        // A last line that was cut off is not a sign of another format.
        let counted = malformed - u64::from(self.is_cut);
        match self.first_fault {
            Some((line, fault)) if self.taken == 0 && requests == 0 => {
                Err(TraceError::Line { file, line, fault })
            }
            Some((line, fault)) if !self.limit.allows(counted, lines) => {
                let limit = self.limit;
                Err(TraceError::Malformed { file, line, fault, malformed, lines, limit })
            }
            _ if lines == 0 => Err(TraceError::Empty { file }),
            _ if self.taken == 0 => Err(TraceError::AllSkipped { file, skipped: requests }),
            _ => Ok(self.skipped),
        }
    }
}
