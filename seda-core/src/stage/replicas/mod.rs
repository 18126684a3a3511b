//! Replicated stages: n copies of a stage behind one sink, and who of them gets the next event.
//!
//! [`Graph::replicated_stage`](crate::graph::Graph::replicated_stage) declares one. `docs/replicas.md`
//! has the balances side by side, measured.
//!
//! - [`Replicas`], [`Balance`]: how many copies, and how they share the work.
//! - [`Balancer`]: the choice itself, free of stages and queues.
//! - `ways`: asking the replicas one after the other until one has room.

mod balancer;
mod replica_set;

pub use balancer::Balancer;
pub(crate) use replica_set::ReplicaSet;
