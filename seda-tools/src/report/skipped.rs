//! The lines of a trace that were not taken.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Lines whose reasons are kept: enough to see what is wrong with a file.
const NAMED: usize = 3;

/// The lines of a file of recorded requests that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SkippedLines {
    /// Lines, without a header, comments and blank lines.
    pub lines: u64,
    /// Lines with a request that cannot be repeated, such as `-` or `OPTIONS *`.
    pub requests: u64,
    /// Malformed lines.
    pub malformed: u64,
    /// Comments: lines that begin with `#`.
    pub comments: u64,
    /// The first malformed lines.
    pub first: Vec<SkippedLine>,
}

/// A malformed line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedLine {
    /// The number of the line, from 1.
    pub line: u64,
    /// Why it was skipped.
    pub reason: String,
}

impl SkippedLines {
    /// Keeps the reason of a malformed line if it is one of the first.
    pub(crate) fn name(&mut self, skipped: SkippedLine) {
        if self.first.len() < NAMED {
            self.first.push(skipped);
        }
    }

    /// Returns true if no line was skipped; comments do not count.
    pub fn is_empty(&self) -> bool {
        self.requests + self.malformed == 0
    }
}

impl fmt::Display for SkippedLines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, requests, malformed, .. } = self;
        write!(
            out,
            "of {lines} lines, {malformed} malformed and {requests} without a path skipped"
        )?;
        for SkippedLine { line, reason } in &self.first {
            write!(out, "; line {line}: {reason}")?;
        }
        Ok(())
    }
}
