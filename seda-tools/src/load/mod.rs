//! The plan of a load: arrivals, requests, and retries.
//!
//! This room may import `report`, `watch` and `h1`. It holds plain data; sending belongs in
//! `generator`.

pub(crate) mod address;
pub mod arrivals;
pub mod mix;
pub mod plan;
pub(crate) mod retry;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub mod trace;
pub(crate) mod varying;
pub mod workload;
