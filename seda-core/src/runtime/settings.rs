//! Settings that a program changes live, on a running or a stepped graph.

use crate::monitor::Topology;

/// Sets the soft capacity of a stage, in events. Returns false if there is no such stage.
pub(super) fn set_soft_capacity(topology: &Topology, stage: &str, soft: usize) -> bool {
    let Some(plan) = topology.stages.iter().find(|plan| **plan.core.name() == *stage) else {
        return false;
    };
    plan.core.set_soft(soft);
    true
}
