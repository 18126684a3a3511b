//! The ports of a stage: sources from outside, sinks from handlers, and the permits below both.

mod permits;
mod sink;
mod source;

pub use permits::Permits;
pub(crate) use sink::{AnyOutbox, Outbox};
pub use sink::{Sink, WaitingSink};
pub(crate) use source::Replica;
pub use source::{SendOptions, Source};
