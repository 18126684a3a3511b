//! What is written down: Markdown for docs/overload.md.

use super::verdict::{Check, Row};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use thiserror::Error;

/// What is between these lines of docs/overload.md is written anew with every run.
const BEGIN: &str = "<!-- matrix: begin -->";
const END: &str = "<!-- matrix: end -->";

/// Why the tables are not in the document.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    #[error("{file}: {source}; see that it can be read and written")]
    File { file: String, source: io::Error },
    #[error("{file} has lost its line `{BEGIN}` or `{END}`; put both where the tables belong")]
    Marks { file: String },
}

/// One row, for the terminal.
pub(crate) fn line(row: &Row) -> String {
    let mut text = format!("{}: {}", row.name, row.verdict());
    for check in &row.checks {
        let _ = write!(text, "\n    {}{}", check.what, of_terminal(check));
    }
    for note in &row.notes {
        let _ = write!(text, "\n    ({note})");
    }
    text
}

fn of_terminal(check: &Check) -> String {
    match check.met {
        None => format!(": {}", check.figure),
        Some(met) => {
            let missed = if met { "" } else { "  MISSED" };
            format!(": {} (wanted {}){missed}", check.figure, check.wanted)
        }
    }
}

/// All rows, a table for each kind.
pub(crate) fn markdown(command: &str, rounds: u32, rows: &[Row]) -> String {
    let met = rows.iter().filter(|row| row.verdict() == "met").count();
    let mut text = format!(
        "`{command}`: {met} of {} rows met; {rounds} round{}, median (range). What is missed is \
         bold.\n",
        rows.len(),
        if rounds == 1 { "" } else { "s" }
    );
    let mut kinds: Vec<&str> = rows.iter().map(|row| row.kind).collect();
    kinds.dedup();
    for kind in kinds {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.kind == kind).collect();
        table(&mut text, &rows);
    }
    text
}

fn table(text: &mut String, rows: &[&Row]) {
    // A row that was not run has no checks.
    let Some(widest) = rows.iter().max_by_key(|row| row.checks.len()) else { return };
    let heads: Vec<String> =
        (0..).zip(&widest.checks).map(|(n, check)| head(n, check, rows)).collect();
    let columns = heads.iter().map(|head| format!(" {head} |")).collect::<String>();
    let _ = writeln!(text, "\n| {} |{columns} verdict |", widest.kind);
    let _ = writeln!(text, "| --- |{} --- |", " --- |".repeat(heads.len()));
    for row in rows {
        let mut cells: Vec<String> =
            (0..).zip(&row.checks).map(|(n, check)| cell(n, check, rows)).collect();
        cells.resize(heads.len(), "-".to_owned());
        let cells = cells.iter().map(|cell| format!(" {cell} |")).collect::<String>();
        let _ = writeln!(text, "| {} |{cells} {} |", row.name, row.verdict());
    }
    for row in rows.iter().filter(|row| !row.notes.is_empty()) {
        let _ = writeln!(text, "\n{}: {}.", row.name, row.notes.join("; "));
    }
}

/// What a column has in common; what is wanted, if that is the same in all rows.
fn head(column: usize, check: &Check, rows: &[&Row]) -> String {
    match common_wish(column, rows) {
        Some(wanted) => format!("{} ({wanted})", check.what),
        None => check.what.clone(),
    }
}

fn cell(column: usize, check: &Check, rows: &[&Row]) -> String {
    let figure = match check.met {
        Some(false) => format!("**{}**", check.figure),
        _ => check.figure.clone(),
    };
    match (check.met, common_wish(column, rows)) {
        (Some(_), None) => format!("{figure}, wanted {}", check.wanted),
        _ => figure,
    }
}

fn common_wish<'a>(column: usize, rows: &[&'a Row]) -> Option<&'a str> {
    let mut checks = rows.iter().filter_map(|row| row.checks.get(column));
    let first = checks.next()?;
    let same = checks.all(|check| check.wanted == first.wanted);
    (same && first.met.is_some()).then_some(first.wanted.as_str())
}

/// Puts the tables between the marks.
pub(crate) fn write(file: &Path, markdown: &str) -> Result<(), DocumentError> {
    let name = || file.display().to_string();
    let failed = |source| DocumentError::File { file: name(), source };
    let text = fs::read_to_string(file).map_err(failed)?;
    let text =
        between_marks(&text, markdown).ok_or_else(|| DocumentError::Marks { file: name() })?;
    fs::write(file, text).map_err(failed)
}

fn between_marks(text: &str, markdown: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, behind) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{markdown}\n{END}{behind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, wanted: &str, met: bool) -> Row {
        let check = Check::plain("goodput", "0.96".to_owned(), wanted, met);
        let shown = Check::plain("C", "1000/s".to_owned(), "", true).unjudged();
        let notes = if met { Vec::new() } else { vec!["s 1 ms".to_owned()] };
        Row { kind: "overload", name: name.to_owned(), checks: vec![shown, check], notes }
    }

    #[test]
    fn a_table_says_once_what_all_want_and_prints_what_is_missed_bold() {
        let rows = [row("a", ">= 0.9", true), row("b", ">= 0.9", false)];
        let text = markdown("just overload-matrix", 5, &rows);
        assert!(text.contains("1 of 2 rows met; 5 rounds"), "{text}");
        assert!(text.contains("| overload | C | goodput (>= 0.9) | verdict |"), "{text}");
        assert!(text.contains("| a | 1000/s | 0.96 | met |"), "{text}");
        assert!(text.contains("| b | 1000/s | **0.96** | missed |\n\nb: s 1 ms.\n"), "{text}");
    }

    #[test]
    fn where_rows_want_different_things_each_says_its_own() {
        let rows = [row("a", ">= 0.9", true), row("b", ">= 0.97", false)];
        let text = markdown("x", 1, &rows);
        assert!(text.contains("| overload | C | goodput | verdict |"), "{text}");
        assert!(text.contains("| b | 1000/s | **0.96**, wanted >= 0.97 | missed |"), "{text}");
    }

    #[test]
    fn a_row_that_was_not_run_is_no_row_that_is_met() {
        let mut absent = row("c", "", true);
        absent.checks.clear();
        let text = markdown("x", 1, &[row("a", "", true), absent.clone()]);
        assert!(text.contains("1 of 2 rows met") && text.contains("| c | - | - | not run |"));
        assert_eq!(line(&absent), "c: not run");
    }

    #[test]
    fn a_line_names_what_is_wanted_and_missed() {
        let said = line(&row("b", ">= 0.97", false));
        assert!(said.contains("goodput: 0.96 (wanted >= 0.97)  MISSED"), "{said}");
        assert!(said.contains("C: 1000/s\n") && said.ends_with("(s 1 ms)"), "{said}");
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let expected = format!("a\n{BEGIN}\n\nnew\n{END}\nb\n");
        assert_eq!(between_marks(&text, "new"), Some(expected));
        assert_eq!(between_marks("no marks", "new"), None);
    }
}
