//! The overload policies: the victims of each, at the event budget and at the byte budget.
//!
//! Pure functions of the queues as the valve saw them. A new policy changes this file alone, beside
//! its declaration in `config::policies`.

use crate::config::OverloadPolicy;
use crate::queue::Evict;
use crate::stage::any::QueueView;

/// The most victims of one decision. A sender that needs one place makes room for a few more, so
/// that a burst does not decide anew for each event. The limit keeps a short overload from emptying
/// a queue.
pub(super) const QUANTUM: usize = 16;

/// The budget that was exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Events,
    Bytes,
}

/// The decision of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The stage to evict from.
    pub(super) stage: usize,
    /// The most events to evict.
    pub(super) most: usize,
    pub(super) order: Evict,
}

/// Chooses a queue to evict from at the event budget; `None` if no queue has a victim. `random` is
/// any number.
pub(super) fn choose(
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
            // Among equals the first declared: nearest the entry, least work wasted.
            let (stage, longest) = eligible.rev().max_by_key(|(_, queue)| queue.depth)?;
            let others = queues.iter().enumerate().filter(|(other, _)| *other != stage);
            let second = others.map(|(_, queue)| queue.depth).max().unwrap_or(0);
            let excess = longest.depth.saturating_sub(second).max(1);
            let most = excess.min(QUANTUM).min(longest.eligible);
            Some(Choice { stage, most, order: Evict::Oldest })
        }
    }
}

/// Chooses a stage to evict one event from at the byte budget, by the bytes of the eligible events
/// of every stage; `None` if no stage has a victim.
pub(super) fn choose_by_bytes(policy: OverloadPolicy, weights: &[u64]) -> Option<Choice> {
    let eligible = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
    let (stage, order) = match policy {
        OverloadPolicy::None => return None,
        OverloadPolicy::TailDrop => (heaviest(eligible)?, Evict::Newest),
        OverloadPolicy::LongestQueue | OverloadPolicy::Random => {
            (heaviest(eligible)?, Evict::Oldest)
        }
    };
    Some(Choice { stage, most: 1, order })
}

fn heaviest<'a>(weights: impl Iterator<Item = (usize, &'a u64)>) -> Option<usize> {
    weights.max_by_key(|(_, weight)| **weight).map(|(stage, _)| stage)
}

/// Returns whether the policy may evict from `stage` for an event that is bound for `bound_for`.
pub(super) fn may_evict_from(policy: OverloadPolicy, stage: usize, bound_for: usize) -> bool {
    match policy {
        OverloadPolicy::None => false,
        OverloadPolicy::TailDrop => stage == bound_for,
        OverloadPolicy::LongestQueue | OverloadPolicy::Random => true,
    }
}

/// Returns the policy's reason to choose a queue, as the journal states it.
pub(super) fn why(policy: OverloadPolicy, scarce: Resource) -> &'static str {
    match (scarce, policy) {
        (Resource::Events, OverloadPolicy::LongestQueue) => "the longest queue with a victim",
        (Resource::Bytes, OverloadPolicy::LongestQueue | OverloadPolicy::Random) => {
            "the queue with the most bytes"
        }
        (_, OverloadPolicy::TailDrop) => "the queue of the incoming event",
        (_, OverloadPolicy::Random) => "a queued event at random",
        (_, OverloadPolicy::None) => "no victim",
    }
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
