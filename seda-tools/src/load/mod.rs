//! What is to be sent: when requests start, what they ask for, and whether clients try again.

pub mod arrivals;
pub mod mix;
pub mod plan;
pub(crate) mod retry;
pub mod trace;
pub mod workload;
