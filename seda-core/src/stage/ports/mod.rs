//! Ports.

mod permits;
mod sink;
mod source;

pub use permits::Permits;
pub(crate) use sink::{AnyOutbox, Outbox};
pub use sink::{Sink, WaitingSink};
pub(crate) use source::Replica;
pub use source::{SendOptions, Source};
