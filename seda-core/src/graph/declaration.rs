//! What code declared of all that a file may set: kept apart from what the file says, so that a
//! line that is taken out of the file means the declared value again.

use super::{ClassConfig, DeclaredPool, Graph, GraphConfig};
use crate::error::GraphError;
use crate::stage::StageConfig;
use crate::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) budget: Option<usize>,
    pub(crate) classes: Vec<ClassConfig>,
    pub(crate) stages: Vec<StageDeclaration>,
    pub(crate) pools: Vec<DeclaredPool>,
}

#[derive(Clone, Debug)]
pub(crate) struct StageDeclaration {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: usize,
    pub(crate) config: StageConfig,
    /// `None`: a pool of its own.
    pub(crate) pool: Option<usize>,
}

impl Graph {
    pub(super) fn declaration(&self) -> Declaration {
        let stages = self.stages.iter().map(|stage| StageDeclaration {
            name: Arc::clone(stage.core.name()),
            capacity: stage.capacity,
            config: stage.config.clone(),
            pool: stage.pool,
        });
        Declaration {
            budget: self.budget,
            classes: self.classes.clone(),
            stages: stages.collect(),
            pools: self.pools.clone(),
        }
    }
}

impl Declaration {
    /// Whether everything that `config` names exists.
    pub(crate) fn check_names(&self, config: &GraphConfig) -> Result<(), GraphError> {
        let stages: Vec<&str> = self.stages.iter().map(|stage| &*stage.name).collect();
        let pools: Vec<&str> = self.pools.iter().map(|pool| &*pool.name).collect();
        let classes: Vec<&str> = self.classes.iter().map(|class| &*class.name).collect();
        check("stages", "stage", config.stages.keys(), &stages)?;
        check("pools", "pool", config.pools.keys(), &pools)?;
        check("classes", "class", config.classes.keys(), &classes)
    }
}

fn check<'a>(
    section: &str,
    kind: &'static str,
    mut named: impl Iterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), GraphError> {
    let Some(name) = named.find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(GraphError::Unknown { key: format!("{section}.{name}"), kind, known })
}
