//! Checks the structure of a graph before its start. Its settings, which may change later, are
//! checked in `config`.

use crate::config::{GraphError, GraphWarning, MAX_CLASSES, SettingFault};
use crate::graph::builder::Graph;
use std::collections::HashSet;

/// The longest name, in bytes: names go into metric labels and thread names.
const MAX_NAME: usize = 64;

impl Graph {
    /// Checks the structure of the graph.
    ///
    /// # Errors
    /// The first fault.
    pub(super) fn check(&self) -> Result<(), GraphError> {
        if self.stages.is_empty() {
            return Err(GraphError::NoStages { graph: self.core.name.to_string() });
        }
        self.check_replicas()?;
        self.check_names()?;
        self.check_handlers()?;
        self.check_waiting_edges()?;
        self.check_classes()
    }

    fn check_names(&self) -> Result<(), GraphError> {
        let (mut stages, mut pools) = (HashSet::new(), HashSet::new());
        for stage in &self.stages {
            let stage = stage.core.name().to_string();
            check_name(&stage)?;
            if !stages.insert(stage.clone()) {
                return Err(GraphError::StageNameTwice { stage });
            }
        }
        for pool in &self.pools {
            check_name(&pool.name)?;
            if !pools.insert(pool.name.clone()) {
                return Err(GraphError::PoolNameTwice { pool: pool.name.clone() });
            }
        }
        Ok(())
    }

    fn check_handlers(&self) -> Result<(), GraphError> {
        match self.stages.iter().find(|stage| stage.make.is_none()) {
            Some(stage) => Err(GraphError::NoHandler { stage: stage.core.name().to_string() }),
            None => Ok(()),
        }
    }

    /// Checks that no waiting edge lies on a cycle, where it would wait for itself. A waiting
    /// worker holds up its whole pool, so a shared pool counts as one node: an edge lies on a cycle
    /// if the node of its target leads to the node of its sender.
    fn check_waiting_edges(&self) -> Result<(), GraphError> {
        for edge in self.edges.iter().filter(|edge| edge.waits) {
            let Some(from) = edge.from else { continue };
            if self.reachable(&[edge.to]).contains(&self.node(from)) {
                let from = self.stage_name(from);
                let to = self.stage_name(edge.to);
                return Err(GraphError::WaitingOnCycle { from, to });
            }
        }
        Ok(())
    }

    fn stage_name(&self, index: usize) -> String {
        self.stages.get(index).map_or_else(String::new, |stage| stage.core.name().to_string())
    }

    fn check_classes(&self) -> Result<(), GraphError> {
        let classes = self.classes.len();
        if !(1..=MAX_CLASSES).contains(&classes) {
            let allowed = format!("1 to {MAX_CLASSES} classes");
            return Err(SettingFault::new("classes", classes, allowed).into());
        }
        let mut names = HashSet::new();
        for class in &self.classes {
            if !names.insert(&class.name) {
                let twice = format!("`{}` twice", class.name);
                return Err(SettingFault::new("classes", twice, "names that differ").into());
            }
        }
        Ok(())
    }

    /// Returns a warning for each stage that no source leads to.
    pub(super) fn unreachable(&self) -> Vec<GraphWarning> {
        let entries = self.edges.iter().filter(|edge| edge.from.is_none()).map(|edge| edge.to);
        let reached = self.reachable_stages(&entries.collect::<Vec<_>>());
        let stages = self.stages.iter().enumerate().filter(|(index, _)| !reached.contains(index));
        let names = stages.map(|(_, stage)| stage.core.name().to_string());
        names.map(|stage| GraphWarning::Unreachable { stage }).collect()
    }

    /// Returns the node of a stage: its shared pool, or the stage itself.
    fn node(&self, stage: usize) -> (bool, usize) {
        match self.stages.get(stage).and_then(|stage| stage.pool) {
            Some(pool) => (true, pool),
            None => (false, stage),
        }
    }

    /// Returns the nodes that can be reached from these stages, including their own. The edges of a
    /// node are those of all its stages.
    fn reachable(&self, from: &[usize]) -> HashSet<(bool, usize)> {
        let mut reached = HashSet::new();
        let mut next: Vec<_> = from.iter().map(|stage| self.node(*stage)).collect();
        while let Some(node) = next.pop() {
            if reached.insert(node) {
                let leaving = self
                    .edges
                    .iter()
                    .filter(|edge| edge.from.is_some_and(|from| self.node(from) == node));
                next.extend(leaving.map(|edge| self.node(edge.to)));
            }
        }
        reached
    }

    fn reachable_stages(&self, from: &[usize]) -> HashSet<usize> {
        let mut reached = HashSet::new();
        let mut next = from.to_vec();
        while let Some(stage) = next.pop() {
            if reached.insert(stage) {
                let leaving = self.edges.iter().filter(|edge| edge.from == Some(stage));
                next.extend(leaving.map(|edge| edge.to));
            }
        }
        reached
    }
}

fn check_name(name: &str) -> Result<(), GraphError> {
    let printable = name.chars().all(|c| !c.is_control());
    if name.is_empty() || name.len() > MAX_NAME || !printable {
        return Err(GraphError::BadName { name: name.escape_debug().to_string() });
    }
    Ok(())
}
