//! Pool_size.

mod controller;
mod littles_law;
mod max_min_fair;
mod trial;

pub(crate) use controller::Sizing;
pub use littles_law::{PoolObservation, PoolSizePolicy};
