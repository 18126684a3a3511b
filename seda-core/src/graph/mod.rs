//! Graph.

mod attach;
mod builder;
mod check;
mod declared_stage;
mod plan;
mod replicated;
mod route;
mod wire;

pub use builder::Graph;
pub use wire::Wire;
