//! Graph.

mod attach;
mod builder;
mod check;
mod extractors;
mod plan;
mod replicated;
mod route;
mod wire;

pub use builder::Graph;
pub(crate) use builder::{DeclaredPool, Edge, MakeRunner};
pub use wire::Wire;
