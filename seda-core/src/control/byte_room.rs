//! The valve at the byte budget: who gives way when the events of a graph weigh too much.
//!
//! The same rules as at the event budget ([`super::overload`]): an entry may displace lower
//! classes, a handler's send its own as well. The victims come from the stage whose events weigh
//! most, oldest first; under `tail_drop` from the stage the newcomer is bound for, newest first.

use super::config::Mode;
use super::journal::{Controller, Decision};
use super::overload::{Arrival, OverloadPolicy, QUANTUM};
use crate::graph::GraphCore;
use crate::queue::Evict;
use crate::stage::AnyStage;
use crate::sync::Arc;

impl GraphCore {
    /// Charges `bytes`, if need be at the expense of others: of [`QUANTUM`] events at most.
    pub(crate) fn charge_bytes(&self, bytes: u64, arrival: Arrival) -> bool {
        self.bytes.charge(bytes) || self.make_byte_room(bytes, arrival)
    }

    fn make_byte_room(&self, bytes: u64, arrival: Arrival) -> bool {
        let (mode, policy) = self.valve.settings();
        let hopeless = !arrival.fan_out && arrival.class.index() + 1 >= self.classes();
        let shut = mode != Mode::On || policy == OverloadPolicy::None;
        if shut || hopeless || !self.disposal.has_room() {
            return false;
        }
        let (stages, mut evicted) = (self.stages(), 0);
        let mut made = false;
        while !made && evicted < QUANTUM {
            let weights = eligible_weights(&stages, policy, arrival);
            let free = self.bytes.limit().saturating_sub(self.bytes.used());
            // Nobody is given up for a newcomer that would be refused all the same.
            if free + weights.iter().sum::<u64>() < bytes {
                break;
            }
            let heaviest = stages.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
            let Some((heaviest, _)) = heaviest.max_by_key(|(_, weight)| **weight) else {
                break;
            };
            let order =
                if policy == OverloadPolicy::TailDrop { Evict::Newest } else { Evict::Oldest };
            let gone = Arc::clone(heaviest).evict(arrival.victims(), order, 1, self.now());
            self.credit(gone);
            evicted += gone;
            made = self.bytes.charge(bytes);
            if gone == 0 {
                // Another thread was faster; what it gained is not looked for twice.
                break;
            }
        }
        if evicted > 0 {
            self.journal_bytes(bytes, evicted, made);
        }
        made
    }

    fn journal_bytes(&self, bytes: u64, evicted: usize, made: bool) {
        let outcome = if made { "made room" } else { "and it was not enough" };
        self.journal.write(Decision {
            at_seconds: self.now().as_secs_f64(),
            controller: Controller::Valve,
            stage: None,
            seen: format!(
                "{} of {} bytes used, {bytes} more to come",
                self.bytes.used(),
                self.bytes.limit()
            ),
            action: format!("evicted {evicted} of the heaviest stages' events"),
            changed: outcome.to_owned(),
            acted: true,
        });
    }
}

/// What the policy may take from each stage.
fn eligible_weights(
    stages: &[Arc<dyn AnyStage>],
    policy: OverloadPolicy,
    arrival: Arrival,
) -> Vec<u64> {
    let bound_for = |stage: usize| policy != OverloadPolicy::TailDrop || stage == arrival.stage;
    let weight = |(number, stage): (usize, &Arc<dyn AnyStage>)| {
        if bound_for(number) { stage.eligible_bytes(arrival.victims()) } else { 0 }
    };
    stages.iter().enumerate().map(weight).collect()
}
