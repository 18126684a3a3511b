//! Declare.

use crate::config::{Declaration, StageDeclaration};
use crate::graph::Graph;
use crate::platform::sync::Arc;

impl Graph {
    pub(crate) fn declaration(&self) -> Declaration {
        let stages = self.stages.iter().enumerate().map(|(index, stage)| StageDeclaration {
            name: Arc::clone(stage.core.name()),
            capacity: stage.capacity,
            config: stage.config.clone(),
            pool: stage.pool,
            servers: stage.servers,
            keyed: stage.core.is_keyed(),
            group: self.membership(index),
        });
        Declaration {
            budget: self.budget,
            budget_bytes: self.budget_bytes,
            slo: self.slo.clone(),
            classes: self.classes.clone(),
            stages: stages.collect(),
            pools: self.pools.clone(),
        }
    }
}
