//! Many loads against one server: sweeps, steps, comparisons, and simulated servers.

pub mod compare;
pub mod sim;
pub mod step;
pub mod sweep;
