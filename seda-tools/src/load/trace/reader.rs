//! Reads a trace line by line.

use super::entry::Trace;
use super::error::TraceError;
use super::fault::LineFault;
use super::format::Format;
use super::lines::{Lines, open};
use super::record::Record;
use super::targets::Targets;
use super::timeline::Timeline;
use super::work::WorkScale;
use std::io::BufRead;
use std::path::Path;

impl Trace {
    /// Reads a file, with [`WorkScale::default`].
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, and as [`Trace::parse`].
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        Self::open_scaled(path, WorkScale::default())
    }

    /// Reads a file; `scale` gives the cost of tokens.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, and as [`Trace::parse_scaled`].
    pub fn open_scaled(path: &Path, scale: WorkScale) -> Result<Self, TraceError> {
        Self::parse_scaled(&path.display().to_string(), open(path)?, scale)
    }

    /// Reads `text`, with [`WorkScale::default`]. Errors call the text `name`.
    ///
    /// # Errors
    ///
    /// Fails if the text has no format of the [module](super), if a line is not in the format or is
    /// longer than [`MAX_LINE`](super::MAX_LINE), and if there is no request to repeat.
    pub fn parse(name: &str, text: impl BufRead) -> Result<Self, TraceError> {
        Self::parse_scaled(name, text, WorkScale::default())
    }

    /// Reads `text`; `scale` gives the cost of tokens.
    ///
    /// # Errors
    ///
    /// Fails as [`Trace::parse`], and if the scale is negative or not finite.
    pub fn parse_scaled(
        name: &str,
        text: impl BufRead,
        scale: WorkScale,
    ) -> Result<Self, TraceError> {
        Reader::new(name, scale.check()?).read(text)
    }
}

/// The lines that have been read so far.
#[derive(Debug)]
struct Reader<'a> {
    name: &'a str,
    scale: WorkScale,
    timeline: Timeline,
    targets: Targets,
    taken: u64,
    skipped: u64,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, scale: WorkScale) -> Self {
        let (timeline, targets) = (Timeline::new(), Targets::default());
        Self { name, scale, timeline, targets, taken: 0, skipped: 0 }
    }

    fn read(mut self, text: impl BufRead) -> Result<Trace, TraceError> {
        let mut lines = Lines::new(self.name, text);
        let mut known = None;
        while let Some(line) = lines.next()? {
            let format = match &known {
                Some(format) => format,
                // The first line decides the format; a header holds no record.
                None => {
                    let format = Format::recognise(line.text, self.scale)
                        .map_err(|fault| self.line_error(line.number, fault))?;
                    let format = known.insert(format);
                    if format.has_header() {
                        continue;
                    }
                    format
                }
            };
            let record =
                format.read(line.text).map_err(|fault| self.line_error(line.number, fault))?;
            self.add(record, line.number)?;
        }
        match (self.taken, self.skipped) {
            (0, 0) => Err(TraceError::Empty { file: self.name.to_owned() }),
            (0, skipped) => Err(TraceError::AllSkipped { file: self.name.to_owned(), skipped }),
            _ => Ok(self.finish()),
        }
    }

    /// Adds the record of line number `line`; fails if there are too many distinct requests.
    fn add(&mut self, record: Record, line: u64) -> Result<(), TraceError> {
        let Some(target) = record.target else {
            self.skipped += 1;
            return Ok(());
        };
        let Some(number) = self.targets.number(target) else {
            return Err(TraceError::TooManyTargets { file: self.name.to_owned(), line });
        };
        self.timeline.push(record.stamp, number);
        self.taken += 1;
        Ok(())
    }

    fn line_error(&self, line: u64, fault: LineFault) -> TraceError {
        TraceError::Line { file: self.name.to_owned(), line, fault }
    }

    fn finish(self) -> Trace {
        let (entries, targets) = (self.timeline.finish(), self.targets.finish());
        Trace { entries, targets, skipped: self.skipped }
    }
}
