//! The simulated world: the graph, its machine, its clients.

pub(crate) mod arrivals;
pub(crate) mod build;
pub(crate) mod clients;
mod cores;
mod job;
pub(crate) mod machine;
