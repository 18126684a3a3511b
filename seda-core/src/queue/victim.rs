//! Victims: which queued events may be shed to make room, and in which order.

use crate::config::Class;
use crate::event::{Envelope, LossReason};

/// A queued event that is shed, and why, on its way to its owner.
pub(crate) type Shed<E> = (Envelope<E>, LossReason);

/// The classes of the queued events that may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VictimFilter {
    /// Classes strictly lower than this one: for an event at an entry.
    LowerThan(Class),
    /// This class and lower ones: for the fan-out of work that has begun.
    UpTo(Class),
    /// This class alone, because it exceeds its guarantee.
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

/// The order in which the victims of a queue are evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evict {
    /// Expired lane heads, then the lowest class, oldest first.
    Oldest,
    /// The newest of the lowest class.
    Newest,
    /// The newest of the lowest class among the events with a request that counts at the gate of
    /// this stage, so that its end opens the gate.
    NewestBoundFor(usize),
    /// The n-th eligible event, counted from the head of the lowest class.
    Nth(usize),
}

impl Evict {
    /// Returns the reason that the owner is told.
    pub(super) fn reason(self) -> LossReason {
        match self {
            Evict::NewestBoundFor(_) => LossReason::Admission,
            Evict::Oldest | Evict::Newest | Evict::Nth(_) => LossReason::Valve,
        }
    }
}
