//! Batch_size.

mod controller;
mod policy;

pub(crate) use controller::Batching;
pub use policy::{BatchObservation, BatchSizePolicy};
