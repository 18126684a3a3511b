//! The valve at the byte budget.
//!
//! The rules are those at the event budget: an entry may displace lower classes, a handler's send
//! its own class as well. The victims come from the stage with the most bytes, oldest first;
//! under `tail_drop` from the stage that the incoming event is bound for, newest first.

use crate::config::OverloadPolicy;
use crate::platform::sync::Arc;
use crate::stage::any::AnyStage;
use crate::stage::valve::eviction_log::{Evicted, Eviction, EvictionKey};
use crate::stage::valve::policy::{QUANTUM, Resource, choose_by_bytes, may_evict_from};
use crate::stage::valve::{Incoming, Valve, ValveScope, ValveSettings};

impl Valve {
    /// Charges `bytes` after evicting up to [`QUANTUM`] events; false if that was not enough.
    pub(in crate::stage) fn make_byte_room(
        &self,
        scope: &ValveScope<'_>,
        bytes: u64,
        incoming: Incoming,
    ) -> bool {
        let Some(ValveSettings { mode, policy }) = self.settings_for(scope, incoming) else {
            return false;
        };
        let stages = scope.stages();
        let mut asked = Vec::new();
        // Each round evicts one event.
        for _ in 0..QUANTUM {
            let weights = eligible_weights(&stages, policy, incoming);
            let used = scope.bytes.used();
            let free = scope.bytes.limit().saturating_sub(used);
            // An event that would be refused all the same evicts no other.
            if free + weights.iter().sum::<u64>() < bytes {
                return false;
            }
            let Some(choice) = choose_by_bytes(policy, &weights) else {
                return false;
            };
            let Some(chosen) = stages.get(choice.stage) else {
                debug_assert!(false, "a choice is among the stages that were weighed");
                return false;
            };
            let acted = mode.acts();
            let at = scope.now();
            let victims = if acted {
                let evicted = Arc::clone(chosen).evict_by_class(
                    incoming.victims(),
                    choice.order,
                    choice.most,
                    at,
                );
                if evicted.iter().sum::<usize>() == 0 {
                    // A worker took the victim first. Its bytes are not waited for.
                    return scope.bytes.charge(bytes);
                }
                scope.credit(1);
                Evicted::ByClass(evicted)
            } else {
                // At least one: the weight of each is known only once it is evicted.
                Evicted::WouldBe(1)
            };
            let stage = chosen.index();
            let eviction = Eviction {
                kind: EvictionKey { stage, scarce: Resource::Bytes, policy, acted },
                at,
                arrival: incoming,
                victims,
                is_first: !asked.contains(&stage),
                changed: (used, scope.bytes.used()),
            };
            let limit = scope.bytes.limit();
            self.evictions
                .note(eviction, || format!("{used} of {limit} bytes used, {bytes} more to come"));
            asked.push(stage);
            if !acted || scope.bytes.charge(bytes) {
                return acted;
            }
        }
        false
    }
}

/// Returns the bytes that the policy may evict, by stage.
fn eligible_weights(
    stages: &[Arc<dyn AnyStage>],
    policy: OverloadPolicy,
    incoming: Incoming,
) -> Vec<u64> {
    let mut weights = Vec::with_capacity(stages.len());
    for (number, stage) in stages.iter().enumerate() {
        let may_evict = may_evict_from(policy, number, incoming.stage);
        weights.push(if may_evict { stage.eligible_bytes(incoming.victims()) } else { 0 });
    }
    weights
}
