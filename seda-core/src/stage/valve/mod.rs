//! The overload valve: who gives way when the graph holds all that its budget allows.
//!
//! An entry is refused at the budget, unless events of a strictly lower class are queued; for
//! such an entry, and for what a handler sends more than it took, the valve makes room. It drops
//! from the longest queue that has a victim (longest-queue drop: Wei, Coyle & Hsiao 1991; shown
//! competitive by Aiello et al. 2008 for parallel queues): there the pressure is, and the less
//! loaded stages keep what they have. The theory does not carry over to stages in a row, where a
//! late drop wastes the work done before; hence the other policies, for comparison, and the
//! `wasted_seconds` of every stage.

mod bytes;
mod eviction_log;
mod incoming;
mod preempt;

pub(crate) use incoming::Incoming;

use crate::config::{Mode, OverloadPolicy};
use crate::platform::sync::{Arc, AtomicU64, Flaw, Mutex, Ordering, is_seeded};
use crate::queue::{Evict, VictimFilter};
use crate::stage::valve::eviction_log::{Evicted, Eviction, EvictionKey, Evictions, Resource};
use crate::stage::{AnyStage, GraphShared};

/// The most victims of one decision. A sender that needs one place makes room for a few more, so
/// that a burst does not decide anew for each event, and never so many that a short overload
/// empties a queue.
pub(crate) const QUANTUM: usize = 16;

/// A queue as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Queue {
    depth: usize,
    eligible: usize,
}

/// The policy's decision: how many, of which queue, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    stage: usize,
    most: usize,
    order: Evict,
}

/// Decides, and nothing else. `random` is any number.
fn choose(
    policy: OverloadPolicy,
    queues: &[Queue],
    bound_for: usize,
    random: u64,
) -> Option<Choice> {
    let eligible = || queues.iter().enumerate().filter(|(_, queue)| queue.eligible > 0);
    match policy {
        OverloadPolicy::None => None,
        OverloadPolicy::TailDrop => eligible()
            .find(|(stage, _)| *stage == bound_for)
            .map(|(stage, _)| Choice { stage, most: 1, order: Evict::Newest }),
        OverloadPolicy::Random => {
            let all: usize = queues.iter().map(|queue| queue.eligible).sum();
            let mut nth = usize::try_from(random).unwrap_or(usize::MAX).checked_rem(all)?;
            eligible().find_map(|(stage, queue)| {
                let choice = Choice { stage, most: 1, order: Evict::Nth(nth) };
                let here = nth < queue.eligible;
                nth = nth.saturating_sub(queue.eligible);
                here.then_some(choice)
            })
        }
        OverloadPolicy::LongestQueue => {
            // Among equals the first declared: nearest the entry, least work wasted.
            let (stage, longest) = eligible().rev().max_by_key(|(_, queue)| queue.depth)?;
            let others = queues.iter().enumerate().filter(|(other, _)| *other != stage);
            let second = others.map(|(_, queue)| queue.depth).max().unwrap_or(0);
            let excess = longest.depth.saturating_sub(second).max(1);
            let most = excess.min(QUANTUM).min(longest.eligible);
            Some(Choice { stage, most, order: Evict::Oldest })
        }
    }
}

/// The valve's settings, live, and what it did since the last tick.
#[derive(Debug)]
pub(crate) struct Valve {
    settings: Mutex<(Mode, OverloadPolicy)>,
    random: AtomicU64,
    evictions: Evictions,
}

impl Default for Valve {
    fn default() -> Self {
        // Any odd seed: random drop is to be repeatable, not unpredictable.
        let random = AtomicU64::new(0x9E37_79B9_7F4A_7C15);
        Self { settings: Mutex::default(), random, evictions: Evictions::default() }
    }
}

impl Valve {
    pub(crate) fn set(&self, mode: Mode, policy: OverloadPolicy) {
        *self.settings.lock() = (mode, policy);
    }

    pub(super) fn settings(&self) -> (Mode, OverloadPolicy) {
        *self.settings.lock()
    }

    pub(crate) fn evictions(&self) -> &Evictions {
        &self.evictions
    }

