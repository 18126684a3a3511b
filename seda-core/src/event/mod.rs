//! Events: the metadata that travels with a user's value, and the ways in which work ends.
//!
//! The room holds the data of one event or one request: class, deadline, birth, label, the request
//! that an event serves, and the reasons for a refusal or a loss. It may import `gate`, `config`,
//! `stats` and `platform`. Queues and their counts belong to `queue`, user code to `worker`.

mod label;
mod loss;
mod reason;
mod refusal;
pub(crate) mod request;

pub use label::SHARDS;
pub(crate) use label::{Label, PerShard, ShardSet, Weight, shard_of};
pub use loss::LossReason;
pub(crate) use loss::{LossCounts, current_loss_reason, with_loss_reason};
pub use refusal::{Refusal, RefusalReason, Refused};
pub(crate) use refusal::{RefusalCounts, give_up};

use crate::config::Class;
use crate::event::request::Request;
use crate::platform::Time;
use crate::platform::sync::Arc;
use std::fmt;

/// The metadata of an event: its class, birth and deadline, and the request that it serves.
///
/// The entry sets it from [`SendOptions`](crate::SendOptions); events sent by a handler inherit it.
///
/// ```
/// use seda_core::EventMeta;
/// use std::time::Duration;
///
/// /// A key to serve urgent events first.
/// fn slack(meta: &EventMeta) -> Duration {
///     meta.deadline().since(meta.birth())
/// }
/// # let _ = slack;
/// ```
#[derive(Clone, Debug)]
pub struct EventMeta {
    pub(crate) birth: Time,
    pub(crate) deadline: Time,
    pub(crate) request: Option<Arc<Request>>,
    pub(crate) spent: SunkService,
    /// The [`Label`] at the stage that the event was sent to, flat to save a byte of alignment. If
    /// that stage asks for no label, the label is left over from an earlier stage.
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

    /// Returns the same metadata with this label.
    pub(crate) fn labelled(self, label: Label) -> Self {
        let Label { weight, shard } = label;
        Self { weight, shard, ..self }
    }

    /// Returns the class: priority and share.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Returns when the event, or the event that it descends from, entered the graph.
    pub fn birth(&self) -> Time {
        self.birth
    }

    /// Returns when the answer becomes worthless; [`Time::NEVER`] without a deadline.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Returns whether the deadline has passed; true from the moment of the deadline on. Never true
    /// once the request is answered: a deadline bounds the answer, and not the work after it.
    #[inline]
    pub fn is_expired(&self, now: Time) -> bool {
        self.deadline <= now && !self.is_after_answer()
    }

    /// Returns the deadline in force: [`Time::NEVER`] once the request is answered.
    pub(crate) fn due(&self) -> Time {
        if self.is_after_answer() { Time::NEVER } else { self.deadline }
    }

    /// Returns whether the request of the event is answered, so that no client waits for it.
    pub(crate) fn is_after_answer(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_answered())
    }

    /// Returns the service that is wasted if the event is shed: none after the answer, for which
    /// it was spent.
    pub(crate) fn sunk_nanos(&self) -> u64 {
        if self.is_after_answer() { 0 } else { self.spent.nanos() }
    }

    /// Returns whether the client of the request has gone.
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_abandoned())
    }

    /// Returns whether the event serves a request that counts at the gate of `stage`.
    pub(crate) fn is_bound_for(&self, stage: usize) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_bound_for(stage))
    }
}

/// The service that earlier stages spent on an event's ancestors, wasted if the event is shed.
///
/// It counts units of 64 ns, so that it shares a word with the class: every byte here is copied
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

/// A queued event with its metadata.
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
    fn sunk_service_adds_up_to_the_unit_and_saturates() {
        let mut spent = SunkService::default();
        spent.add(1_000_000);
        spent.add(2_000_000);
        assert_eq!(spent.nanos(), 3_000_000);
        spent.add(u64::MAX);
        assert_eq!(spent.nanos(), u64::from(u32::MAX) * 64);
    }

    #[test]
    fn the_metadata_of_a_queued_event_takes_40_bytes() {
        // Every byte is copied three times per hop; the cost of a hop was measured with 40.
        assert_eq!(size_of::<Envelope<()>>(), 40);
    }

    #[test]
    fn a_deadline_has_passed_from_its_own_moment_on() {
        let meta = EventMeta::new(Time::ZERO, Class::HIGHEST, Time::from_nanos(5));
        assert!(!meta.is_expired(Time::from_nanos(4)));
        assert!(meta.is_expired(Time::from_nanos(5)));
    }
}
