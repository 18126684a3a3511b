//! New settings for a graph that runs: checked as at its start, then set, whole or not at all.

use crate::config::{GraphConfig, GraphError, SettingChange, Settings, WorkerRange};
use crate::monitor::{Engine, RunningPool};
use crate::stage::{Controller, Decision};

impl Engine {
    /// Sets what `config` says, else what was declared. From the first line that sets something
    /// on, nothing can fail. Workers that are missing then have to be hired.
    pub(crate) fn reconfigure(
        &self,
        config: &GraphConfig,
    ) -> Result<Vec<SettingChange>, GraphError> {
        let changes = self.replace_settings(|before| {
            let settings = Settings::of(&self.declared, config)?;
            self.check_fixed(before, &settings)?;
            let changes = settings.changes(before, &self.declared);
            if !changes.is_empty() {
                self.set(before, &settings);
                self.journal_changes(&changes);
                if let Some(warning) = settings.warning() {
                    tracing::warn!(graph = %self.core.name, "{warning}");
                }
            }
            Ok((settings, changes))
        })?;
        if !changes.is_empty() {
            self.follow_promises();
        }
        Ok(changes)
    }

    /// What can only be said before the start.
    fn check_fixed(&self, before: &Settings, after: &Settings) -> Result<(), GraphError> {
        let pools = self.pools.iter().zip(before.pools.iter().zip(&after.pools));
        let mut fixed = pools.filter(|(pool, (before, after))| pool.core.hosted && before != after);
        fixed.next().map_or(Ok(()), |(pool, (before, after))| {
            Err(GraphError::Fixed {
                key: format!("pools.{}.workers", pool.core.name),
                now: before.to_string(),
                wanted: after.to_string(),
                why: "its workers are driven from outside; restart for another number",
            })
        })
    }

    /// Sets only what differs: beside the settings there is what was set live.
    fn set(&self, before: &Settings, after: &Settings) {
        self.core.set_timed(after.statistics);
        self.core.admission.set(&after.slo, after.control.admission);
        self.core.valve.set(after.control.valve, after.control.overload);
        let stages = before.stages.iter().zip(&after.stages);
        for (plan, (before, after)) in self.stages.iter().zip(stages) {
            plan.core.apply(&plan.share, after, Some(before));
        }
        if before.shares != after.shares {
            self.stages.iter().for_each(|stage| stage.core.set_shares(&after.shares));
        }
        if before.budget != after.budget {
            self.core.budget.set_limit(after.budget);
        }
        self.core.bytes.set_limit(after.budget_bytes);
        let ranges = before.pools.iter().zip(&after.pools);
        for (pool, (before, after)) in self.pools.iter().zip(ranges) {
            set_pool(pool, *before, *after);
        }
        self.core.announce_change();
        // A cap may have been raised for workers that wait beside its stage.
        self.pools.iter().for_each(|pool| pool.core.idle.wake_all());
    }

    fn journal_changes(&self, changes: &[SettingChange]) {
        let at_seconds = self.now().as_secs_f64();
        for change in changes {
            self.core.journal.write(Decision {
                at_seconds,
                controller: Controller::Settings,
                stage: change.stage.clone(),
                seen: "reconfigured".to_owned(),
                action: format!("set `{}`", change.key),
                changed: format!("{} → {}", change.before, change.after),
                acted: true,
            });
        }
    }
}

fn set_pool(pool: &RunningPool, before: WorkerRange, after: WorkerRange) {
    if before != after {
        pool.core.set_range(after);
    }
}
