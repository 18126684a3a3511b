//! A whole frame: which part stands where.

use super::look::Look;
use super::pen::{Pen, wrapped};
use super::table::Table;
use super::{classes, edges, head, help, journal, stages};
use crate::top::model::{Moment, Page, Places, State, Tape};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The least size of a frame.
const WIDTH_LEAST: u16 = 80;
const HEIGHT_LEAST: u16 = 24;
/// The most classes at the top of the smallest screen; larger ones show more.
const CLASSES: u16 = 3;
/// The lines of the bottleneck on a screen that has not room for all rows of the table.
const BOTTLENECK: u16 = 3;
/// The least lines of the journal, with its heading, unless it has fewer decisions.
const JOURNAL: u16 = 4;
/// The lines of the journal in a printed frame, with its heading.
const JOURNAL_PRINTED: u16 = 9;
/// The most lines of a printed frame: 4,096 stages.
const PRINTED_MOST: u16 = 4_096;

/// Takes rows off the top or the bottom of an area.
struct Rows(Rect);

impl Rows {
    fn take(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        let taken = Rect { height: rows, ..self.0 };
        self.0 = Rect { y: self.0.y + rows, height: self.0.height - rows, ..self.0 };
        taken
    }

    fn take_last(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        self.0.height -= rows;
        Rect { y: self.0.bottom(), height: rows, ..self.0 }
    }
}

/// Draws a frame, and returns where its parts are.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    tape: &Tape,
    state: &State,
    look: Look,
) -> Places {
    let mut pen = Pen { buffer, look };
    let mut places = Places::default();
    if area.width < WIDTH_LEAST || area.height < HEIGHT_LEAST {
        draw_too_small(&mut pen, area);
        return places;
    }
    let moment = Moment::of(tape, state.playback.at());
    let mut rows = Rows(area);
    // 1. The top.
    head::draw_title(&mut pen, rows.take(1), &moment, tape, state);
    if let Some(banner) = head::banner(state) {
        let row = rows.take(1);
        pen.left(row, &Line::raw(look.shown(&banner)));
        pen.paint(row, look.banner());
    }
    pen.lines(rows.take(2), &head::summary(&moment, look));
    if !state.is_printed {
        pen.left(rows.take_last(1), &help::footer(look));
    }
    let table = table(&moment, state, area.width, look);
    let details = stages::details(&moment, state.selected, look);
    let details = details.filter(|_| state.page == Page::Stages);
    let needed = length(table.rows.len().max(1)).saturating_add(1 + u16::from(details.is_some()));
    if state.page != Page::Classes {
        let most = if state.is_printed { u16::MAX } else { CLASSES + extra(area) / 6 };
        draw_classes(&mut pen, &mut rows, &moment, most);
    }
    // The bottleneck gets the lines that the table and the journal do not need.
    let least = length(journal::lines(&moment)).min(JOURNAL);
    let spare = rows.0.height.saturating_sub(needed.saturating_add(least));
    let most = usize::from(spare.max(BOTTLENECK));
    let bottleneck = head::bottleneck(&moment, area.width, most, look);
    pen.lines(rows.take(length(bottleneck.len())), &bottleneck);
    // 2. The journal at the bottom.
    let of_journal = rows.0.height.saturating_sub(needed).max(least);
    let area_of_journal = rows.take_last(of_journal);
    journal::draw(&mut pen, area_of_journal, &moment, state, &mut places);
    // 3. The table, in the rest.
    if let Some(details) = details {
        pen.left(rows.take_last(1), &details);
    }
    table.draw(&mut pen, rows.0, state, &mut places);
    draw_rest(&mut pen, area_of_journal, &places);
    if state.has_help {
        help::draw(&mut pen, area);
    }
    places
}

fn table(moment: &Moment<'_>, state: &State, width: u16, look: Look) -> Table {
    match state.page {
        Page::Stages => stages::table(moment, state.sort, width, look),
        Page::Classes => classes::table(moment, width, look),
        Page::Edges => edges::table(moment, width, look),
    }
}

/// Draws the classes that have room.
fn draw_classes(pen: &mut Pen<'_>, rows: &mut Rows, moment: &Moment<'_>, most: u16) {
    let look = pen.look;
    let table = classes::summary(moment, rows.0.width, look);
    let all = length(table.rows.len());
    if !classes::are_known(moment) {
        let text = "classes: a history has them for its last 60 s alone";
        pen.left(rows.take(all.min(1)), &Line::styled(text, look.label()));
        return;
    }
    let shown = all.min(most);
    let area = rows.take(shown.saturating_add(1));
    table.draw(pen, area, &State::default(), &mut Places::default());
    if shown < all {
        let text = format!(" {} more classes: key 2", all - shown);
        pen.left(rows.take(1), &Line::styled(text, look.label()));
    }
}

/// Returns the lines that a screen has more than the least.
fn extra(area: Rect) -> u16 {
    area.height.saturating_sub(HEIGHT_LEAST)
}

/// Writes which rows of the table are in sight, if not all are, at the right of a line below it.
fn draw_rest(pen: &mut Pen<'_>, area: Rect, places: &Places) {
    let (all, shown) = (places.keys.len(), places.table.len());
    if all > shown {
        let (first, last) = (places.offset + 1, places.offset + shown);
        let text = format!(" rows {first} to {last} of {all}");
        pen.right(area, &Line::styled(text, pen.look.label()));
    }
}

fn draw_too_small(pen: &mut Pen<'_>, area: Rect) {
    let text = format!(
        "seda top needs {WIDTH_LEAST} x {HEIGHT_LEAST} characters; here are {} x {}",
        area.width, area.height
    );
    let lines = wrapped(&text, usize::from(area.width));
    let lines: Vec<_> = lines.into_iter().map(Line::from).collect();
    pen.lines(area, &lines);
}

/// Returns the height of a printed frame, which has all rows.
pub(crate) fn height_of_all(tape: &Tape, state: &State, width: u16, look: Look) -> u16 {
    let moment = Moment::of(tape, state.playback.at());
    let classes = if state.page == Page::Classes { 0 } else { moment.classes().len() + 1 };
    let bottleneck = head::bottleneck(&moment, width, usize::MAX, look).len();
    let rows = table(&moment, state, width, look).rows.len();
    // The title, the two lines of the graph, and the header of the table.
    let lines = length(4 + classes + bottleneck + rows);
    lines.saturating_add(JOURNAL_PRINTED).clamp(HEIGHT_LEAST, PRINTED_MOST)
}

fn length(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
