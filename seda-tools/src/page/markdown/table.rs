//! Tables and text of Markdown, as GitHub reads it.

use crate::experiment::condition::AssertionResult;

/// The characters that mean something within a line of Markdown.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '[', ']', '<', '|', '~', '#', '&', '$', '{', '}'];

/// A table; its first column is text, the others are figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    lines: Vec<String>,
}

impl Table {
    pub(super) fn new(columns: &[&str]) -> Self {
        let marks: Vec<&str> =
            (0..columns.len()).map(|nth| if nth == 0 { "---" } else { "---:" }).collect();
        Self { lines: vec![line(columns), line(&marks)] }
    }

    /// Adds a row of cells, which are Markdown.
    pub(super) fn row(&mut self, cells: &[&str]) {
        self.lines.push(line(cells));
    }

    /// Returns the lines, with an empty one before.
    pub(super) fn text(&self) -> String {
        format!("\n{}", self.lines.concat())
    }
}

fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// Returns the table of the conditions and their results; empty without any.
pub(super) fn conditions(results: &[AssertionResult]) -> String {
    if results.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["condition", "holds", "found"]);
    for AssertionResult { condition, holds, found, .. } in results {
        let holds = if *holds { "✅ yes" } else { "❌ **no**" };
        // A pipe ends a cell even in code.
        table.row(&[&code(condition).replace('|', "\\|"), holds, &escaped(found)]);
    }
    table.text()
}

/// Returns a text that Markdown shows as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if SPECIAL.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(if character.is_control() { ' ' } else { character });
    }
    escaped
}

/// Returns a text as code.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    // Code with a backtick stands between two of them.
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Returns a paragraph that stands out.
pub(super) fn warning(text: &str) -> String {
    format!("\n> ⚠️ {}\n", escaped(text))
}
