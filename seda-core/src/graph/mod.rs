//! The builder: a program declares its stages, pools and edges here, and starts the graph.
//!
//! Imports `runtime` and every room below it. Code that runs once the graph is started does not
//! belong here.

mod attach;
mod builder;
mod check;
mod declared_stage;
mod plan;
mod policy_factories;
mod replicate;
mod replicated;
mod route;
mod wire;

pub use builder::Graph;
pub use wire::Wire;
