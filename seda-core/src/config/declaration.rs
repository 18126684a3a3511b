//! What code declared of all that a file may set: kept apart from what the file says, so that a
//! line that is taken out of the file means the declared value again.

use crate::config::WorkerRange;
use crate::config::class::ClassConfig;
use crate::config::error::SettingsError;
use crate::config::graph::GraphConfig;
use crate::config::slo::SloConfig;
use crate::config::stage::StageConfig;
use crate::platform::sync::Arc;
use bytesize::ByteSize;

#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) budget: Option<usize>,
    pub(crate) budget_bytes: Option<ByteSize>,
    pub(crate) slo: SloConfig,
    pub(crate) classes: Vec<ClassConfig>,
    pub(crate) stages: Vec<StageDeclaration>,
    pub(crate) pools: Vec<PoolDeclaration>,
}

#[derive(Clone, Debug)]
pub(crate) struct StageDeclaration {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: usize,
    pub(crate) config: StageConfig,
    /// `None`: a pool of its own.
    pub(crate) pool: Option<usize>,
    /// How many workers a pool of its own has by default, if it is replicated.
    pub(crate) servers: Option<usize>,
    /// Whether events of one key are handled in their order.
    pub(crate) keyed: bool,
    /// The replicated stage that it is a member of.
    pub(crate) group: Option<Membership>,
}

/// A member of a replicated stage with a queue for each replica.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) members: usize,
}

impl StageDeclaration {
    /// This member's part of what a file says of its replicated stage.
    pub(crate) fn said_of_group(&self, config: &GraphConfig) -> StageConfig {
        let said = |group: &Membership| {
            let said = config.stages.get(&group.name)?;
            Some(said.part(group.members, group.number))
        };
        self.group.as_ref().and_then(said).unwrap_or_default()
    }
}

impl Declaration {
    /// Whether everything that `config` names exists.
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
        let promised = config.slo.classes.keys().chain(self.slo.classes.keys());
        check("slo.classes", "class", promised, &classes)
    }
}

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

#[derive(Clone, Debug)]
pub(crate) struct PoolDeclaration {
    pub(crate) name: String,
    pub(crate) range: WorkerRange,
    pub(crate) hosted: bool,
}
