//! The valve at the byte budget: who gives way when the events of a graph weigh too much.
//!
//! The same rules as at the event budget ([`super::overload`]): an entry may displace lower
//! classes, a handler's send its own as well. The victims come from the stage whose events weigh
//! most, oldest first; under `tail_drop` from the stage the newcomer is bound for, newest first.

use crate::config::{Mode, OverloadPolicy};
use crate::platform::sync::Arc;
use crate::queue::Evict;
use crate::stage::valve::QUANTUM;
use crate::stage::valve::eviction_log::{Evicted, Eviction, EvictionKey, Resource};
use crate::stage::valve::incoming::Incoming;
use crate::stage::{AnyStage, GraphShared};

impl GraphShared {
    /// Charges `bytes`, if need be at the expense of others: of [`QUANTUM`] events at most.
    pub(crate) fn charge_bytes(&self, bytes: u64, arrival: Incoming) -> bool {
        self.bytes.charge(bytes) || self.make_byte_room(bytes, arrival)
    }

    fn make_byte_room(&self, bytes: u64, arrival: Incoming) -> bool {
        let (mode, policy) = self.valve.settings();
        let infeasible = !arrival.fan_out && arrival.class.index() + 1 >= self.classes();
        let shut = mode == Mode::Off || policy == OverloadPolicy::None;
        if shut || infeasible || !self.disposal.has_room() {
            return false;
        }
        let (stages, mut asked) = (self.stages(), Vec::new());
        // One event goes in each round.
        for _ in 0..QUANTUM {
            let weights = eligible_weights(&stages, policy, arrival);
            let used = self.bytes.used();
            let free = self.bytes.limit().saturating_sub(used);
            // Nobody is given up for a newcomer that would be refused all the same.
            if free + weights.iter().sum::<u64>() < bytes {
                return false;
            }
            let heaviest = stages.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
            let Some((heaviest, _)) = heaviest.max_by_key(|(_, weight)| **weight) else {
                return false;
            };
            let order =
                if policy == OverloadPolicy::TailDrop { Evict::Newest } else { Evict::Oldest };
            let (acted, at) = (mode == Mode::On, self.now());
            let victims = if acted {
                let gone = Arc::clone(heaviest).evict_lower(arrival.victims(), order, 1, at);
                if gone.iter().sum::<usize>() == 0 {
                    // Another thread was faster; what it gained is not looked for twice.
                    return self.bytes.charge(bytes);
                }
                self.credit(1);
                Evicted::ByClass(gone)
            } else {
                // One at least: what each of them weighs is known when it is gone.
                Evicted::WouldBe(1)
            };
            let stage = heaviest.index();
            let eviction = Eviction {
                kind: EvictionKey { stage, scarce: Resource::Bytes, policy, acted },
                at,
                arrival,
                victims,
                is_first: !asked.contains(&stage),
                changed: (used, self.bytes.used()),
            };
            let limit = self.bytes.limit();
            let seen = || format!("{used} of {limit} bytes used, {bytes} more to come");
            self.valve.evictions().note(eviction, seen);
            asked.push(stage);
            if !acted || self.bytes.charge(bytes) {
                return acted;
            }
        }
        false
    }
}

/// What the policy may take from each stage.
fn eligible_weights(
    stages: &[Arc<dyn AnyStage>],
    policy: OverloadPolicy,
    arrival: Incoming,
) -> Vec<u64> {
    let bound_for = |stage: usize| policy != OverloadPolicy::TailDrop || stage == arrival.stage;
    let weight = |(number, stage): (usize, &Arc<dyn AnyStage>)| {
        if bound_for(number) { stage.eligible_bytes(arrival.victims()) } else { 0 }
    };
    stages.iter().enumerate().map(weight).collect()
}
