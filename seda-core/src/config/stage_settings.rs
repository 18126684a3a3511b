//! The settings of one stage in force: checked, with the defaults filled in.
//!
//! A new setting of a stage is a field of [`StageConfig`] and one of [`StageSettings`]; `or`,
//! `of` and `entries` name every field, so the compiler asks for it in each.

use crate::config::codel::CodelConfig;
use crate::config::control::Mode;
use crate::config::declaration::StageDeclaration;
use crate::config::error::SettingsError;
use crate::config::fault::SettingFault;
use crate::config::rate::RateConfig;
use crate::config::slo;
use crate::config::stage::{DEFAULT_BATCH, DEFAULT_PENDING, StageConfig};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The largest capacity: a queue of more events would hold gigabytes.
const MAX_CAPACITY: usize = 1 << 28;
/// The largest batch: a longer one would hold its lock and its worker for too long.
const MAX_BATCH: usize = 4_096;
/// The largest share of a class or a stage. A share is a number of takes in a row: beyond this the
/// others starve.
pub(super) const MAX_SHARE: u32 = 1_000_000;

/// The settings of one stage in force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageSettings {
    pub(crate) capacity: usize,
    /// `None`: the capacity.
    pub(crate) soft: Option<usize>,
    pub(crate) batch: usize,
    pub(crate) weight: u32,
    /// `None`: all workers of the pool.
    pub(crate) cap: Option<usize>,
    pub(crate) pending: usize,
    /// The least number of events outside, if the controller sizes it.
    pub(crate) outstanding: Option<usize>,
    /// `None`: unbounded.
    pub(crate) rate: Option<RateConfig>,
    pub(crate) aqm: AqmConfig,
}

/// The active queue management of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AqmConfig {
    /// The mode of the whole graph: `control.queue_delay`.
    pub(crate) mode: Mode,
    pub(crate) codel: Option<CodelConfig>,
    pub(crate) newest_first_above: Option<Duration>,
}

impl StageSettings {
    /// Returns whether the stage states how many of its events may be pending: it defers them.
    pub(crate) fn states_pending(&self) -> bool {
        self.pending != DEFAULT_PENDING
    }

    /// Returns the settings of `stage` from `config`, which combines file and code.
    ///
    /// # Errors
    /// The first setting that is out of bounds.
    pub(super) fn of(
        stage: &StageDeclaration,
        config: StageConfig,
        queue_delay: Mode,
    ) -> Result<Self, SettingsError> {
        let StageConfig {
            capacity,
            soft,
            workers,
            batch,
            weight,
            cap,
            pending,
            outstanding,
            rate,
            codel,
            newest_first_above,
        } = config;
        let settings = Self {
            capacity: capacity.unwrap_or(stage.capacity),
            soft,
            batch: batch.unwrap_or(DEFAULT_BATCH),
            weight: weight.unwrap_or(1),
            cap,
            pending: pending.unwrap_or(DEFAULT_PENDING),
            outstanding,
            rate,
            aqm: AqmConfig { mode: queue_delay, codel, newest_first_above },
        };
        if settings.capacity == 0 {
            return Err(SettingsError::ZeroCapacity { stage: stage.name.to_string() });
        }
        let table = format!("stages.{}", stage.name);
        settings.check(stage.keyed).map_err(|fault| fault.within(&table))?;
        if let (Some(workers), Some(_)) = (workers, stage.pool) {
            let allowed = "nothing for a stage in a shared pool: set the pool's workers";
            return Err(SettingFault::new("workers", workers, allowed).within(&table).into());
        }
        Ok(settings)
    }

    /// Checks every setting against its bounds; the key of a fault is relative to the stage.
    fn check(&self, keyed: bool) -> Result<(), SettingFault> {
        let events = format!("to {MAX_CAPACITY} events");
        within("capacity", self.capacity, 1..=MAX_CAPACITY, || format!("1 {events}"))?;
        if let Some(soft) = self.soft {
            let capacity = self.capacity;
            within("soft", soft, 1..=capacity, || format!("1 to the capacity, {capacity}"))?;
        }
        within("batch", self.batch, 1..=MAX_BATCH, || format!("1 to {MAX_BATCH} events"))?;
        within("weight", self.weight, 1..=MAX_SHARE, || format!("1 to {MAX_SHARE}"))?;
        if let Some(cap) = self.cap {
            within("cap", cap, 1..=usize::MAX, || "1 or more workers".to_owned())?;
        }
        within("pending", self.pending, 0..=MAX_CAPACITY, || format!("0 {events}"))?;
        if let Some(outstanding) = self.outstanding {
            let most = self.pending;
            let allowed = || format!("1 to the stage's `pending`, {most}");
            within("outstanding", outstanding, 1..=most, allowed)?;
        }
        if let Some(rate) = self.rate {
            rate.check().map_err(|fault| fault.within("rate"))?;
        }
        if let Some(codel) = &self.aqm.codel {
            codel.check().map_err(|fault| fault.within("codel"))?;
        }
        if let Some(above) = self.aqm.newest_first_above {
            if keyed {
                let allowed = "nothing for a keyed stage: events of one key are handled in order";
                return Err(SettingFault::new("newest_first_above", format!("{above:?}"), allowed));
            }
            slo::check("newest_first_above", above)?;
        }
        Ok(())
    }

    /// Returns the keys with their values, in the order of a file.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let Self { capacity, soft, batch, weight, cap, pending, outstanding, rate, aqm } = self;
        // The mode is the graph's: `control.queue_delay`.
        let AqmConfig { mode: _, codel, newest_first_above } = aqm;
        let above = newest_first_above.map(|above| format!("{above:?}"));
        vec![
            ("capacity", capacity.to_string()),
            ("soft", text_or(soft.as_ref(), "the capacity")),
            ("batch", batch.to_string()),
            ("weight", weight.to_string()),
            ("cap", text_or(cap.as_ref(), "all workers")),
            ("pending", pending.to_string()),
            ("outstanding", text_or(outstanding.as_ref(), "unbounded")),
            ("rate", text_or(rate.as_ref(), "unbounded")),
            ("codel", text_or(codel.as_ref(), "off")),
            ("newest_first_above", text_or(above.as_ref(), "never")),
        ]
    }
}

/// Checks that a value is in a range; `allowed` returns the range in words.
fn within<T: PartialOrd + fmt::Display>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
    allowed: impl FnOnce() -> String,
) -> Result<(), SettingFault> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(SettingFault::new(key, value, allowed()))
}

/// Returns the value as text, or the word for its absence.
fn text_or(value: Option<&impl ToString>, absent: &str) -> String {
    value.map_or_else(|| absent.to_owned(), ToString::to_string)
}
