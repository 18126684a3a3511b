//! What travels with a user's value: class, deadline, birth and the request it serves.

mod label;
mod loss;
mod refusal;
pub(crate) mod request;

pub use label::SHARDS;
pub(crate) use label::{Label, ShardSet, Weight, shard_of};
pub use loss::LossReason;
pub(crate) use loss::{current_loss_reason, with_loss_reason};
pub(crate) use refusal::give_up;
pub use refusal::{Refusal, RefusalReason, Refused};

use crate::config::Class;
use crate::event::request::Request;
use crate::platform::Time;
use crate::platform::sync::Arc;
use std::fmt;

/// What is known of an event beside its value.
#[derive(Clone, Debug)]
pub struct EventMeta {
    pub(crate) birth: Time,
    pub(crate) deadline: Time,
    pub(crate) request: Option<Arc<Request>>,
    pub(crate) spent: SunkService,
    /// What the stage it is sent to asked of it ([`Label`], without the byte that its own
    /// alignment would cost); an earlier stage's answers where that stage asks nothing.
    pub(crate) weight: Weight,
    pub(crate) shard: u8,
    pub(crate) class: Class,
}

impl EventMeta {
    pub(crate) fn new(birth: Time, class: Class, deadline: Time) -> Self {
        Self {
            birth,
            deadline,
            request: None,
            spent: SunkService::default(),
            weight: Weight::default(),
            shard: 0,
            class,
        }
    }

    /// The same with what the event has said of itself.
    pub(crate) fn labelled(self, label: Label) -> Self {
        let Label { weight, shard } = label;
        Self { weight, shard, ..self }
    }

    /// Priority and share.
    pub fn class(&self) -> Class {
        self.class
    }

    /// When the event, or the one it descends from, entered the graph.
    pub fn birth(&self) -> Time {
        self.birth
    }

    /// When its answer becomes worthless; [`Time::NEVER`] if it has no deadline.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Whether the deadline has passed.
    #[inline]
    pub fn is_expired(&self, now: Time) -> bool {
        self.deadline <= now
    }

    /// Whether the client that waits for the answer has gone.
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_abandoned())
    }

    /// Whether it serves a request that counts at the gate of a stage.
    pub(crate) fn is_bound_for(&self, stage: usize) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_bound_for(stage))
    }
}

/// Service that earlier stages spent on an event's ancestors: what a shed would waste.
///
/// Kept in units of 64 ns, so that it shares a word with the class: every byte here is copied
/// three times per hop. It saturates at four and a half minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SunkService(u32);

impl SunkService {
    const UNIT_NANOS: u64 = 64;

    pub(crate) fn add(&mut self, nanos: u64) {
        let units = nanos.saturating_add(Self::UNIT_NANOS / 2) / Self::UNIT_NANOS;
        self.0 = self.0.saturating_add(u32::try_from(units).unwrap_or(u32::MAX));
    }

    pub(crate) fn nanos(self) -> u64 {
        u64::from(self.0) * Self::UNIT_NANOS
    }
}

/// An event in a queue.
pub(crate) struct Envelope<E> {
    pub(crate) event: E,
    pub(crate) meta: EventMeta,
    pub(crate) enqueued: Time,
}

impl<E> fmt::Debug for Envelope<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("meta", &self.meta)
            .field("enqueued", &self.enqueued)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_beyond_the_declared_ones_is_the_last_of_them() {
        assert_eq!(Class::new(7).within(2), Class::new(1));
        assert_eq!(Class::new(1).within(2), Class::new(1));
        assert_eq!(Class::new(3).within(0), Class::HIGHEST);
    }

    #[test]
    fn what_was_spent_adds_up_to_the_unit_and_saturates() {
        let mut spent = SunkService::default();
        spent.add(1_000_000);
        spent.add(2_000_000);
        assert_eq!(spent.nanos(), 3_000_000);
        spent.add(u64::MAX);
        assert_eq!(spent.nanos(), u64::from(u32::MAX) * 64);
    }

    #[test]
    fn an_events_luggage_is_40_bytes() {
        // Every byte is copied three times per hop; the hop's price was measured with this.
        assert_eq!(size_of::<Envelope<()>>(), 40);
    }

    #[test]
    fn a_deadline_is_passed_from_its_own_moment_on() {
        let meta = EventMeta::new(Time::ZERO, Class::HIGHEST, Time::from_nanos(5));
        assert!(!meta.is_expired(Time::from_nanos(4)));
        assert!(meta.is_expired(Time::from_nanos(5)));
    }
}
