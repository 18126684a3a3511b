//! The settings that code declares.
//!
//! They are kept apart from the file's, so that a line taken out of the file restores the declared
//! value.

use crate::config::WorkerRange;
use crate::config::class::ClassConfig;
use crate::config::error::SettingsError;
use crate::config::graph::GraphConfig;
use crate::config::slo::SloConfig;
use crate::config::stage::StageConfig;
use crate::platform::sync::Arc;
use bytesize::ByteSize;

/// The declared settings of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) budget: Option<usize>,
    pub(crate) budget_bytes: Option<ByteSize>,
    pub(crate) slo: SloConfig,
    pub(crate) classes: Vec<ClassConfig>,
    pub(crate) stages: Vec<StageDeclaration>,
    pub(crate) pools: Vec<PoolDeclaration>,
}

/// The declared settings of a stage.
#[derive(Clone, Debug)]
pub(crate) struct StageDeclaration {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: usize,
    pub(crate) config: StageConfig,
    /// The shared pool. `None`: a pool of its own.
    pub(crate) pool: Option<usize>,
    /// The default number of workers of its own pool, if it is replicated.
    pub(crate) servers: Option<usize>,
    /// True if events of one key are handled in order.
    pub(crate) keyed: bool,
    /// The replicated stage of which it is a member.
    pub(crate) group: Option<Membership>,
}

/// The place of a stage among the replicas of a replicated stage.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) members: usize,
}

impl StageDeclaration {
    /// Returns this member's part of the file's settings for its replicated stage.
    pub(crate) fn replica_settings(&self, config: &GraphConfig) -> StageConfig {
        let Some(group) = &self.group else { return StageConfig::default() };
        let whole = config.stages.get(&group.name);
        whole.map(|whole| whole.part(group.members, group.number)).unwrap_or_default()
    }
}

impl Declaration {
    /// Checks that everything named in `config` exists.
    pub(crate) fn check_names(&self, config: &GraphConfig) -> Result<(), SettingsError> {
        let groups = self.stages.iter().filter_map(|stage| Some(&*stage.group.as_ref()?.name));
        let mut stages: Vec<&str> =
            self.stages.iter().map(|stage| &*stage.name).chain(groups).collect();
        stages.dedup();
        let pools: Vec<&str> = self.pools.iter().map(|pool| &*pool.name).collect();
        let classes: Vec<&str> = self.classes.iter().map(|class| &*class.name).collect();
        check("stages", "stage", config.stages.keys(), &stages)?;
        check("pools", "pool", config.pools.keys(), &pools)?;
        check("classes", "class", config.classes.keys(), &classes)?;
        let with_slo = config.slo.classes.keys().chain(self.slo.classes.keys());
        check("slo.classes", "class", with_slo, &classes)
    }
}

/// A shared pool as code declares it.
#[derive(Clone, Debug)]
pub(crate) struct PoolDeclaration {
    pub(crate) name: String,
    pub(crate) range: WorkerRange,
    /// True if its workers run on threads of the user.
    pub(crate) hosted: bool,
}

/// Checks that every name in a section is known.
fn check<'a>(
    section: &str,
    kind: &'static str,
    mut named: impl Iterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), SettingsError> {
    let Some(name) = named.find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(SettingsError::Unknown { key: format!("{section}.{name}"), kind, known })
}
