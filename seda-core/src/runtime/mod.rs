//! The life of a graph: running on threads, stepped by hand, and drained.
//!
//! The room may import `control` and lower rooms. It starts and ends threads and calls the control
//! plane. Decisions do not belong here (`control`), nor does the worker loop (`worker`).

mod drain;
#[cfg(test)]
mod finishing_tests;
#[cfg(test)]
mod lost_event_tests;
mod manual;
mod running;
mod settings;
mod snapshots;
mod threads;

pub use drain::{Drained, LeftOver};
#[cfg(seda_model)]
pub(crate) use drain::{conclude, end_graph, finish_all, shed_queues};
pub use manual::Manual;
pub use running::Running;
pub use snapshots::Snapshots;
