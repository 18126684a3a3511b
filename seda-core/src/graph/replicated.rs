//! A replicated stage as the builder keeps it until the graph starts.

use crate::config::{Balance, GraphError, MAX_REPLICAS, Replicas, SettingFault};
use crate::graph::declared_stage::DeclaredStage;
use std::ops::Range;

/// A replicated stage: its replicas are consecutive stages. A central queue is one stage.
pub(super) struct Replicated {
    pub(super) name: String,
    pub(super) replicas: Replicas,
    pub(super) capacity: usize,
    pub(super) first: usize,
    pub(super) members: usize,
}

impl Replicated {
    /// Returns the indices of the stages that it consists of.
    pub(super) fn members(&self) -> Range<usize> {
        self.first..self.first + self.members
    }

    /// True if its replicas share one queue.
    pub(super) fn is_central(&self) -> bool {
        self.replicas.balance == Balance::Central
    }

    /// Checks the number of replicas, their capacity and their names; `stages` are all stages of
    /// the graph.
    pub(super) fn check(&self, stages: &[DeclaredStage]) -> Result<(), GraphError> {
        let count = self.replicas.count;
        if !(1..=MAX_REPLICAS).contains(&count) {
            let key = format!("stages.{}.replicas", self.name);
            return Err(SettingFault::new(key, count, format!("1 to {MAX_REPLICAS}")).into());
        }
        if self.is_central() {
            return Ok(());
        }
        if self.capacity < count {
            let key = format!("stages.{}.capacity", self.name);
            let allowed = format!("{count} or more events, one for the queue of each replica");
            return Err(SettingFault::new(key, self.capacity, allowed).into());
        }
        if stages.iter().any(|stage| **stage.core.name() == *self.name) {
            return Err(GraphError::StageNameTwice { stage: self.name.clone() });
        }
        Ok(())
    }
}
