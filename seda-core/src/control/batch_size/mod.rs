//! Batch_size.

mod controller;
mod policy;

pub(in crate::control) use controller::BatchSizeController;
pub use policy::{BatchObservation, BatchSizePolicy};
