//! Replaces the generated part of a document.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The two lines around the generated part of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The line before it.
    pub begin: &'static str,
    /// The line after it.
    pub end: &'static str,
}

/// The generated part could not be written.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// The document could not be read or written.
    #[error("{}: {source}; make it readable and writable", file.display())]
    File {
        /// The document.
        file: PathBuf,
        /// The failed operation.
        source: io::Error,
    },
    /// A mark is missing.
    #[error(
        "{} has no line `{}` or `{}`; put both where the tables belong",
        file.display(), marks.begin, marks.end
    )]
    Marks {
        /// The document.
        file: PathBuf,
        /// The expected marks.
        marks: Marks,
    },
}

impl Marks {
    /// Replaces the text between the marks of a document.
    ///
    /// # Errors
    /// If a mark is missing, or if the document cannot be read or written.
    pub fn write(self, file: &Path, generated: &str) -> Result<(), DocumentError> {
        let failed = |source| DocumentError::File { file: file.to_owned(), source };
        let text = fs::read_to_string(file).map_err(failed)?;
        let text = self
            .replace(&text, generated)
            .ok_or_else(|| DocumentError::Marks { file: file.to_owned(), marks: self })?;
        fs::write(file, text).map_err(failed)
    }

    /// Returns the text with another generated part; `None` if a mark is missing.
    fn replace(self, text: &str, generated: &str) -> Option<String> {
        let Self { begin, end } = self;
        let (before, rest) = text.split_once(begin)?;
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{begin}\n\n{generated}\n{end}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_marks_is_replaced() {
        let marks = Marks { begin: "<!-- begin -->", end: "<!-- end -->" };
        let replaced = marks.replace("a\n<!-- begin -->\nold\n<!-- end -->\nb\n", "new");
        let expected = "a\n<!-- begin -->\n\nnew\n<!-- end -->\nb\n";
        assert_eq!(replaced.as_deref(), Some(expected));
        assert_eq!(marks.replace("no marks", "new"), None);
    }
}
