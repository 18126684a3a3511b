//! A buffer as plain text.

use ratatui::buffer::Buffer;
use ratatui::text::Span;

/// Returns the lines of a buffer without styles, each without spaces at its end.
pub(crate) fn plain_text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut hidden = 0;
        for x in buffer.area.left()..buffer.area.right() {
            // The cells behind a wide character are a part of it.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            hidden = Span::raw(symbol).width().saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_character_takes_its_columns() {
        let buffer = Buffer::with_lines(["段x ", " y  "]);
        assert_eq!(plain_text(&buffer), "段x\n y\n");
    }
}
