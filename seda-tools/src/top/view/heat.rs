//! Response times over time: a column for each second, a row for each range of times, the shade for
//! the share of the answers.

use super::figures::time;
use super::look::Look;
use crate::top::model::{BOUNDS, ROWS, RunSecond};
use ratatui::text::{Line, Span};

/// The shades of a share above zero, and the share from which each is used: half of the answers of
/// a steady server are in one or two rows.
const SHADES: [(f64, &str, &str); 4] =
    [(0.6, "█", "#"), (0.3, "▓", "*"), (0.1, "▒", ":"), (0.0, "░", ".")];

/// Returns the lines of the seconds, the longest times first, at most `most`: those rows that have
/// an answer. With fewer lines than rows the last one has all shorter times.
pub(super) fn lines(
    seconds: &[&RunSecond],
    most: usize,
    slo: Option<f64>,
    label_width: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let is_used = |row: &usize| seconds.iter().any(|second| count(second, *row, *row) > 0);
    let (Some(first), Some(last)) = ((0..ROWS).find(is_used), (0..ROWS).rev().find(is_used)) else {
        return Vec::new();
    };
    let lowest = first.max((last + 1).saturating_sub(most));
    let of_slo = slo.and_then(|slo| BOUNDS.iter().position(|bound| slo <= *bound));
    let line = |row: usize| {
        let from = if row == lowest { 0 } else { row };
        let cells = seconds.iter().map(|second| shade(share(second, from, row), look));
        let is_beyond = of_slo.is_some_and(|of_slo| row > of_slo);
        let style = if is_beyond { look.warning() } else { look.bar() };
        let mark = if of_slo == Some(row) { "SLO " } else { "" };
        let label = format!("{mark}{}", label(row, look));
        Line::from(vec![
            Span::styled(format!("{label:>label_width$} "), look.label()),
            Span::styled(cells.collect::<String>(), style),
        ])
    };
    (lowest..=last).rev().take(most).map(line).collect()
}

fn label(row: usize, look: Look) -> String {
    let bound = |row: usize| look.shown(&time(BOUNDS.get(row).copied()));
    if row < BOUNDS.len() {
        format!("to {}", bound(row))
    } else {
        format!("over {}", bound(row - 1))
    }
}

fn count(second: &RunSecond, from: usize, to: usize) -> u64 {
    second.rows.get(from..=to).unwrap_or_default().iter().sum()
}

fn share(second: &RunSecond, from: usize, to: usize) -> f64 {
    let all = count(second, 0, ROWS - 1);
    if all == 0 { 0.0 } else { count(second, from, to) as f64 / all as f64 }
}

/// Returns the shade of a share; a positive one is never blank.
fn shade(share: f64, look: Look) -> &'static str {
    let shade = SHADES.iter().find(|(from, ..)| share > *from);
    shade.map_or(" ", |(_, unicode, ascii)| if look.has_unicode { unicode } else { ascii })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(rows: &[(usize, u64)]) -> RunSecond {
        let mut second = RunSecond::default();
        rows.iter().for_each(|(row, count)| second.rows[*row] = *count);
        second
    }

    fn texts(seconds: &[RunSecond], most: usize) -> Vec<String> {
        let seconds: Vec<&RunSecond> = seconds.iter().collect();
        let lines = lines(&seconds, most, Some(0.002), 11, Look::PLAIN);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_second_is_a_column_and_the_slo_has_a_mark() {
        let seconds = [second(&[(5, 90), (7, 10)]), second(&[]), second(&[(5, 1), (6, 1)])];
        let expected = ["     to 5ms ░  ", " SLO to 2ms   ▓", "     to 1ms █ ▓"];
        assert_eq!(texts(&seconds, 9), expected);
        assert!(texts(&[second(&[])], 9).is_empty());
    }

    #[test]
    fn without_room_the_last_line_has_all_shorter_times() {
        let seconds = [second(&[(3, 50), (5, 45), (7, 4), (20, 1)])];
        assert_eq!(texts(&seconds, 1), ["   over 60s █"]);
        let lines = texts(&seconds, 14);
        assert_eq!((lines.len(), lines[13].as_str()), (14, "     to 5ms █"));
    }
}
