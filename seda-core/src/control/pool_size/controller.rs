//! The pool-size controller: what the monitor saw goes to the policies, what they want to the
//! pools, within what all of them may have together.

use crate::config::{ControlConfig, Mode, Settings};
use crate::control::pool_size::littles_law::{LittlesLaw, PoolObservation, PoolSizePolicy};
use crate::control::pool_size::max_min_fair::{Claim, max_min_fair};
use crate::monitor::{Engine, RunningPool};
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

impl Engine {
    /// Once per tick, unless it is switched off.
    pub(crate) fn size_pools(&self, seen: &[Option<PoolObservation>], settings: &Settings) {
        if settings.control.pool_size == Mode::Off {
            return;
        }
        let mut policies = self.policies.lock();
        let mut wishes = Vec::with_capacity(self.pools.len());
        for ((pool, sizing), seen) in self.pools.iter().zip(policies.iter_mut()).zip(seen) {
            let range = pool.core.range();
            let sized = !pool.core.hosted && range.min < range.max;
            wishes.push(seen.as_ref().filter(|_| sized).and_then(|seen| {
                sizing.follow(&settings.control);
                sizing.wish(&pool.core.name, seen)
            }));
        }
        let acts = settings.control.pool_size == Mode::On;
        let shares = self.share_out_workers(&wishes, settings.workers);
        let pools = self.pools.iter().zip(policies.iter_mut());
        for (((pool, sizing), wish), share) in pools.zip(wishes).zip(shares) {
            let before = pool.core.target();
            match wish {
                Some(wish) => {
                    self.size(pool, wish.target.min(share), wish.why, sizing, acts);
                }
                None if share < before => {
                    let why = format!("all pools may have {} workers", settings.workers);
                    self.size(pool, share, why, sizing, acts);
                }
                None => {}
            }
        }
    }

    /// How many workers each pool may have.
    fn share_out_workers(&self, wishes: &[Option<Wish>], budget: usize) -> Vec<usize> {
        let claims = self.pools.iter().zip(wishes).map(|(pool, wish)| {
            let now = pool.core.target();
            let wanted = wish.as_ref().map_or(now, |wish| wish.target);
            // A hosted pool has the workers that its host brings.
            let least = if pool.core.hosted { now } else { pool.core.range().min };
            Claim { least: least.min(wanted), wanted }
        });
        max_min_fair(budget, &claims.collect::<Vec<_>>())
    }

    fn size(
        &self,
        pool: &RunningPool,
        target: usize,
        why: String,
        sizing: &mut Sizing,
        acted: bool,
    ) {
        let before = pool.core.target();
        if !sizing.is_news(target, before, acted) {
            return;
        }
        if acted {
            pool.core.set_target(target);
        }
        self.core.journal.write(Decision {
            at_seconds: self.now().as_secs_f64(),
            controller: Controller::PoolSize,
            stage: Some(pool.core.name.to_string()),
            seen: why,
            action: if target > before { "grew the pool" } else { "shrank the pool" }.to_owned(),
            changed: format!("workers {before} → {target}"),
            acted,
        });
    }
}
