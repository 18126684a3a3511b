//! Tab-separated fields below a header that names them.

use super::fault::{LineFault, quoted};

/// The columns of a header.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<Vec<u8>>,
}

/// The fields of a line, as many as there are columns.
pub(super) struct Fields<'a> {
    line: &'a [u8],
}

impl Columns {
    /// Parses a header; `None` if the line has no column `seconds`.
    pub(super) fn read(header: &[u8]) -> Option<Self> {
        let names: Vec<Vec<u8>> = split(header).map(|name| name.trim_ascii().to_owned()).collect();
        let columns = Self { names };
        columns.find("seconds").map(|_| columns)
    }

    /// Returns the index of the first column with this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name.as_bytes())
    }

    /// Splits a line; fails unless it has one field for each column.
    pub(super) fn fields<'a>(&self, line: &'a [u8]) -> Result<Fields<'a>, LineFault> {
        let (found, columns) = (split(line).count(), self.names.len());
        if found == columns {
            Ok(Fields { line })
        } else {
            Err(LineFault::Fields { found, columns })
        }
    }

    /// Returns the error that the header lacks the columns `needed`.
    pub(super) fn lack(&self, needed: &'static str) -> LineFault {
        let names = self.names.iter().map(|name| format!("`{}`", quoted(name)));
        LineFault::Header { found: names.collect::<Vec<_>>().join(", "), needed }
    }
}

impl<'a> Fields<'a> {
    /// Returns the field of a column of the same header.
    pub(super) fn get(&self, column: usize) -> &'a [u8] {
        split(self.line).nth(column).unwrap_or_default()
    }
}

fn split(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_the_name_of_their_column() {
        let columns = Columns::read(b"path\t seconds \tbytes").unwrap();
        let seconds = columns.find("seconds").unwrap();
        assert_eq!(columns.fields(b"/x\t1.5\t").unwrap().get(seconds), b"1.5");
        assert_eq!(columns.find("status"), None);
        let fault = columns.fields(b"/x\t1.5").map(|_| ()).unwrap_err();
        assert_eq!(fault, LineFault::Fields { found: 2, columns: 3 });
        assert!(Columns::read(b"second\tpath").is_none());
    }
}
