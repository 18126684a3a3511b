//! The pool-size controller: what the monitor saw goes to the policies, what they want to the
//! pools, within what all of them may have together.

use crate::config::{ControlConfig, Pools};
use crate::control::pool_size::littles_law::{LittlesLaw, PoolSizePolicy};
use crate::control::pool_size::max_min_fair::{Claim, max_min_fair};
use crate::control::pool_size::observation::PoolObservation;
use crate::control::tick::Tick;
use crate::monitor::{RunningPool, Topology};
use crate::platform::catch_panic;
use crate::stage::{Controller, Decision};

/// A pool's policy, and the size it last only observed: an observer says a thing once.
pub(crate) struct Sizing {
    policy: Box<dyn PoolSizePolicy>,
    /// What the default policy was made for. The program's own keeps its own settings.
    made_for: Option<ControlConfig>,
    observed: Option<usize>,
}

/// What a pool is to have, and why.
pub(crate) struct Wish {
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

    /// Makes the default policy anew when its settings have changed: what it has seen was
    /// measured against others.
    pub(crate) fn follow(&mut self, control: &ControlConfig) {
        if self.made_for.as_ref().is_some_and(|made_for| made_for != control) {
            *self = Self::new(None, control);
        }
    }

    pub(crate) fn wish(&mut self, pool: &str, seen: &PoolObservation) -> Option<Wish> {
        let Some(decided) = catch_panic(|| self.policy.decide(seen)) else {
            tracing::error!(pool, "a pool-size policy panicked");
            return None;
        };
        decided.map(|(target, why)| Wish { target: target.clamp(seen.min, seen.max), why })
    }

    /// Whether a target differs from what is, and was not just observed: an observer says a thing
    /// once.
    pub(crate) fn is_news(&mut self, target: usize, before: usize, acts: bool) -> bool {
        target != before && (acts || self.observed.replace(target) != Some(target))
    }
}

/// Sizes all pools.
pub(in crate::control) struct PoolSizeController {
    sizings: Pools<Sizing>,
}

impl PoolSizeController {
    /// `own` are the program's policies, by pool.
    pub(in crate::control) fn new(
        own: Vec<Option<Box<dyn PoolSizePolicy>>>,
        control: &ControlConfig,
    ) -> Self {
        Self { sizings: own.into_iter().map(|own| Sizing::new(own, control)).collect() }
    }

    /// Sizes every pool that has a range, within the workers of all pools together.
    pub(in crate::control) fn act(&mut self, seen: &Pools<PoolObservation>, tick: &Tick<'_>) {
        let Tick { topology, settings, .. } = *tick;
        let mut wishes = Vec::with_capacity(topology.pools.len());
        for (index, pool) in topology.pools.entries() {
            let range = pool.core.range();
            let wish = if !pool.core.hosted && range.min < range.max {
                let sizing = &mut self.sizings[index];
                sizing.follow(&settings.control);
                sizing.wish(&pool.core.name, &seen[index])
            } else {
                None
            };
            wishes.push(wish);
        }
        let shares = share_out_workers(topology, &wishes, settings.workers);
        let pools = topology.pools.iter().zip(&mut self.sizings);
        for (((pool, sizing), wish), share) in pools.zip(wishes).zip(shares) {
            let before = pool.core.target();
            match wish {
                Some(wish) => size(pool, wish.target.min(share), wish.why, sizing, tick),
                None if share < before => {
                    let why = format!("all pools may have {} workers", settings.workers);
                    size(pool, share, why, sizing, tick);
                }
                None => {}
            }
        }
    }
}

/// How many workers each pool may have.
fn share_out_workers(topology: &Topology, wishes: &[Option<Wish>], budget: usize) -> Vec<usize> {
    let claims = topology.pools.iter().zip(wishes).map(|(pool, wish)| {
        let now = pool.core.target();
        let wanted = wish.as_ref().map_or(now, |wish| wish.target);
        // A hosted pool has the workers that its host brings.
        let least = if pool.core.hosted { now } else { pool.core.range().min };
        Claim { least: least.min(wanted), wanted }
    });
    max_min_fair(budget, &claims.collect::<Vec<_>>())
}

fn size(pool: &RunningPool, target: usize, why: String, sizing: &mut Sizing, tick: &Tick<'_>) {
    let before = pool.core.target();
    if !sizing.is_news(target, before, tick.acts) {
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
