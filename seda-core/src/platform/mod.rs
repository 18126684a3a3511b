//! Platform: clocks, deadlines, locks and atomics, random numbers, the kernel's figures of a
//! thread, and the panic boundary.
//!
//! The room imports std and crates only. Everything that knows an event, a queue or a stage
//! belongs above it.

mod blocking_call;
mod clock;
mod deadline;
mod machine;
pub(crate) mod rng;
mod schedstat;
pub(crate) mod sync;
mod unwind;

pub(crate) use blocking_call::{BlockingCall, ThreadState, descriptor_target};
pub use clock::{Clock, ManualClock, MonotonicClock, Time};
pub(crate) use deadline::Deadline;
pub(crate) use machine::{ControlGroup, MachineTimes};
pub(crate) use schedstat::{Schedstat, ThreadId};
pub(crate) use unwind::catch_panic;
