//! The difference between two sets of settings, key by key.

use crate::config::declaration::Declaration;
use crate::config::resolved::Settings;
use bytesize::ByteSize;
use serde::Serialize;
use std::fmt;

/// A setting that [`Running::reconfigure`](crate::runtime::Running::reconfigure) changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// The key, as in a file.
    pub key: String,
    /// The stage or shared pool that the setting belongs to, if any.
    pub stage: Option<String>,
    /// The value before; the default if none was stated.
    pub before: String,
    /// The value in force.
    pub after: String,
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {} → {}", self.key, self.before, self.after)
    }
}

/// The key of a setting, its stage or pool, and its value.
type Entry = (String, Option<String>, String);

impl Settings {
    /// Returns the differences from `before`, in the order of a file.
    pub(crate) fn changes(&self, before: &Settings, declared: &Declaration) -> Vec<SettingChange> {
        let pairs = before.entries(declared).into_iter().zip(self.entries(declared));
        let changes = pairs.filter(|((_, _, before), (_, _, after))| before != after);
        changes
            .map(|((key, stage, before), (_, _, after))| SettingChange {
                key,
                stage,
                before,
                after,
            })
            .collect()
    }

    /// Lists every setting; the destructuring does not compile without a new one.
    fn entries(&self, declared: &Declaration) -> Vec<Entry> {
        let Self {
            budget,
            budget_is_stated: _,
            budget_bytes,
            workers,
            statistics,
            control,
            slo,
            shares,
            stages,
            pools,
        } = self;
        let mut entries = vec![
            ("budget".to_owned(), None, budget.to_string()),
            ("budget_bytes".to_owned(), None, ByteSize::b(*budget_bytes).to_string()),
            ("workers".to_owned(), None, workers.to_string()),
            ("statistics".to_owned(), None, statistics.to_string()),
        ];
        for (key, value) in control.entries() {
            entries.push((format!("control.{key}"), None, value));
        }
        for (class, p99) in declared.classes.iter().zip(slo) {
            let p99 = p99.map_or_else(|| "none".to_owned(), |p99| format!("{p99:?}"));
            entries.push((format!("slo.classes.{}.p99", class.name), None, p99));
        }
        for (class, share) in declared.classes.iter().zip(shares) {
            entries.push((format!("classes.{}", class.name), None, share.to_string()));
        }
        let (shared, own) = pools.split_at(declared.pools.len().min(pools.len()));
        let mut own = own.iter();
        for (stage, settings) in declared.stages.iter().zip(stages) {
            let mut of_stage = settings.entries();
            if stage.pool.is_none() {
                of_stage.extend(own.next().map(|range| ("workers", range.to_string())));
            }
            for (key, value) in of_stage {
                let key = format!("stages.{}.{key}", stage.name);
                entries.push((key, Some(stage.name.to_string()), value));
            }
        }
        for (pool, range) in declared.pools.iter().zip(shared) {
            let key = format!("pools.{}.workers", pool.name);
            entries.push((key, Some(pool.name.clone()), range.to_string()));
        }
        entries
    }
}
