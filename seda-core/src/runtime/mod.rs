//! Runtime.

mod drain;
#[cfg(test)]
mod finishing_tests;
#[cfg(test)]
mod lost_event_tests;
mod manual;
mod running;
mod snapshots;
mod threads;
pub use drain::LeftOver;

pub use drain::Drained;
#[cfg(seda_model)]
pub(crate) use drain::{conclude, finish_all, give_up, leave};
pub use manual::Manual;
pub use running::Running;
pub use snapshots::Snapshots;
