//! Changes to a description: the interventions by which the truth is found.

use crate::description::Description;
use std::fmt;

/// One change. Stages and pools are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Half the demand, also outside and under locks.
    Halve(usize),
    /// Twice the workers of a stage's own pool.
    Workers(usize),
    /// Twice the workers of a shared pool.
    Pool(usize),
    Cap(usize),
    Rate(usize),
    /// Twice the places outside.
    Places(usize),
    /// Twice the servers of the remote side.
    Servers(usize),
    Budget,
    /// No hot key.
    EvenKeys,
    /// The slow replica becomes as fast as the others.
    Cure(usize),
}

impl Change {
    /// Returns all changes that make sense.
    pub(crate) fn all(description: &Description) -> Vec<Self> {
        let mut changes = Vec::new();
        for (n, stage) in description.stages.iter().enumerate() {
            changes.push(Self::Halve(n));
            let has_own_pool = stage.pool.is_none() && stage.replicas.is_none();
            changes.extend(has_own_pool.then_some(Self::Workers(n)));
            changes.extend(stage.cap.map(|_| Self::Cap(n)));
            changes.extend(stage.rate.map(|_| Self::Rate(n)));
            changes.extend(stage.remote.map(|_| Self::Places(n)));
            changes.extend(stage.remote.and_then(|r| r.servers).map(|_| Self::Servers(n)));
            changes.extend(stage.replicas.map(|_| Self::Cure(n)));
        }
        changes.extend((0..description.pools.len()).map(Self::Pool));
        changes.extend(description.budget.map(|_| Self::Budget));
        changes.extend((description.hot_key > 0.0).then_some(Self::EvenKeys));
        changes
    }

    /// Returns the changed description.
    pub(crate) fn apply(self, to: &Description) -> Description {
        let mut changed = to.clone();
        if let Some(stage) = self.stage().and_then(|n| changed.stages.get_mut(n)) {
            match self {
                Self::Halve(_) => {
                    stage.demand = stage.demand.times(0.5);
                    stage.remote.iter_mut().for_each(|remote| remote.time /= 2.0);
                }
                Self::Workers(_) => stage.workers *= 2,
                Self::Cap(_) => stage.cap.iter_mut().for_each(|cap| *cap *= 2),
                Self::Rate(_) => stage.rate.iter_mut().for_each(|rate| *rate *= 2.0),
                Self::Places(_) => stage.remote.iter_mut().for_each(|remote| {
                    remote.outstanding *= 2;
                    remote.pending *= 2;
                }),
                Self::Servers(_) => {
                    let servers = stage.remote.iter_mut().filter_map(|r| r.servers.as_mut());
                    servers.for_each(|servers| *servers *= 2);
                }
                Self::Cure(_) => stage.replicas.iter_mut().for_each(|r| r.factor = 1.0),
                Self::Pool(_) | Self::Budget | Self::EvenKeys => {}
            }
        }
        match self {
            Self::Pool(n) => {
                changed.pools.get_mut(n).into_iter().for_each(|pool| pool.workers *= 2);
            }
            Self::Budget => changed.budget.iter_mut().for_each(|budget| *budget *= 2),
            Self::EvenKeys => changed.hot_key = 0.0,
            _ => {}
        }
        changed
    }

    /// Returns the stage that it changes, if it changes a single one.
    fn stage(self) -> Option<usize> {
        match self {
            Self::Halve(n)
            | Self::Workers(n)
            | Self::Cap(n)
            | Self::Rate(n)
            | Self::Places(n)
            | Self::Servers(n)
            | Self::Cure(n) => Some(n),
            Self::Pool(_) | Self::Budget | Self::EvenKeys => None,
        }
    }

    /// Returns the names of the stages that a report means if it recommends this change.
    pub(crate) fn stages(self, of: &Description) -> Vec<String> {
        let is_meant = |n: usize| match self {
            Self::Pool(pool) => of.stages.get(n).is_some_and(|stage| stage.pool == Some(pool)),
            Self::EvenKeys => of.stages.get(n).is_some_and(|stage| stage.is_keyed),
            _ => self.stage() == Some(n),
        };
        let meant = of.stages.iter().enumerate().filter(|(n, _)| is_meant(*n));
        let names = meant.flat_map(|(_, stage)| {
            let slow = stage.replicas.map(|r| format!("{}-{}", stage.name, r.slow + 1));
            [Some(stage.name.to_owned()), slow].into_iter().flatten()
        });
        names.collect()
    }

    /// Returns the change in words.
    pub(crate) fn words(self, of: &Description) -> Words<'_> {
        Words { change: self, of }
    }
}

/// A change, written with the names of its description.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    change: Change,
    of: &'a Description,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.change.stage().and_then(|n| self.of.stages.get(n));
        let name = stage.map_or("", |stage| stage.name);
        match self.change {
            Change::Halve(_) => write!(f, "half {name}"),
            Change::Workers(_) => write!(f, "workers of {name} x2"),
            Change::Pool(n) => {
                write!(f, "pool {} x2", self.of.pools.get(n).map_or("", |pool| pool.name))
            }
            Change::Cap(_) => write!(f, "cap of {name} x2"),
            Change::Rate(_) => write!(f, "rate of {name} x2"),
            Change::Places(_) => write!(f, "places of {name} x2"),
            Change::Servers(_) => write!(f, "servers behind {name} x2"),
            Change::Budget => write!(f, "budget x2"),
            Change::EvenKeys => write!(f, "even keys"),
            Change::Cure(_) => write!(f, "slow replica of {name} cured"),
        }
    }
}
