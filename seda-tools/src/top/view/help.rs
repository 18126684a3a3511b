//! The help, over the other parts.

use super::look::Look;
use super::pen::Pen;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// The keys and what they do.
const KEYS: [(&str, &str); 14] = [
    ("q, Ctrl-C", "end"),
    ("space", "stop and go on"),
    ("left, right", "one second back and on; Home, End: the first, the newest"),
    ("+, -", "a replay faster and slower, up to 10x"),
    ("1, 2, 3", "stages, classes, edges; v: the next of them"),
    ("s, S", "sort by the next, the previous column; f: by the flow of events"),
    ("up, down", "select a row; PgUp, PgDn, g, G: screens, first, last"),
    ("Tab", "move the arrows between the table and the journal"),
    ("Esc", "take the selection back, return to the stages"),
    ("mouse", "click a row, a column's title; the wheel scrolls"),
    ("Ctrl-L", "draw everything anew"),
    ("busy %", "share of its pool's time that a stage takes"),
    ("wait99, serv99", "99 % waited, were served no longer"),
    ("workers 3/4!1", "3 busy of 4; 1 more is stuck in a handler"),
];
/// The columns of the keys.
const OF_KEY: usize = 15;

/// Returns the line of the most used keys.
pub(super) fn footer(look: Look) -> Line<'static> {
    let keys = [
        ("q", "end"),
        ("?", "help"),
        ("space", "stop"),
        ("s", "sort"),
        ("1", "stages"),
        ("2", "classes"),
        ("3", "edges"),
        ("Tab", "journal"),
    ];
    let spans = keys.into_iter().flat_map(|(key, does)| {
        [Span::styled(key, look.strong()), Span::styled(format!(" {does}  "), look.label())]
    });
    Line::from_iter(spans)
}

/// Draws the help in the middle of `area`.
pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let look = pen.look;
    let height = u16::try_from(KEYS.len() + 3).unwrap_or(area.height);
    let of_help = area.centered_vertically(Constraint::Length(height));
    Clear.render(of_help, pen.buffer);
    let mut lines =
        vec![Line::styled(" Help: keys and columns (Esc: back)", look.strong()), Line::default()];
    lines.extend(KEYS.map(|(key, does)| {
        Line::from(vec![Span::styled(format!(" {key:<OF_KEY$} "), look.strong()), Span::raw(does)])
    }));
    pen.lines(of_help, &lines);
}
