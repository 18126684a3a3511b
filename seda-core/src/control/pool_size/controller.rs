//! Asks each pool's policy once per tick, and sizes the pools within the bound on all workers.

use crate::config::{ControlConfig, Pools};
use crate::control::pool_size::littles_law::{LittlesLaw, PoolSizePolicy};
use crate::control::pool_size::max_min_fair::{Claim, max_min_fair};
use crate::control::pool_size::observation::PoolObservation;
use crate::control::tick::Tick;
use crate::monitor::{RunningPool, Topology};
use crate::platform::catch_panic;
use crate::stage::{Controller, Decision};

/// A policy, and the target that it decided on last in mode `observe`: a decision that is not acted
/// upon is journaled once.
pub(crate) struct Sizing {
    policy: Box<dyn PoolSizePolicy>,
    /// The settings of the default policy; `None` for a policy of the program.
    made_for: Option<ControlConfig>,
    observed: Option<usize>,
}

/// The size that a policy decided on, and its reason.
pub(crate) struct SizeDecision {
    pub(crate) target: usize,
    pub(crate) why: String,
}

impl Sizing {
    pub(crate) fn new(own: Option<Box<dyn PoolSizePolicy>>, control: &ControlConfig) -> Self {
        match own {
            Some(policy) => Self { policy, made_for: None, observed: None },
            None => Self {
                policy: Box::new(LittlesLaw::new(control)),
                made_for: Some(control.clone()),
                observed: None,
            },
        }
    }

    /// Replaces the default policy if its settings have changed, because its state depends on the
    /// old settings.
    pub(crate) fn follow(&mut self, control: &ControlConfig) {
        if self.made_for.as_ref().is_some_and(|made_for| made_for != control) {
            *self = Self::new(None, control);
        }
    }

    /// Asks the policy; `None` if the size stays, or the policy panicked.
    pub(crate) fn decide(&mut self, pool: &str, seen: &PoolObservation) -> Option<SizeDecision> {
        let Some(decided) = catch_panic(|| self.policy.decide(seen)) else {
            tracing::error!(pool, "a pool-size policy panicked");
            return None;
        };
        decided.map(|(target, why)| SizeDecision { target: target.clamp(seen.min, seen.max), why })
    }

    /// Returns whether a target differs from the present size, and was not just journaled as
    /// observed.
    pub(crate) fn is_change(&mut self, target: usize, before: usize, acts: bool) -> bool {
        target != before && (acts || self.observed.replace(target) != Some(target))
    }
}

/// Sets the number of workers of all pools.
pub(in crate::control) struct PoolSizeController {
    sizings: Pools<Sizing>,
}

impl PoolSizeController {
    /// `own` holds the program's policies, by pool.
    pub(in crate::control) fn new(
        own: Vec<Option<Box<dyn PoolSizePolicy>>>,
        control: &ControlConfig,
    ) -> Self {
        Self { sizings: own.into_iter().map(|own| Sizing::new(own, control)).collect() }
    }

    /// Sizes every pool that has a range, within the workers of all pools together.
    pub(in crate::control) fn act(&mut self, seen: &Pools<PoolObservation>, tick: &Tick<'_>) {
        let Tick { topology, settings, .. } = *tick;
        let mut decisions = Vec::with_capacity(topology.pools.len());
        for (index, pool) in topology.pools.entries() {
            let range = pool.core.range();
            let decision = if !pool.core.hosted && range.min < range.max {
                let sizing = &mut self.sizings[index];
                sizing.follow(&settings.control);
                sizing.decide(&pool.core.name, &seen[index])
            } else {
                None
            };
            decisions.push(decision);
        }
        let shares = allotted_workers(topology, &decisions, settings.workers);
        let pools = topology.pools.iter().zip(&mut self.sizings);
        for (((pool, sizing), decision), share) in pools.zip(decisions).zip(shares) {
            let before = pool.core.target();
            match decision {
                Some(decided) => size(pool, decided.target.min(share), decided.why, sizing, tick),
                None if share < before => {
                    let why = format!("all pools may have {} workers", settings.workers);
                    size(pool, share, why, sizing, tick);
                }
                None => {}
            }
        }
    }
}

/// Returns how many workers each pool may have, within the `budget` for all.
fn allotted_workers(
    topology: &Topology,
    decisions: &[Option<SizeDecision>],
    budget: usize,
) -> Vec<usize> {
    let claims = topology.pools.iter().zip(decisions).map(|(pool, decision)| {
        let now = pool.core.target();
        let wanted = decision.as_ref().map_or(now, |decided| decided.target);
        // The size of a hosted pool is its host's decision.
        let least = if pool.core.hosted { now } else { pool.core.range().min };
        Claim { least: least.min(wanted), wanted }
    });
    max_min_fair(budget, &claims.collect::<Vec<_>>())
}

fn size(pool: &RunningPool, target: usize, why: String, sizing: &mut Sizing, tick: &Tick<'_>) {
    let before = pool.core.target();
    if !sizing.is_change(target, before, tick.acts) {
        return;
    }
    if tick.acts {
        pool.core.set_target(target);
    }
    tick.record(
        Decision::by(Controller::PoolSize, tick.now)
            .stage(&*pool.core.name)
            .seen(why)
            .action(if target > before { "grew the pool" } else { "shrank the pool" })
            .changed(format!("workers {before} → {target}"))
            .acted(tick.acts),
    );
}
