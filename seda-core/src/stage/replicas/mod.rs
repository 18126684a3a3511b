//! Replicated stages: n copies of a stage behind one port.
//!
//! `Graph::replicated_stage` declares one. `docs/replicas.md` compares the balances by measurement.
//!
//! - `balancer`: the choice of a replica, without stages or queues.
//! - `replica_set`: asks the replicas one after the other until one has room.

mod balancer;
mod replica_set;

pub use balancer::Balancer;
pub(crate) use replica_set::ReplicaSet;
