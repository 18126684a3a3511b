//! The format of a file, and the parser of its lines.

use super::columns::Columns;
use super::fault::{LineFault, quoted};
use super::record::{LoggedRequest, Record};
use super::stamp::Stamp;
use super::work::{Work, WorkScale};
use super::{log, status};

/// The format of a file.
#[derive(Debug)]
pub(super) enum Format {
    /// Tab-separated fields.
    Table { columns: Columns, seconds: usize, layout: FieldLayout },
    /// The Common or Combined Log Format.
    Log,
}

/// The meaning of the columns beside the time.
#[derive(Debug)]
pub(super) enum FieldLayout {
    Access { method: usize, path: usize, status: Option<usize>, bytes: Option<usize> },
    Work(Work),
}

impl Format {
    /// Recognises the format of a file by its first line.
    pub(super) fn recognise(first: &[u8], scale: WorkScale) -> Result<Self, LineFault> {
        if let Some(columns) = Columns::read(first) {
            return Self::table(columns, scale);
        }
        if log::recognises(first) {
            return Ok(Self::Log);
        }
        Err(LineFault::Unrecognised { found: quoted(first) })
    }

    fn table(columns: Columns, scale: WorkScale) -> Result<Self, LineFault> {
        /// It includes the remedy for a file of arrivals, which is not a trace.
        const NEEDED: &str = "`seconds`, and either `method` and `path`, or `micros`, `work`, \
                              `input_tokens` or `output_tokens`; a file of times alone is not a \
                              trace, but gives arrivals";

        let access = columns.find("method").zip(columns.find("path"));
        let layout = if let Some((method, path)) = access {
            let (status, bytes) = (columns.find("status"), columns.find("bytes"));
            Some(FieldLayout::Access { method, path, status, bytes })
        } else {
            Work::find(&columns, scale).map(FieldLayout::Work)
        };
        match (columns.find("seconds"), layout) {
            (Some(seconds), Some(layout)) => Ok(Self::Table { columns, seconds, layout }),
            _ => Err(columns.lack(NEEDED)),
        }
    }

    /// Returns true if the first line is a header instead of a record.
    pub(super) fn has_header(&self) -> bool {
        matches!(self, Self::Table { .. })
    }

    /// Parses a line.
    pub(super) fn read(&self, line: &[u8]) -> Result<Record, LineFault> {
        let Self::Table { columns, seconds, layout } = self else { return log::read(line) };
        let fields = columns.fields(line)?;
        let stamp = Stamp::read(fields.get(*seconds))?;
        let request = match layout {
            FieldLayout::Work(work) => Some(work.read(&fields)?),
            FieldLayout::Access { method, path, status, bytes } => {
                let status = match status {
                    Some(column) => status::read(fields.get(*column))?,
                    None => None,
                };
                let bytes = match bytes {
                    Some(column) => status::read_bytes(fields.get(*column))?,
                    None => None,
                };
                LoggedRequest::new(fields.get(*method), fields.get(*path), status, bytes)
            }
        };
        Ok(Record { stamp, request })
    }
}
