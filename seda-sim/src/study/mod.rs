//! Studies of many runs: does a server recover after a trigger is over?
//!
//! A *metastable failure* outlives its cause: retries, or a cold cache, keep the server overloaded
//! (Bronson et al., HotOS 2021; Huang et al., OSDI 2022). A study runs a spec twice with each seed,
//! with its trigger and without, and compares the good answers after the trigger. It does so over
//! a [`Map`] of loads and triggers, for seda and for [models](Variant) of other servers.
//!
//! [`diagnosis`] generates graphs, finds what limits each of them, and judges what reports name.
//!
//! Imports everything below. A single run does not belong here.

mod cell;
pub mod diagnosis;
mod map;
mod summary;
mod trial;
mod trigger;
mod variant;

pub use cell::Cell;
pub use map::{Map, read_maps};
pub use summary::Summary;
pub use trial::Trial;
pub use variant::Variant;
