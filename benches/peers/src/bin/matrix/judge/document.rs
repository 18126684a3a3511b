//! The verdicts as Markdown, for docs/overload.md, and as lines for the terminal.

use crate::judge::verdict::{Check, Row};
use peers::{DocumentError, Marks};
use std::fmt::Write as _;
use std::path::Path;

/// Every run replaces the text between these lines of docs/overload.md.
const MARKS: Marks = Marks { begin: "<!-- matrix: begin -->", end: "<!-- matrix: end -->" };

/// Returns one row for the terminal: a line for each figure.
pub(crate) fn line(row: &Row) -> String {
    let mut text = format!("{}: {}", row.name, row.verdict());
    for Check { what, figure, wanted, met, .. } in &row.checks {
        let _ = match met {
            None => write!(text, "\n  {what:<46} {figure}"),
            Some(true) => write!(text, "\n  {what:<46} {figure:<32} {wanted}"),
            Some(false) => write!(text, "\n  {what:<46} {figure:<32} {wanted:<12} MISSED"),
        };
    }
    for note in &row.notes {
        let _ = write!(text, "\n  ({note})");
    }
    text
}

/// Returns all rows as Markdown, a table for each kind.
pub(crate) fn markdown(command: &str, rounds: u32, rows: &[Row]) -> String {
    let met = rows.iter().filter(|row| row.verdict() == "met").count();
    let mut text = format!(
        "`{command}`: {met} of {} rows met; {rounds} round{}, median (range). Bold figures miss \
         their targets; italic ones are shown without a verdict.\n",
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

/// Returns the head of a column, with the target if all judged rows share it.
fn head(column: usize, check: &Check, rows: &[&Row]) -> String {
    match common_target(column, rows) {
        Some(wanted) => format!("{} ({wanted})", check.what),
        None => check.what.clone(),
    }
}

fn cell(column: usize, check: &Check, rows: &[&Row]) -> String {
    let figure = match check.met {
        Some(true) => check.figure.clone(),
        Some(false) => format!("**{}**", check.figure),
        None if targets(column, rows).next().is_some() => format!("*{}*", check.figure),
        None => check.figure.clone(),
    };
    match (check.met, common_target(column, rows)) {
        (Some(_), None) => format!("{figure}, wanted {}", check.wanted),
        _ => figure,
    }
}

/// Returns the target of a column if all judged rows share it.
fn common_target<'a>(column: usize, rows: &[&'a Row]) -> Option<&'a str> {
    let mut targets = targets(column, rows);
    let first = targets.next()?;
    targets.all(|target| target == first).then_some(first)
}

/// Returns the targets of the rows that this column judges.
fn targets<'a>(column: usize, rows: &[&'a Row]) -> impl Iterator<Item = &'a str> {
    let checks = rows.iter().filter_map(move |row| row.checks.get(column));
    checks.filter(|check| check.met.is_some()).map(|check| check.wanted.as_str())
}

/// Writes the tables between the marks of a file.
pub(crate) fn write(file: &Path, markdown: &str) -> Result<(), DocumentError> {
    MARKS.write(file, markdown)
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
    fn a_table_states_a_common_target_once_and_prints_missed_figures_bold() {
        let rows = [row("a", ">= 0.9", true), row("b", ">= 0.9", false)];
        let text = markdown("just overload-matrix", 5, &rows);
        assert!(text.contains("1 of 2 rows met; 5 rounds"), "{text}");
        assert!(text.contains("| overload | C | goodput (>= 0.9) | verdict |"), "{text}");
        assert!(text.contains("| a | 1000/s | 0.96 | met |"), "{text}");
        assert!(text.contains("| b | 1000/s | **0.96** | missed |\n\nb: s 1 ms.\n"), "{text}");
    }

    #[test]
    fn rows_with_different_targets_state_each_their_own() {
        let rows = [row("a", ">= 0.9", true), row("b", ">= 0.97", false)];
        let text = markdown("x", 1, &rows);
        assert!(text.contains("| overload | C | goodput | verdict |"), "{text}");
        assert!(text.contains("| b | 1000/s | **0.96**, wanted >= 0.97 | missed |"), "{text}");
    }

    #[test]
    fn a_figure_without_a_verdict_is_italic_and_does_not_change_the_head_of_its_column() {
        let mut shown = row("c", "", true);
        shown.checks = shown.checks.into_iter().map(Check::unjudged).collect();
        let text = markdown("x", 1, &[row("a", ">= 0.9", true), shown]);
        assert!(text.contains("| goodput (>= 0.9) | verdict |"), "{text}");
        assert!(text.contains("| c | 1000/s | *0.96* | shown |"), "{text}");
    }

    #[test]
    fn a_row_that_was_not_run_does_not_count_as_met() {
        let mut absent = row("c", "", true);
        absent.checks.clear();
        let text = markdown("x", 1, &[row("a", "", true), absent.clone()]);
        assert!(text.contains("1 of 2 rows met") && text.contains("| c | - | - | not run |"));
        assert_eq!(line(&absent), "c: not run");
    }

    #[test]
    fn a_line_names_a_missed_target() {
        let text = line(&row("b", ">= 0.97", false));
        let figure = text.lines().find(|line| line.contains("goodput")).unwrap_or_default();
        let words: Vec<&str> = figure.split_ascii_whitespace().collect();
        assert_eq!(words, ["goodput", "0.96", ">=", "0.97", "MISSED"]);
        assert!(text.starts_with("b: missed\n") && text.ends_with("\n  (s 1 ms)"), "{text}");
    }
}
