//! Arrivals without requests.

use super::columns::Columns;
use super::error::TraceError;
use super::fault::LineFault;
use super::lines::{Lines, open};
use super::stamp::Stamp;
use super::timeline::Timeline;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

/// Reads the arrivals of a file: a number of seconds on each line, or tab-separated lines below a
/// header with the column `seconds`. Returns nanoseconds since the first arrival, sorted and never
/// empty; the rules of the [module](super) for times hold.
///
/// # Errors
///
/// Fails if the file cannot be read, is empty, or has a line without a time.
pub fn read_arrivals(path: &Path) -> Result<Arc<[u64]>, TraceError> {
    parse_arrivals(&path.display().to_string(), open(path)?)
}

/// Reads the arrivals of a text as [`read_arrivals`] does. Errors call the text `name`.
///
/// # Errors
///
/// Fails if the text cannot be read, is empty, or has a line without a time.
pub fn parse_arrivals(name: &str, text: impl BufRead) -> Result<Arc<[u64]>, TraceError> {
    /// Without meaning, because arrivals have no requests.
    const TARGET: u32 = 0;

    let mut lines = Lines::new(name, text);
    let mut timeline = Timeline::new();
    let mut columns = None;
    let mut first = true;
    while let Some(line) = lines.next()? {
        let number = line.number;
        let wrong = |fault| TraceError::Line { file: name.to_owned(), line: number, fault };
        let text = line.text().map_err(wrong)?;
        if std::mem::take(&mut first) {
            columns = Columns::read(text);
            if columns.is_some() {
                continue;
            }
        }
        timeline.push(read(columns.as_ref(), text).map_err(wrong)?, TARGET);
    }
    let times: Arc<[u64]> = timeline.finish().into_iter().map(|entry| entry.at_nanos).collect();
    if times.is_empty() { Err(TraceError::Empty { file: name.to_owned() }) } else { Ok(times) }
}

fn read(columns: Option<&Columns>, line: &[u8]) -> Result<Stamp, LineFault> {
    let Some(columns) = columns else { return Stamp::read(line) };
    let fields = columns.fields(line)?;
    Stamp::read(columns.find("seconds").map_or(line, |column| fields.get(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Vec<u64> {
        parse_arrivals("a.tsv", text.as_bytes()).unwrap().to_vec()
    }

    fn error(text: &str) -> String {
        parse_arrivals("a.tsv", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn arrivals_are_numbers_or_a_column() {
        let expected = [0, 500_000_000, 2_250_000_000];
        assert_eq!(times("1.5\n2\n\n3.75"), expected);
        assert_eq!(times("\u{feff}seconds\r\n3.75\r\n2\r\n1.5\r\n"), expected);
        assert_eq!(times("client\tseconds\na\t1.5\nb\t2\nc\t3.75\n"), expected);
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        assert_eq!(error(""), "a.tsv is empty: a trace has at least one arrival");
        assert!(error("seconds\n").contains("is empty"));
        for (text, line) in [("1\n\n-2\n", 3), ("one\n", 1), ("seconds\tx\n1\t2\n3\n", 3)] {
            let error = error(text);
            assert!(error.starts_with(&format!("a.tsv, line {line}: ")), "{error}");
        }
    }
}
