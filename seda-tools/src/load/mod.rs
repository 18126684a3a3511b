//! The plan of a load: arrivals, requests, and retries.
//!
//! This room may import `report`, `watch` and `h1`. It holds plain data; sending belongs in
//! `generator`.

pub mod arrivals;
pub mod mix;
pub mod plan;
pub(crate) mod retry;
pub mod trace;
pub mod workload;
