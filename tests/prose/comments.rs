//! Comment lines of a source: `//`, `///` and `//!`.

use crate::tokens::Source;

/// The most columns of a comment line: what rustfmt allows code.
pub(crate) const MOST_COLUMNS: usize = 100;

/// Returns the comment lines of `text` with their numbers.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    numbered.filter(|(_, line)| line.trim_start().starts_with("//"))
}

pub(crate) fn too_wide(source: &Source) -> Vec<String> {
    let wide = lines(&source.text).filter(|(_, line)| line.chars().count() > MOST_COLUMNS);
    let faults = wide.map(|(n, line)| {
        let columns = line.chars().count();
        format!("{}:{n}: a comment of {columns} columns: wrap it at {MOST_COLUMNS}", source.path)
    });
    faults.collect()
}
