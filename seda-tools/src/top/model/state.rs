//! The state of the screen, and how commands change it.

use super::command::Command;
use super::page::Page;
use super::places::Places;
use super::playback::Playback;
use super::sort::Sort;
use super::tape::Tape;
use std::cmp::Ordering;

/// The part of the screen that the arrows move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    #[default]
    Table,
    Journal,
}

/// The connection to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Link {
    /// There is none: a file is shown.
    File,
    /// It answers.
    #[default]
    Up,
    /// It has not answered for these seconds, and why.
    Broken { seconds: f64, reason: String },
}

/// The state of the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    /// The name of the source.
    pub(crate) source: String,
    pub(crate) link: Link,
    pub(crate) playback: Playback,
    pub(crate) page: Page,
    pub(crate) sort: Sort,
    pub(crate) focus: Focus,
    pub(crate) has_help: bool,
    /// The key of the selected row.
    pub(crate) selected: Option<usize>,
    /// The first row of the table that is shown.
    pub(crate) offset: usize,
    /// True if the selected row has to be in sight.
    pub(crate) follows_selected: bool,
    /// The number of decisions below the last one that is shown.
    pub(crate) journal_offset: usize,
    /// True for a frame that is printed: it has all rows, and no keys.
    pub(crate) is_printed: bool,
}

impl State {
    pub(crate) fn new(source: String, link: Link, playback: Playback) -> Self {
        Self { source, link, playback, ..Self::default() }
    }

    /// Carries out a command. `places` are those of the last frame.
    pub(crate) fn apply(&mut self, command: Command, places: &Places, tape: &Tape) {
        match command {
            Command::Quit | Command::Interrupt | Command::Suspend | Command::Redraw => {}
            Command::Help => self.has_help = !self.has_help,
            Command::Back => self.back(),
            Command::Show(page) => self.show(page),
            Command::NextPage => self.show(self.page.next()),
            Command::Sort(sort) => self.sort = sort,
            Command::NextSort => self.sort = self.sort.next(),
            Command::PreviousSort => self.sort = self.sort.previous(),
            Command::Focus => {
                self.focus = match self.focus {
                    Focus::Table => Focus::Journal,
                    Focus::Journal => Focus::Table,
                }
            }
            Command::Rows(by) => self.go(by, places),
            Command::Screens(by) => {
                let rows = match self.focus {
                    Focus::Table => &places.table,
                    Focus::Journal => &places.journal,
                };
                self.go(by.saturating_mul(isize::try_from(rows.len()).unwrap_or(1)), places);
            }
            Command::Top => self.go(isize::MIN, places),
            Command::Bottom => self.go(isize::MAX, places),
            Command::Pause => self.playback.toggle(tape),
            Command::Seconds(by) => self.playback.step(by, tape),
            Command::Start => self.playback.start(tape),
            Command::End => self.playback.end(tape),
            Command::Faster => self.playback.change_speed(true),
            Command::Slower => self.playback.change_speed(false),
            Command::Click { column, row } => self.click(column, row, places),
            Command::Scroll { row, by } => self.scroll(row, by, places),
        }
    }

    /// Takes over where a frame has scrolled to.
    pub(crate) fn settle(&mut self, places: &Places) {
        (self.offset, self.journal_offset) = (places.offset, places.journal_offset);
        self.follows_selected = false;
    }

    fn show(&mut self, page: Page) {
        if self.page != page {
            (self.page, self.selected, self.offset) = (page, None, 0);
        }
        self.has_help = false;
    }

    fn back(&mut self) {
        if self.has_help {
            self.has_help = false;
        } else if self.selected.is_some() {
            self.selected = None;
        } else {
            self.show(Page::Stages);
        }
    }

    /// Goes some rows down in the part that has the focus.
    fn go(&mut self, by: isize, places: &Places) {
        if self.focus == Focus::Journal {
            self.scroll_journal(by);
            return;
        }
        let last = places.keys.len().saturating_sub(1);
        let now = self.selected.and_then(|key| places.keys.iter().position(|row| *row == key));
        let to = match now {
            Some(now) => now.saturating_add_signed(by).min(last),
            // The first step selects the first row in sight.
            None if by == isize::MAX => last,
            None if by == isize::MIN => 0,
            None => places.offset.min(last),
        };
        self.selected = places.keys.get(to).copied();
        self.follows_selected = true;
    }

    fn click(&mut self, column: u16, row: u16, places: &Places) {
        if let Some(sort) = places.sort_at(column, row) {
            self.sort = sort;
        } else if let Some(key) = places.key_at(row) {
            (self.selected, self.focus) = (Some(key), Focus::Table);
        } else if places.journal.contains(&row) {
            self.focus = Focus::Journal;
        }
    }

    fn scroll(&mut self, row: u16, by: isize, places: &Places) {
        if places.journal.contains(&row) {
            self.scroll_journal(by);
        } else {
            self.offset = self.offset.saturating_add_signed(by);
        }
    }

    /// Goes some decisions down. A frame bounds the offset.
    fn scroll_journal(&mut self, by: isize) {
        self.journal_offset = match by.cmp(&0) {
            Ordering::Greater => self.journal_offset.saturating_sub(by.unsigned_abs()),
            _ => self.journal_offset.saturating_add(by.unsigned_abs()),
        };
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
