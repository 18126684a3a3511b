//! What a bottleneck is made of.

use super::change::Change;
use crate::spec::Spec;
use std::fmt;

/// What a bottleneck is made of. Its names are those of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The workers of a stage, which compute.
    Cpu,
    /// The workers of a stage, which wait for something outside.
    Blocked,
    /// The cores.
    Cores,
    /// A pool that several stages share, or the cap of one of them.
    PoolLimit,
    /// A hot key.
    Key,
    /// The places outside of a stage that defers.
    Outside,
    /// A declared rate or budget.
    Admission,
}

/// From this share of computing on, workers that compute and wait may be said to compute.
const COMPUTES: f64 = 0.4;
/// Up to this share, they may be said to wait.
const WAITS: f64 = 0.6;

impl Cause {
    /// Returns the name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Blocked => "blocked",
            Self::Cores => "cores",
            Self::PoolLimit => "pool_limit",
            Self::Key => "key",
            Self::Outside => "outside",
            Self::Admission => "admission",
        }
    }

    /// Returns the causes that the gain of a change shows.
    pub(super) fn of(change: &Change, spec: &Spec) -> Vec<Self> {
        match change {
            Change::Cores => vec![Self::Cores],
            Change::Pool(_) | Change::Cap(_) => vec![Self::PoolLimit],
            Change::Spread(_) => vec![Self::Key],
            Change::Places(_) => vec![Self::Outside],
            Change::Rate(_) | Change::Budget => vec![Self::Admission],
            Change::Halve(stage) | Change::Workers(stage) | Change::Cure(stage) => {
                let stage = spec
                    .stages
                    .iter()
                    .find(|known| *stage == known.name || known.queue_names().contains(stage));
                let share = stage.map_or(1.0, |stage| stage.cpu_share);
                let mut causes = Vec::new();
                if share >= COMPUTES {
                    causes.push(Self::Cpu);
                }
                if share <= WAITS {
                    causes.push(Self::Blocked);
                }
                causes
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
