//! New settings for a running graph: checked as at its start, then set, all of them or none.

use crate::config::{GraphConfig, ReconfigureError, SettingChange, Settings, WorkerRange};
use crate::control::plane::ControlPlane;
use crate::monitor::{RunningPool, Topology};
use crate::stage::{Controller, Decision};

impl ControlPlane {
    /// Applies the settings in `config`, and the declared value of every other setting. Returns the
    /// changes. The caller then adds the workers that are missing.
    pub(crate) fn reconfigure(
        &self,
        config: &GraphConfig,
    ) -> Result<Vec<SettingChange>, ReconfigureError> {
        let changes = self.replace_settings(|before| {
            let topology = &self.topology;
            let settings = Settings::of(&topology.declared, config)?;
            check_fixed(topology, before, &settings)?;
            let changes = settings.changes(before, &topology.declared);
            if !changes.is_empty() {
                set(topology, before, &settings);
                journal_changes(topology, &changes);
                if let Some(warning) = settings.warning() {
                    tracing::warn!(graph = %topology.core.name, "{warning}");
                }
            }
            Ok::<_, ReconfigureError>((settings, changes))
        })?;
        if !changes.is_empty() {
            self.follow_slos();
        }
        Ok(changes)
    }
}

/// Fails if a setting that is fixed at the start differs.
fn check_fixed(
    topology: &Topology,
    before: &Settings,
    after: &Settings,
) -> Result<(), ReconfigureError> {
    let pools = topology.pools.iter().zip(before.pools.iter().zip(&after.pools));
    let mut fixed = pools.filter(|(pool, (before, after))| pool.core.hosted && before != after);
    fixed.next().map_or(Ok(()), |(pool, (before, after))| {
        Err(ReconfigureError::Fixed {
            key: format!("pools.{}.workers", pool.core.name),
            now: before.to_string(),
            wanted: after.to_string(),
            why: "its workers are driven from outside; restart to change their number",
        })
    })
}

/// Applies the settings that differ. The others stay as they are, because a controller or the
/// program may have changed them live. Nothing here can fail.
fn set(topology: &Topology, before: &Settings, after: &Settings) {
    topology.core.set_timed(after.statistics);
    topology.core.admission.set(&after.slo, after.control.admission);
    topology.core.valve.set(after.control.valve, after.control.overload);
    let stages = before.stages.iter().zip(&after.stages);
    for (plan, (before, after)) in topology.stages.iter().zip(stages) {
        plan.core.apply(&plan.slots, after, Some(before));
    }
    if before.shares != after.shares {
        topology.stages.iter().for_each(|stage| stage.core.set_shares(&after.shares));
    }
    if before.budget != after.budget {
        topology.core.budget.set_limit(after.budget);
    }
    topology.core.bytes.set_limit(after.budget_bytes);
    let ranges = before.pools.iter().zip(&after.pools);
    for (pool, (before, after)) in topology.pools.iter().zip(ranges) {
        set_pool(pool, *before, *after);
    }
    topology.core.announce_change();
    // A higher cap may admit a parked worker to a stage.
    topology.pools.iter().for_each(|pool| pool.core.idle.wake_all());
}

fn journal_changes(topology: &Topology, changes: &[SettingChange]) {
    let now = topology.now();
    for change in changes {
        let decision = Decision::by(Controller::Settings, now)
            .seen("reconfigured")
            .action(format!("set `{}`", change.key))
            .changed(format!("{} → {}", change.before, change.after));
        topology.core.journal.record(Decision { stage: change.stage.clone(), ..decision });
    }
}

fn set_pool(pool: &RunningPool, before: WorkerRange, after: WorkerRange) {
    if before != after {
        pool.core.set_range(after);
    }
}
