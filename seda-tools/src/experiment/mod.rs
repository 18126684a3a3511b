//! Several runs against one server: sweeps, steps, comparisons, simulated servers and plans.
//!
//! This room may import `generator`, `load`, `report`, `watch` and `h1`. Drawings belong in
//! `page`, flags into `cli`.

pub(crate) mod admin;
pub mod compare;
pub mod condition;
pub mod lab;
pub mod plan;
mod relation;
pub mod sim;
pub mod step;
pub mod sweep;
