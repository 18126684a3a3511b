//! Writes text into a buffer, cut at its place and never beyond the buffer.

use super::look::Look;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Writes into a buffer.
#[derive(Debug)]
pub(super) struct Pen<'b> {
    pub(super) buffer: &'b mut Buffer,
    pub(super) look: Look,
}

impl Pen<'_> {
    /// Writes a line at the left of the first row of `area`.
    pub(super) fn left(&mut self, area: Rect, line: &Line<'_>) {
        self.write(area, line, 0);
    }

    /// Writes a line at the right of the first row of `area`.
    pub(super) fn right(&mut self, area: Rect, line: &Line<'_>) {
        let area = area.intersection(self.buffer.area);
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        self.write(area, line, area.width.saturating_sub(width));
    }

    /// Writes a line `indent` columns into the first row of `area`. A line that is too long ends
    /// with an ellipsis.
    fn write(&mut self, area: Rect, line: &Line<'_>, indent: u16) {
        let area = area.intersection(self.buffer.area);
        if area.height == 0 || area.width <= indent {
            return;
        }
        let (x, width) = (area.x + indent, area.width - indent);
        self.buffer.set_line(x, area.y, line, width);
        if line.width() > usize::from(width) {
            let last = x + width - 1;
            if let Some(cell) = self.buffer.cell_mut((last, area.y)) {
                cell.set_symbol(self.look.ellipsis());
            }
        }
    }

    /// Writes lines below each other.
    pub(super) fn lines(&mut self, area: Rect, lines: &[Line<'_>]) {
        for (line, row) in lines.iter().zip(area.rows()) {
            self.left(row, line);
        }
    }

    /// Gives the first row of `area` a style.
    pub(super) fn paint(&mut self, area: Rect, style: Style) {
        let row = Rect { height: area.height.min(1), ..area };
        self.buffer.set_style(row, style);
    }
}

/// Returns labelled figures in one line, with two spaces between them.
pub(super) fn figures(look: Look, figures: &[(&str, String, Style)]) -> Line<'static> {
    let mut spans = Vec::new();
    for (label, figure, style) in figures {
        let gap = if spans.is_empty() { "" } else { "  " };
        spans.push(Span::styled(format!("{gap}{label} "), look.label()));
        spans.push(Span::styled(look.shown(figure), *style));
    }
    Line::from(spans)
}

/// Breaks a text into lines of at most `width` columns; further ones are indented by two.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let is_first = line.trim().is_empty();
        if !is_first && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::replace(&mut line, format!("  {word}")));
            continue;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words() {
        let lines = wrapped("do: give work more workers, at least 6", 16);
        assert_eq!(lines, ["do: give work", "  more workers,", "  at least 6"]);
        assert_eq!(wrapped("averyveryverylongword x", 8), ["averyveryverylongword", "  x"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn what_is_too_long_ends_with_an_ellipsis_and_nothing_leaves_the_buffer() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        let mut pen = Pen { buffer: &mut buffer, look: Look::PLAIN };
        pen.left(Rect::new(0, 0, 4, 1), &Line::from("render"));
        pen.right(Rect::new(4, 0, 9, 9), &Line::from("x"));
        pen.left(Rect::new(0, 3, 4, 1), &Line::from("below"));
        pen.right(Rect::new(9, 0, 4, 1), &Line::from("right of it"));
        assert_eq!(buffer, Buffer::with_lines(["ren… x"]));
    }
}
