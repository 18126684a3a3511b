//! The pool-size controller: the number of workers of each pool.

mod capacity;
mod controller;
mod littles_law;
mod max_min_fair;
mod observation;
mod trial;

pub(in crate::control) use controller::{PoolSizeController, Sizing};
pub use littles_law::PoolSizePolicy;
pub use observation::PoolObservation;
pub(in crate::control) use observation::{observe_pools, refused_events};
