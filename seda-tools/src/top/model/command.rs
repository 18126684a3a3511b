//! The commands of keys and mouse.

use super::page::Page;
use super::sort::Sort;

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Ends the program.
    Quit,
    /// Ends the program as Ctrl-C does.
    Interrupt,
    /// Stops the program until the shell continues it.
    Suspend,
    /// Draws everything anew.
    Redraw,
    /// Shows or hides the help.
    Help,
    /// Hides the help, takes the selection back, or returns to the stages.
    Back,
    Show(Page),
    NextPage,
    Sort(Sort),
    NextSort,
    PreviousSort,
    /// Moves the arrows between the table and the journal.
    Focus,
    /// Goes this number of rows down, or up if it is negative.
    Rows(isize),
    /// Goes this number of screens down, or up if it is negative.
    Screens(isize),
    Top,
    Bottom,
    /// Stops or goes on.
    Pause,
    /// Goes this number of seconds on, or back if it is negative.
    Seconds(isize),
    Start,
    End,
    Faster,
    Slower,
    /// Selects the row or the column at a place of the screen.
    Click {
        column: u16,
        row: u16,
    },
    /// Scrolls the part at a row of the screen.
    Scroll {
        row: u16,
        by: isize,
    },
}
