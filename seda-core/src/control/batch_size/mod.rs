//! The batch-size controller: how many events a worker takes at once, per stage.

mod controller;
mod policy;

pub(in crate::control) use controller::BatchSizeController;
pub use policy::{BatchObservation, BatchSizePolicy};
