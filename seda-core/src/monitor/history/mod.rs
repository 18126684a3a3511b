//! The last ten minutes of a graph, second by second.
//!
//! The control thread makes a report each second and keeps the part of it that tells the past. No
//! event pays for it, and no reader delays it. A graph with more than [`STAGES_MOST`] stages has no
//! history, because its report takes too long.
//!
//! - `record`: [`SecondRecord`] and its parts, made of two reports.
//! - `ring`: the bounded ring of them, and [`History`].

mod record;
mod ring;

pub use record::{
    ClassSecond, EdgeSecond, EventsSecond, RequestSecond, SecondDetail, SecondRecord, StageSecond,
    TimesSecond, WorkersSecond,
};
pub use ring::{EdgeEnds, History};
pub(crate) use ring::{HistoryRing, STAGES_MOST};
