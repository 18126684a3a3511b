//! The simulated world: arrivals, clients, the graph with its handlers, workers and cores.
//!
//! Imports `report`, `spec` and `base`. Each part here says when it is due next and acts when it is
//! told to; the order in which they act does not belong here, but in `run`.

pub(crate) mod arrivals;
pub(crate) mod build;
mod cache;
pub(crate) mod clients;
mod cores;
pub(crate) mod error;
mod inside;
mod job;
mod limiter;
pub(crate) mod machine;
mod outside;
mod period;
pub(crate) mod tenants;
