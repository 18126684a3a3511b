//! Where a frame has put its parts, for the mouse and for scrolling.

use super::sort::Sort;
use std::ops::Range;

/// The places of one frame. Rows and columns are those of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The keys of all rows of the table, in their order.
    pub(crate) keys: Vec<usize>,
    /// The first row of the table that is shown.
    pub(crate) offset: usize,
    /// The screen rows of the table, without its header.
    pub(crate) table: Range<u16>,
    /// The screen row of the header.
    pub(crate) header: u16,
    /// The columns by which the table can be sorted.
    pub(crate) columns: Vec<(Range<u16>, Sort)>,
    /// The screen rows of the journal.
    pub(crate) journal: Range<u16>,
    /// The number of decisions below the last one that is shown.
    pub(crate) journal_offset: usize,
}

impl Places {
    /// Returns the key of the row of the table at a screen row.
    pub(crate) fn key_at(&self, row: u16) -> Option<usize> {
        let within = self.table.contains(&row).then(|| row - self.table.start)?;
        self.keys.get(self.offset + usize::from(within)).copied()
    }

    /// Returns the order of the column at a place of the header.
    pub(crate) fn sort_at(&self, column: u16, row: u16) -> Option<Sort> {
        let found = self.columns.iter().find(|(columns, _)| columns.contains(&column));
        found.filter(|_| row == self.header).map(|(_, sort)| *sort)
    }
}
