//! Platform.

mod clock;
mod deadline;
pub(crate) mod rng;
mod schedstat;
pub(crate) mod sync;
mod unwind;

pub use clock::{Clock, ManualClock, MonotonicClock, Time};
pub(crate) use deadline::Deadline;
pub(crate) use schedstat::{Schedstat, ThreadId};
pub(crate) use unwind::catch_panic;
