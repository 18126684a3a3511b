//! The valve at the event budget.
//!
//! A decision takes no lock over all queues. The steps, and the race in each:
//!
//! 1. charge the free places of the budget, so that only the rest must be evicted;
//! 2. look at every queue, one after the other: a worker may take a victim in between;
//! 3. choose a queue and evict under its lock: the gain is the number evicted, not the number seen;
//! 4. repeat until the gain suffices or no queue has a victim. The victims' places in the budget
//!    pass to the sender directly, so that no other sender can take them.

use crate::config::OverloadPolicy;
use crate::platform::sync::{Arc, Flaw, is_seeded};
use crate::queue::VictimFilter;
use crate::stage::any::{AnyStage, QueueView};
use crate::stage::valve::eviction_log::{Evicted, Eviction, EvictionKey};
use crate::stage::valve::policy::{Resource, choose, may_evict_from};
use crate::stage::valve::{Incoming, Valve, ValveScope, ValveSettings};

impl Valve {
    /// Makes room in the budget for `need` more events, all or none.
    pub(in crate::stage) fn make_room(
        &self,
        scope: &ValveScope<'_>,
        need: usize,
        incoming: Incoming,
    ) -> bool {
        let Some(settings) = self.settings_for(scope, incoming) else {
            return false;
        };
        let free = scope.budget.charge_up_to(need);
        let gained = free + self.evict_for(scope, need - free, incoming, settings);
        if gained < need {
            // Not announced: see `StageCore::put_back`.
            scope.budget.credit(gained);
            return false;
        }
        scope.credit(gained - need);
        true
    }

    /// Returns whether [`Valve::make_room`] would find a victim for one event now.
    pub(in crate::stage) fn could_make_room(
        &self,
        scope: &ValveScope<'_>,
        incoming: Incoming,
    ) -> bool {
        self.settings_for(scope, incoming).is_some_and(|ValveSettings { mode, policy }| {
            let queues = look(&scope.stages(), incoming.victims());
            mode.acts() && within_reach(policy, &queues, incoming.stage) > 0
        })
    }

    /// Evicts events for `need` places; returns how many places that gained.
    fn evict_for(
        &self,
        scope: &ValveScope<'_>,
        need: usize,
        incoming: Incoming,
        ValveSettings { mode, policy }: ValveSettings,
    ) -> usize {
        let stages = scope.stages();
        let mut gained = 0;
        let mut asked = Vec::new();
        // A round without a victim has lost a race with a worker. The bound limits such rounds.
        for _ in 0..need.saturating_mul(2).max(4) {
            // Look at all queues.
            let queues = look(&stages, incoming.victims());
            let within_reach = within_reach(policy, &queues, incoming.stage);
            if gained >= need || gained + within_reach < need {
                break;
            }
            // Choose one.
            let random = self.random.next();
            let Some(choice) = choose(policy, &queues, incoming.stage, random) else {
                break;
            };
            let Some(stage) = stages.get(choice.stage) else {
                debug_assert!(false, "a choice is among the queues that were looked at");
                break;
            };
            // Evict, or count the would-be victims of an observer.
            let acted = mode.acts();
            let at = scope.now();
            let (victims, evicted) = if acted {
                let victims = Arc::clone(stage).evict_by_class(
                    incoming.victims(),
                    choice.order,
                    choice.most,
                    at,
                );
                (Evicted::ByClass(victims), victims.iter().sum())
            } else {
                // The next event repeats the decision, so each event counts its own places only.
                let would_be = choice.most.min(need);
                (Evicted::WouldBe(would_be), would_be)
            };
            if evicted > 0 {
                let depth = queues.get(choice.stage).map_or(0, |queue| queue.depth);
                let eviction = Eviction {
                    kind: EvictionKey {
                        stage: stage.index(),
                        scarce: Resource::Events,
                        policy,
                        acted,
                    },
                    at,
                    arrival: incoming,
                    victims,
                    is_first: !asked.contains(&choice.stage),
                    changed: (depth as u64, depth.saturating_sub(evicted) as u64),
                };
                self.evictions.note(eviction, || describe(scope, &queues, &stages));
                asked.push(choice.stage);
            }
            if !acted {
                break;
            }
            gained += if is_seeded(Flaw::SeenIsGained) { choice.most } else { evicted };
        }
        gained
    }
}

/// Returns the budget and the depths as text for the journal.
fn describe(scope: &ValveScope<'_>, queues: &[QueueView], stages: &[Arc<dyn AnyStage>]) -> String {
    let depths = stages.iter().zip(queues);
    let depths: Vec<String> =
        depths.map(|(stage, queue)| format!("{} {}", stage.name(), queue.depth)).collect();
    let used = scope.budget.used();
    let limit = scope.budget.limit();
    format!("budget {used} of {limit} used; depths {}", depths.join(", "))
}

/// Returns how many victims the policy could evict in the end. With too few it evicts none.
fn within_reach(policy: OverloadPolicy, queues: &[QueueView], bound_for: usize) -> usize {
    let queues = queues.iter().enumerate();
    let within = queues.filter(|(stage, _)| may_evict_from(policy, *stage, bound_for));
    within.map(|(_, queue)| queue.eligible).sum()
}

fn look(stages: &[Arc<dyn AnyStage>], victims: VictimFilter) -> Vec<QueueView> {
    stages.iter().map(|stage| stage.eligible(victims)).collect()
}
