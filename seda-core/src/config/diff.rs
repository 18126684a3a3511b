//! What differs between two sets of settings, key by key.

use crate::config::control::ControlConfig;
use crate::config::declaration::Declaration;
use crate::config::resolved::Settings;
use bytesize::ByteSize;
use serde::Serialize;
use std::fmt;

/// One setting that a running graph has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// The key, as in a file.
    pub key: String,
    /// The stage or the shared pool it is about, if it is about one.
    pub stage: Option<String>,
    /// What held before. A value that nobody stated is the default.
    pub before: String,
    /// What holds now.
    pub after: String,
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {} → {}", self.key, self.before, self.after)
    }
}

/// A setting: its key, the stage or pool it is about, its value.
type Entry = (String, Option<String>, String);

impl Settings {
    /// How these differ from those `before`, in the order of a file.
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

    /// Destructured, as all below, so that a new setting cannot be forgotten here.
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
        entries.extend(control_entries(control));
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

fn control_entries(control: &ControlConfig) -> Vec<Entry> {
    let ControlConfig {
        tick,
        pool_size,
        outstanding,
        batch_size,
        admission,
        law,
        valve,
        queue_delay,
        hotspot,
        hot,
        overload,
        wait_target,
        idle_after,
        stuck_after,
    } = control;
    let entries = [
        ("tick", format!("{tick:?}")),
        ("pool_size", pool_size.to_string()),
        ("outstanding", outstanding.to_string()),
        ("batch_size", batch_size.to_string()),
        ("admission", admission.to_string()),
        ("law", law.to_string()),
        ("valve", valve.to_string()),
        ("queue_delay", queue_delay.to_string()),
        ("hotspot", hotspot.to_string()),
        ("hot", hot.to_string()),
        ("overload", overload.to_string()),
        ("wait_target", format!("{wait_target:?}")),
        ("idle_after", format!("{idle_after:?}")),
        ("stuck_after", format!("{stuck_after:?}")),
    ];
    entries.into_iter().map(|(key, value)| (format!("control.{key}"), None, value)).collect()
}
