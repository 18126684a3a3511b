//! Changes of a graph, of which the one that gains most shows the bottleneck.

use super::draw::scaled;
use crate::spec::{Fault, Spec};
use seda_core::WorkerRange;
use std::fmt;

/// A change of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Halves the demand of a stage.
    Halve(String),
    /// Doubles the workers of a stage's own pool, or its replicas.
    Workers(String),
    /// Doubles the workers of a shared pool.
    Pool(String),
    /// Doubles the cores.
    Cores,
    /// Removes the cap of a stage in its shared pool.
    Cap(String),
    /// Doubles the declared rate of a stage.
    Rate(String),
    /// Doubles the declared budget.
    Budget,
    /// Spreads the events of a keyed stage over all keys.
    Spread(String),
    /// Doubles the places outside of a stage that defers.
    Places(String),
    /// Makes a slow replica as fast as the others.
    Cure(String),
}

impl Change {
    /// Returns every change that a graph allows.
    pub fn all(spec: &Spec) -> Vec<Self> {
        let mut all = Vec::new();
        for stage in &spec.stages {
            all.push(Self::Halve(stage.name.clone()));
            if stage.pool.is_none() {
                all.push(Self::Workers(stage.name.clone()));
            }
            if stage.hot_key.is_some() {
                all.push(Self::Spread(stage.name.clone()));
            }
            if stage.outside.is_some() {
                all.push(Self::Places(stage.name.clone()));
            }
            if stage.cap.is_some() {
                all.push(Self::Cap(stage.name.clone()));
            }
        }
        all.extend(spec.pools.iter().map(|pool| Self::Pool(pool.name.clone())));
        all.push(Self::Cores);
        let rates = spec.graph.stages.iter().filter(|(_, config)| config.rate.is_some());
        all.extend(rates.map(|(stage, _)| Self::Rate(stage.clone())));
        all.extend(spec.graph.budget.map(|_| Self::Budget));
        let known = |stage: &String| spec.stages.iter().any(|known| known.name == *stage);
        all.extend(spec.faults.iter().filter_map(|fault| match fault {
            Fault::Slow { stage, .. } if !known(stage) => Some(Self::Cure(stage.clone())),
            _ => None,
        }));
        all
    }

    /// Returns the changed graph.
    pub(super) fn apply(&self, spec: &Spec) -> Spec {
        let mut spec = spec.clone();
        match self {
            Self::Cores => spec.cores *= 2,
            Self::Budget => spec.graph.budget = spec.graph.budget.map(|budget| budget * 2),
            Self::Pool(name) => {
                let pools = spec.pools.iter_mut().filter(|pool| pool.name == *name);
                pools.for_each(|pool| pool.workers = doubled(pool.workers));
            }
            Self::Places(name) => {
                if let Some(config) = spec.graph.stages.get_mut(name) {
                    config.pending = config.pending.map(|places| places * 2);
                    config.outstanding = config.outstanding.map(|places| places * 2);
                }
            }
            Self::Rate(name) => {
                let config = spec.graph.stages.get_mut(name);
                if let Some(rate) = config.and_then(|config| config.rate.as_mut()) {
                    rate.per_second *= 2.0;
                    rate.burst *= 2;
                }
            }
            Self::Cure(name) => spec
                .faults
                .retain(|fault| !matches!(fault, Fault::Slow { stage, .. } if stage == name)),
            Self::Halve(name) | Self::Workers(name) | Self::Cap(name) | Self::Spread(name) => {
                for stage in spec.stages.iter_mut().filter(|stage| stage.name == *name) {
                    match (self, stage.replicas) {
                        (Self::Halve(_), _) => {
                            stage.demand = scaled(&stage.demand, 0.5);
                            stage.outside = stage.outside.as_ref().map(|time| scaled(time, 0.5));
                        }
                        (Self::Cap(_), _) => stage.cap = None,
                        (Self::Spread(_), _) => stage.hot_key = Some(0.0),
                        (_, Some(replicas)) => stage.replicas = Some(replicas * 2),
                        (_, None) => {
                            let workers = stage.workers.unwrap_or(WorkerRange::exactly(1));
                            stage.workers = Some(doubled(workers));
                        }
                    }
                }
            }
        }
        spec
    }

    /// Returns the stage that is changed; `None` if more than one is.
    pub fn stage(&self) -> Option<&str> {
        match self {
            Self::Halve(stage)
            | Self::Workers(stage)
            | Self::Cap(stage)
            | Self::Rate(stage)
            | Self::Places(stage)
            | Self::Spread(stage)
            | Self::Cure(stage) => Some(stage),
            Self::Pool(_) | Self::Cores | Self::Budget => None,
        }
    }
}

fn doubled(workers: WorkerRange) -> WorkerRange {
    WorkerRange::new(workers.min * 2, workers.max * 2)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halve(stage) => write!(f, "half the demand of {stage}"),
            Self::Workers(stage) => write!(f, "twice the workers of {stage}"),
            Self::Pool(pool) => write!(f, "twice the workers of pool {pool}"),
            Self::Cores => f.write_str("twice the cores"),
            Self::Cap(stage) => write!(f, "no cap of {stage}"),
            Self::Rate(stage) => write!(f, "twice the rate of {stage}"),
            Self::Spread(stage) => write!(f, "even keys at {stage}"),
            Self::Places(stage) => write!(f, "twice the places outside of {stage}"),
            Self::Budget => f.write_str("twice the budget"),
            Self::Cure(replica) => write!(f, "{replica} as fast as its siblings"),
        }
    }
}