    /// Weyl sequence through a 64-bit mixer (SplitMix64, Steele et al. 2014).
    fn next_random(&self) -> u64 {
        let mut z = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl GraphShared {
    /// Makes room for `need` more events, all or none, at the expense of others. The victims'
    /// places pass to the caller directly: nobody can snatch them.
    pub(crate) fn make_room(&self, need: usize, arrival: Incoming) -> bool {
        let (mode, policy) = *self.valve.settings.lock();
        // The lowest class has nobody below it: refused without looking at any queue.
        let infeasible = !arrival.fan_out && arrival.class.index() + 1 >= self.classes();
        if mode == Mode::Off || policy == OverloadPolicy::None || infeasible {
            return false;
        }
        if !self.disposal.has_room() {
            return false;
        }
        // What is free counts as well: only the rest has to come from others.
        let free = self.budget.charge_up_to(need);
        let gained = free + self.evict_for(need - free, arrival, mode, policy);
        if gained < need {
            // Not announced: see `StageCore::put_back`.
            self.budget.credit(gained);
            return false;
        }
        self.credit(gained - need);
        true
    }

    fn evict_for(
        &self,
        need: usize,
        arrival: Incoming,
        mode: Mode,
        policy: OverloadPolicy,
    ) -> usize {
        let stages = self.stages();
        let (mut gained, mut asked) = (0, Vec::new());
        // Each round evicts something, or another thread was faster; that cannot go on for ever.
        for _ in 0..need.saturating_mul(2).max(4) {
            let queues = look(&stages, arrival.victims());
            let within_reach = within_reach(policy, &queues, arrival.stage);
            if gained >= need || gained + within_reach < need {
                break;
            }
            let random = self.valve.next_random();
            let Some(choice) = choose(policy, &queues, arrival.stage, random) else {
                break;
            };
            let Some(stage) = stages.get(choice.stage) else {
                break;
            };
            let (acted, at) = (mode == Mode::On, self.now());
            let (victims, evicted) = if acted {
                let gone =
                    Arc::clone(stage).evict_lower(arrival.victims(), choice.order, choice.most, at);
                (Evicted::ByClass(gone), gone.iter().sum())
            } else {
                // For the next newcomer it would look again: each is counted for its own places.
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
                    arrival,
                    victims,
                    is_first: !asked.contains(&choice.stage),
                    changed: (depth as u64, depth.saturating_sub(evicted) as u64),
                };
                self.valve.evictions.note(eviction, || self.describe(&queues, &stages));
                asked.push(choice.stage);
            }
            if !acted {
                break;
            }
            gained += if is_seeded(Flaw::SeenIsGained) { choice.most } else { evicted };
        }
        gained
    }

    fn describe(&self, queues: &[Queue], stages: &[Arc<dyn AnyStage>]) -> String {
        let depths = stages.iter().zip(queues);
        let depths: Vec<String> =
            depths.map(|(stage, queue)| format!("{} {}", stage.name(), queue.depth)).collect();
        let (used, limit) = (self.budget.used(), self.budget.limit());
        format!("budget {used} of {limit} used; depths {}", depths.join(", "))
    }
}

/// How many victims the policy could take in the end: too few, and it takes none.
fn within_reach(policy: OverloadPolicy, queues: &[Queue], bound_for: usize) -> usize {
    match policy {
        OverloadPolicy::None => 0,
        OverloadPolicy::TailDrop => queues.get(bound_for).map_or(0, |queue| queue.eligible),
        OverloadPolicy::LongestQueue | OverloadPolicy::Random => {
            queues.iter().map(|queue| queue.eligible).sum()
        }
    }
}

fn look(stages: &[Arc<dyn AnyStage>], victims: VictimFilter) -> Vec<Queue> {
    let eligible = stages.iter().map(|stage| stage.eligible(victims));
    eligible.map(|(depth, eligible)| Queue { depth, eligible }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(figures: &[(usize, usize)]) -> Vec<Queue> {
        figures.iter().map(|&(depth, eligible)| Queue { depth, eligible }).collect()
    }

    fn longest(figures: &[(usize, usize)]) -> Option<(usize, usize)> {
        choose(OverloadPolicy::LongestQueue, &queues(figures), 0, 0).map(|c| (c.stage, c.most))
    }

    #[test]
    fn the_longest_queue_gives_way_down_to_the_second_longest() {
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
    fn tail_drop_takes_the_newest_where_the_newcomer_is_bound_for() {
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
