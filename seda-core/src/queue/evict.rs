//! Giving up: who gives way to a newcomer, and what a queue does with whom it gives up.

use crate::config::Class;
use crate::event::{Envelope, EventMeta, LossReason};
use crate::platform::Time;
use crate::queue::lane::Lane;
use crate::queue::lanes::Lanes;

/// A queued event that is given up, on its way to its owner.
pub(crate) type Shed<E> = (Envelope<E>, LossReason);

/// Which queued events may give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VictimFilter {
    /// Classes strictly lower than this: for an entry.
    LowerThan(Class),
    /// This class and lower ones: for the fan-out of work that is under way.
    UpTo(Class),
    /// This class: it has more than it is guaranteed.
    Only(Class),
}

impl VictimFilter {
    pub(crate) fn include(self, class: Class) -> bool {
        match self {
            VictimFilter::LowerThan(limit) => class.is_lower_than(limit),
            VictimFilter::UpTo(limit) => !limit.is_lower_than(class),
            VictimFilter::Only(only) => class == only,
        }
    }
}

/// Which victim inside a queue goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evict {
    /// Expired lane heads, then the lowest class, oldest first.
    Oldest,
    /// The newest of the lowest class.
    Newest,
    /// The newest of the lowest class that counts at the gate of this stage: with it goes what
    /// shuts the gate.
    NewestBoundFor(usize),
    /// The n-th eligible one, counted from the lowest class's head.
    Nth(usize),
}

impl Evict {
    /// What its owner is told.
    fn reason(self) -> LossReason {
        match self {
            Evict::NewestBoundFor(_) => LossReason::Admission,
            Evict::Oldest | Evict::Newest | Evict::Nth(_) => LossReason::Valve,
        }
    }
}

impl<E> Lanes<E> {
    /// How many queued events may give way to an event that `victims` was made for.
    pub(crate) fn eligible(&self, victims: VictimFilter) -> usize {
        let included = |class: usize| victims.include(Class::new(class as u8));
        let lanes = self.lanes.iter().enumerate().filter(|(class, _)| included(*class));
        lanes.map(|(_, lane)| lane.len()).sum()
    }

    /// What they weigh.
    pub(crate) fn eligible_bytes(&self, victims: VictimFilter) -> u64 {
        let classes = self.queued_bytes.iter().enumerate();
        let included = classes.filter(|(class, _)| victims.include(Class::new(*class as u8)));
        included.map(|(_, bytes)| bytes).sum()
    }

    /// Gives up to `most` events up; returns how many.
    pub(crate) fn evict(
        &mut self,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
        given_up: &mut Vec<Shed<E>>,
    ) -> usize {
        let before = given_up.len();
        if order == Evict::Oldest {
            self.evict_expired_heads(most, now, given_up);
        }
        for class in (0..self.lanes.len()).rev().filter(|c| victims.include(Class::new(*c as u8))) {
            while given_up.len() - before < most {
                let Some(lane) = self.lanes.get_mut(class) else {
                    break;
                };
                let victim = match order {
                    Evict::Oldest => lane.remove_oldest(),
                    Evict::Newest => lane.remove_newest(|_meta| true),
                    Evict::NewestBoundFor(stage) => {
                        lane.remove_newest(|meta| meta.is_bound_for(stage))
                    }
                    Evict::Nth(n) => lane.remove_nth(n),
                };
                let Some(victim) = victim else { break };
                self.depth -= 1;
                self.shed(victim, order.reason(), now, given_up);
            }
        }
        given_up.len() - before
    }

    /// Gives everything up.
    pub(crate) fn shed_all(&mut self, reason: LossReason, now: Time, given_up: &mut Vec<Shed<E>>) {
        while let Some(envelope) = self.lanes.iter_mut().find_map(Lane::remove_oldest) {
            self.depth -= 1;
            self.shed(envelope, reason, now, given_up);
        }
    }

    pub(super) fn evict_expired_heads(
        &mut self,
        most: usize,
        now: Time,
        given_up: &mut Vec<Shed<E>>,
    ) {
        let before = given_up.len();
        for class in 0..self.lanes.len() {
            while given_up.len() - before < most {
                let Some(lane) = self.lanes.get_mut(class) else {
                    break;
                };
                let Some(victim) = lane.remove_expired_head(now) else {
                    break;
                };
                self.depth -= 1;
                self.shed(victim, LossReason::Expired, now, given_up);
            }
        }
    }

    /// Counts a shed event, whose depth was taken off already, and hands it on.
    pub(super) fn shed(
        &mut self,
        envelope: Envelope<E>,
        reason: LossReason,
        now: Time,
        given_up: &mut Vec<Shed<E>>,
    ) {
        self.ledger.shed(envelope.meta.class, reason);
        self.wasted = self.wasted.saturating_add(envelope.meta.spent.nanos());
        self.bytes -= self.weight_of(&envelope.meta);
        self.unqueue_bytes(&envelope.meta);
        self.occupancy.remove(1, now);
        given_up.push((envelope, reason));
    }

    /// An event in hand is given up before, or without, being handled.
    pub(crate) fn shed_in_hand(&mut self, meta: &EventMeta, reason: LossReason, now: Time) {
        self.ledger.shed_in_hand(meta.class, reason);
        self.wasted = self.wasted.saturating_add(meta.spent.nanos());
        self.bytes -= self.weight_of(meta);
        self.occupancy.remove(1, now);
    }
}
