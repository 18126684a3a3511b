//! The valve at the event budget.
//!
//! A decision takes no lock over all queues. The steps, and the race in each:
//!
//! 1. charge the free places of the budget, so that only the rest must be evicted;
//! 2. look at every queue, one after the other: a worker may take a victim in between;
//! 3. choose a queue and evict under its lock: the gain is the number evicted, not the number seen;
//! 4. repeat until the gain suffices or no queue has a victim. The victims' places in the budget
//!    pass to the sender directly, so that no other sender can take them.

use crate::config::{Mode, OverloadPolicy};
use crate::platform::sync::{Arc, Flaw, is_seeded};
use crate::queue::{Evict, VictimFilter};
use crate::stage::any::{AnyStage, QueueView};
use crate::stage::valve::eviction_log::{Evicted, Eviction, EvictionKey, Resource};
use crate::stage::valve::{Incoming, QUANTUM, Valve, ValveScope, ValveSettings};

/// The decision of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    /// The stage to evict from.
    stage: usize,
    /// The most events to evict.
    most: usize,
    order: Evict,
}

/// Chooses a queue to evict from; `None` if no queue has a victim. `random` is any number.
fn choose(
    policy: OverloadPolicy,
    queues: &[QueueView],
    bound_for: usize,
    random: u64,
) -> Option<Choice> {
    let mut eligible = queues.iter().enumerate().filter(|(_, queue)| queue.eligible > 0);
    match policy {
        OverloadPolicy::None => None,
        OverloadPolicy::TailDrop => eligible
            .find(|(stage, _)| *stage == bound_for)
            .map(|(stage, _)| Choice { stage, most: 1, order: Evict::Newest }),
        OverloadPolicy::Random => {
            let all: usize = queues.iter().map(|queue| queue.eligible).sum();
            let mut nth = usize::try_from(random).unwrap_or(usize::MAX).checked_rem(all)?;
            for (stage, queue) in eligible {
                if nth < queue.eligible {
                    return Some(Choice { stage, most: 1, order: Evict::Nth(nth) });
                }
                nth -= queue.eligible;
            }
            None
        }
        OverloadPolicy::LongestQueue => {
            // Of equal queues the first declared: it is nearest the entry and wastes the least
            // work.
            let (stage, longest) = eligible.rev().max_by_key(|(_, queue)| queue.depth)?;
            let others = queues.iter().enumerate().filter(|(other, _)| *other != stage);
            let second = others.map(|(_, queue)| queue.depth).max().unwrap_or(0);
            let excess = longest.depth.saturating_sub(second).max(1);
            let most = excess.min(QUANTUM).min(longest.eligible);
            Some(Choice { stage, most, order: Evict::Oldest })
        }
    }
}

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
            let acted = mode == Mode::On;
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
    match policy {
        OverloadPolicy::None => 0,
        OverloadPolicy::TailDrop => queues.get(bound_for).map_or(0, |queue| queue.eligible),
        OverloadPolicy::LongestQueue | OverloadPolicy::Random => {
            queues.iter().map(|queue| queue.eligible).sum()
        }
    }
}

fn look(stages: &[Arc<dyn AnyStage>], victims: VictimFilter) -> Vec<QueueView> {
    stages.iter().map(|stage| stage.eligible(victims)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(figures: &[(usize, usize)]) -> Vec<QueueView> {
        figures.iter().map(|&(depth, eligible)| QueueView { depth, eligible }).collect()
    }

    fn longest(figures: &[(usize, usize)]) -> Option<(usize, usize)> {
        choose(OverloadPolicy::LongestQueue, &queues(figures), 0, 0).map(|c| (c.stage, c.most))
    }

    #[test]
    fn the_longest_queue_is_evicted_down_to_the_second_longest() {
        assert_eq!(longest(&[(10, 10), (7, 7), (2, 2)]), Some((0, 3)));
        assert_eq!(longest(&[(100, 100), (7, 7)]), Some((0, QUANTUM)));
        assert_eq!(longest(&[(5, 5), (5, 5)]), Some((0, 1)));
    }

    #[test]
    fn a_queue_without_a_victim_is_passed_over_but_counts_as_second_longest() {
        assert_eq!(longest(&[(10, 0), (7, 7)]), Some((1, 1)));
        assert_eq!(longest(&[(10, 2), (1, 1)]), Some((0, 2)));
        assert_eq!(longest(&[(10, 0), (7, 0)]), None);
    }

    #[test]
    fn tail_drop_evicts_the_newest_event_of_the_stage_the_incoming_one_is_bound_for() {
        let both = queues(&[(10, 10), (3, 3)]);
        let choice = choose(OverloadPolicy::TailDrop, &both, 1, 0);
        assert_eq!(choice, Some(Choice { stage: 1, most: 1, order: Evict::Newest }));
        assert_eq!(choose(OverloadPolicy::TailDrop, &queues(&[(10, 10), (3, 0)]), 1, 0), None);
    }

    #[test]
    fn random_drop_reaches_every_eligible_event_once_in_a_round() {
        let both = queues(&[(9, 2), (3, 3)]);
        let picks: Vec<_> = (0..5)
            .map(|n| choose(OverloadPolicy::Random, &both, 0, n).map(|c| (c.stage, c.order)))
            .collect();
        let expected = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)];
        assert_eq!(picks, expected.map(|(stage, n)| Some((stage, Evict::Nth(n)))));
        assert_eq!(choose(OverloadPolicy::Random, &queues(&[(9, 0)]), 0, 7), None);
    }
}
