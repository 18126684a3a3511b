//! The known seconds of a graph, as rows, and the state of the screen; the seconds of a run of
//! load. Pure: no I/O and no clock.

mod command;
mod flow;
mod moment;
mod page;
mod places;
mod playback;
mod rows;
mod run;
mod sort;
mod state;
mod tape;
#[cfg(test)]
pub(crate) mod testing;
mod trend;

pub(crate) use command::Command;
pub(crate) use moment::{Moment, Summary};
pub(crate) use page::Page;
pub(crate) use places::Places;
pub(crate) use playback::Playback;
pub(crate) use rows::{ClassRow, EdgeRow, StageRow, answered_per_second};
pub(crate) use run::{BOUNDS, Phase, ROWS, RunName, RunSecond, RunTape, lost};
pub(crate) use sort::Sort;
pub(crate) use state::{Focus, Link, State};
pub(crate) use tape::Tape;
