//! Opens recorded traffic: as a load, or as the requests of a site.

use super::entry::Trace;
use super::error::TraceError;
use super::lines::open;
use super::reader::Reader;
use super::record::{LoggedRequest, Record};
use super::skip_limit::SkipLimit;
use super::targets::Targets;
use super::timeline::Timeline;
use super::work::WorkScale;
use crate::report::SkippedLines;
use std::io::BufRead;
use std::path::Path;

impl Trace {
    /// Reads a file, with [`WorkScale::default`] and [`SkipLimit::default`].
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

    /// Reads a file with [`WorkScale::default`]; `limit` is the share of malformed lines that are
    /// skipped.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, and as [`Trace::parse`].
    pub fn open_limited(path: &Path, limit: SkipLimit) -> Result<Self, TraceError> {
        read(&path.display().to_string(), open(path)?, WorkScale::default(), limit)
    }

    /// Reads `text`, with [`WorkScale::default`] and [`SkipLimit::default`]. Errors call the text
    /// `name`.
    ///
    /// # Errors
    ///
    /// Fails if the text has no format of the [module](super), if more lines are malformed than the
    /// limit allows, and if there is no request to repeat.
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
        read(name, text, scale, SkipLimit::default())
    }
}

fn read(
    name: &str,
    text: impl BufRead,
    scale: WorkScale,
    limit: SkipLimit,
) -> Result<Trace, TraceError> {
    let (mut timeline, mut targets) = (Timeline::new(), Targets::default());
    let reader = Reader::new(name, scale.check()?, limit);
    let skipped = reader.read(text, |Record { stamp, request }, line| {
        let Some(request) = request else { return Ok(()) };
        let Some(number) = targets.number(request.into()) else {
            return Err(TraceError::TooManyTargets { file: name.to_owned(), line });
        };
        timeline.push(stamp, number);
        Ok(())
    })?;
    Ok(Trace { entries: timeline.finish(), targets: targets.finish(), skipped })
}

/// The requests of a file in the order of its lines, and what was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequests {
    /// The requests: at least one.
    pub requests: Vec<LoggedRequest>,
    /// The lines that were skipped.
    pub skipped: SkippedLines,
}

/// Reads the requests of a file with their recorded answers, for a server that gives these answers
/// again. The formats, the encoding of paths and the skipped lines are those of [`Trace`].
///
/// # Errors
///
/// Fails as [`Trace::open_limited`].
pub fn read_requests(path: &Path, limit: SkipLimit) -> Result<LoggedRequests, TraceError> {
    let (name, mut requests) = (path.display().to_string(), Vec::new());
    let skipped =
        Reader::new(&name, WorkScale::default(), limit).read(open(path)?, |record, _| {
            requests.extend(record.request);
            Ok(())
        })?;
    Ok(LoggedRequests { requests, skipped })
}
