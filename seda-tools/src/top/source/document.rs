//! A report or a history, as JSON.

use seda_core::Report;
use seda_core::history::History;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use thiserror::Error;

/// The page `/_seda/report` or `/_seda/history` of a server.
#[derive(Debug)]
pub(crate) enum Document {
    Report(Box<Report>),
    History(History),
}

/// Why bytes are neither a report nor a history.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    #[error("it is empty; it has to be what a server's /_seda/report or /_seda/history gave")]
    Empty,
    #[error("it is HTML, neither a report nor a history; read /_seda/report or /_seda/history")]
    Html,
    #[error("it ends in the middle, at line {line} column {column}; save it again")]
    Cut { line: usize, column: usize },
    #[error("it is not JSON ({0}); it has to be what /_seda/report or /_seda/history gave")]
    NotJson(#[source] serde_json::Error),
    #[error(
        "it is JSON, but neither a report nor a history; save one with `curl -o FILE \
         http://127.0.0.1:8080/_seda/history?seconds=600`"
    )]
    Neither,
    #[error(
        "it is from a version of seda that does not fit ({0}); save it with the server of this \
         version, or read it with that of its own"
    )]
    OtherVersion(#[source] serde_json::Error),
    #[error("it has no second yet; save it again when the server has run for some seconds")]
    NoSecond,
    #[error("its second at {at:.0} s has {records} stages of {stages}; save it again")]
    Uneven { at: f64, records: usize, stages: usize },
}

/// The fields by which reports and histories are told apart.
#[derive(Deserialize)]
struct Shape {
    uptime_seconds: Option<IgnoredAny>,
    seconds: Option<IgnoredAny>,
}

impl Document {
    /// Reads a report or a history.
    pub(crate) fn read(json: &[u8]) -> Result<Self, DocumentError> {
        match json.trim_ascii_start().first() {
            None => return Err(DocumentError::Empty),
            Some(b'<') => return Err(DocumentError::Html),
            Some(b'{') => {}
            Some(_) => {
                let other = serde_json::from_slice::<IgnoredAny>(json);
                return Err(other.map_or_else(unreadable, |_| DocumentError::Neither));
            }
        }
        let shape: Shape = serde_json::from_slice(json).map_err(unreadable)?;
        match shape {
            Shape { uptime_seconds: Some(_), .. } => {
                let report = serde_json::from_slice(json).map_err(DocumentError::OtherVersion)?;
                Ok(Self::Report(Box::new(report)))
            }
            Shape { seconds: Some(_), .. } => {
                let history = serde_json::from_slice(json).map_err(DocumentError::OtherVersion)?;
                check(&history)?;
                Ok(Self::History(history))
            }
            Shape { .. } => Err(DocumentError::Neither),
        }
    }
}

fn unreadable(error: serde_json::Error) -> DocumentError {
    match error.classify() {
        Category::Eof => DocumentError::Cut { line: error.line(), column: error.column() },
        Category::Data => DocumentError::Neither,
        Category::Syntax | Category::Io => DocumentError::NotJson(error),
    }
}

/// Checks that a history has seconds, and that each has every stage.
fn check(history: &History) -> Result<(), DocumentError> {
    if history.seconds.is_empty() {
        return Err(DocumentError::NoSecond);
    }
    let stages = history.stages.len();
    let uneven = history.seconds.iter().find(|second| second.stages.len() != stages);
    uneven.map_or(Ok(()), |second| {
        Err(DocumentError::Uneven { at: second.at, records: second.stages.len(), stages })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_complains(json: &str, expected: &str) {
        let error = Document::read(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }

    #[test]
    fn what_is_neither_a_report_nor_a_history_is_named() {
        assert_complains("", "empty");
        assert_complains("\n <!doctype html><html>", "HTML");
        assert_complains("not json", "not JSON");
        assert_complains("[1, 2]", "neither a report nor a history");
        assert_complains(r#"{ "rounds": [] }"#, "neither a report nor a history");
        assert_complains(r#"{ "graph": "pages", "uptime_seconds": 1.0 }"#, "does not fit (missing");
        assert_complains(r#"{ "graph": "pages", "seconds": 7 }"#, "does not fit (invalid");
        assert_complains(r#"{ "graph": "pages", "seconds": [] }"#, "no second");
        let uneven = r#"{ "stages": ["a", "b"], "seconds": [{ "at": 3.0, "stages": [{}] }] }"#;
        assert_complains(uneven, "at 3 s has 1 stages of 2");
    }

    #[test]
    fn a_truncated_history_says_where_it_ends() {
        let whole = r#"{ "graph": "pages", "stages": ["a"], "seconds": [{ "stages": [{}] }] }"#;
        assert!(matches!(Document::read(whole.as_bytes()), Ok(Document::History(_))));
        for end in 1..whole.len() {
            assert_complains(&whole[..end], "ends in the middle, at line 1");
        }
    }
}
