//! A table: a header, rows that scroll, a selected row.

use super::bars;
use super::look::Look;
use super::pen::Pen;
use crate::top::model::{Places, Sort, State};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The columns between two columns.
const GAP: u16 = 1;

/// A trend of a minute needs no more than a cell a second.
const TREND_MOST: u16 = 60;

/// A table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// The text in place of rows.
    pub(super) note: &'static str,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: u16,
    /// True if its texts stand at its right, as figures do.
    pub(super) is_right: bool,
    /// The order that a click on its title asks for.
    pub(super) sort: Option<Sort>,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The part of the row that a selection keeps.
    pub(super) key: usize,
    pub(super) cells: Vec<Line<'static>>,
}

impl Column {
    pub(super) fn left(title: &'static str, width: u16) -> Self {
        Self { title, width, is_right: false, sort: None }
    }

    pub(super) fn right(title: &'static str, width: u16) -> Self {
        Self { is_right: true, ..Self::left(title, width) }
    }

    pub(super) fn by(self, sort: Sort) -> Self {
        Self { sort: Some(sort), ..self }
    }
}

impl Table {
    /// Draws the header and the rows that fit, and says where they are.
    pub(super) fn draw(&self, pen: &mut Pen<'_>, area: Rect, state: &State, places: &mut Places) {
        let look = pen.look;
        places.header = area.y;
        places.keys = self.rows.iter().map(|row| row.key).collect();
        // 1. The header.
        for (column, of_column) in self.columns.iter().zip(self.areas(area)) {
            let is_sorted = column.sort.is_some_and(|sort| sort == state.sort);
            let style = if is_sorted { look.sorted() } else { look.label() };
            column.write(pen, of_column, &Line::styled(column.title, style));
            let columns = of_column.x..of_column.right();
            places.columns.extend(column.sort.map(|sort| (columns, sort)));
        }
        // 2. The rows.
        let body = below(area);
        places.table = body.y..body.bottom();
        places.offset = self.offset(usize::from(body.height), state);
        let shown = self.rows.iter().skip(places.offset);
        for (row, of_row) in shown.zip(body.rows()) {
            for ((column, cell), of_cell) in
                self.columns.iter().zip(&row.cells).zip(self.areas(of_row))
            {
                column.write(pen, of_cell, cell);
            }
            if state.selected == Some(row.key) {
                pen.paint(of_row, look.selected());
            }
        }
        if self.rows.is_empty() {
            pen.left(body, &Line::styled(self.note, look.label()));
        }
    }

    /// Returns the areas of the columns in a row.
    fn areas(&self, row: Rect) -> impl Iterator<Item = Rect> + use<'_> {
        let mut x = row.x;
        self.columns.iter().map(move |column| {
            let area = Rect { x, width: column.width, height: 1, ..row };
            x = x.saturating_add(column.width + GAP);
            area.intersection(row)
        })
    }

    /// Returns the first row that is shown.
    fn offset(&self, height: usize, state: &State) -> usize {
        let most = self.rows.len().saturating_sub(height);
        let offset = state.offset.min(most);
        let selected = state.selected.filter(|_| state.follows_selected);
        let row = selected.and_then(|key| self.rows.iter().position(|row| row.key == key));
        match row {
            Some(row) if row < offset => row,
            Some(row) if row >= offset + height => (row + 1).saturating_sub(height),
            _ => offset,
        }
    }
}

impl Column {
    fn write(&self, pen: &mut Pen<'_>, area: Rect, line: &Line<'_>) {
        if self.is_right {
            pen.right(area, line);
        } else {
            pen.left(area, line);
        }
    }
}

/// Adds the column of the trends, which gets what the others leave of a screen.
pub(super) fn add_trend(columns: &mut Vec<Column>, screen: u16) -> usize {
    let width = screen.saturating_sub(width_of(columns) + GAP).min(TREND_MOST);
    let title = match width {
        0..=5 => "",
        6..=10 => "minute",
        _ => "last minute",
    };
    columns.push(Column::left(title, width));
    usize::from(width)
}

/// Returns the width of columns with the gaps between them.
fn width_of(columns: &[Column]) -> u16 {
    let widths: u16 = columns.iter().map(|column| column.width + GAP).sum();
    widths.saturating_sub(GAP)
}

/// Returns an area without its first row.
pub(super) fn below(area: Rect) -> Rect {
    let rows = area.height.min(1);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// Returns a bar and a text at the right of it, in a column of a width.
pub(super) fn bar_and_text(
    share: f64,
    text: &str,
    (width, of_text): (u16, usize),
    style: Style,
    look: Look,
) -> Line<'static> {
    let cells = usize::from(width).saturating_sub(of_text);
    let bar = bars::bar(share, cells, look);
    Line::from(vec![Span::styled(bar, style), Span::raw(format!("{text:>of_text$}"))])
}
