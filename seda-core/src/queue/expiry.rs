//! The look through a queue for events whose deadlines have passed, a part at a time.

use crate::event::Envelope;
use crate::platform::Time;
use std::collections::VecDeque;

/// How far the look has come, and when it is due again.
#[derive(Debug)]
pub(super) struct Expiry {
    /// No queued event has an earlier deadline.
    next: Time,
    /// The earliest deadline of the events that were looked at in this pass and stay.
    seen: Time,
    /// The class and the place in its lane at which the pass goes on.
    pub(super) class: usize,
    pub(super) place: usize,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { next: Time::NEVER, seen: Time::NEVER, class: 0, place: 0 }
    }
}

impl Expiry {
    /// Notes the deadline of an event that is queued.
    #[inline]
    pub(super) fn note(&mut self, deadline: Time) {
        self.next = self.next.min(deadline);
    }

    /// Returns whether an event may have expired at `now`.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.next <= now
    }

    /// Notes the deadline of a queued event that was looked at and stays.
    fn keep(&mut self, deadline: Time) {
        self.seen = self.seen.min(deadline);
    }

    /// Begins a part of a pass; returns whether it is the first.
    pub(super) fn begin_part(&mut self) -> bool {
        let is_first = (self.class, self.place) == (0, 0);
        if is_first {
            self.seen = Time::NEVER;
        }
        is_first
    }

    /// Ends a pass. A pass of one part has seen all events. Between the parts of a longer one
    /// events moved up and were not looked at, so the next pass is due at once.
    pub(super) fn end_pass(&mut self, in_one_part: bool) {
        let next = if in_one_part { self.seen } else { Time::ZERO };
        *self = Self { next, ..Self::default() };
    }
}

/// Moves the events of a row that have expired at `now` to `expired`. Looks at up to `most` of
/// them, from the place `from` on; returns at how many.
///
/// Events with equal allowances expire from the head, which costs no moves. Others are moved within
/// the part that is looked at.
pub(super) fn take_expired<E>(
    row: &mut VecDeque<Envelope<E>>,
    from: usize,
    most: usize,
    now: Time,
    expiry: &mut Expiry,
    expired: &mut Vec<Envelope<E>>,
) -> usize {
    let mut looked = 0;
    while from == 0 && looked < most && row.front().is_some_and(|head| head.meta.is_expired(now)) {
        expired.extend(row.pop_front());
        looked += 1;
    }
    let end = row.len().min(from.saturating_add(most - looked));
    let mut kept = from;
    for place in from..end {
        let Some(deadline) = row.get(place).map(|envelope| envelope.meta.due()) else { break };
        if deadline > now {
            expiry.keep(deadline);
            if kept < place {
                row.swap(kept, place);
            }
            kept += 1;
        }
    }
    if kept < end {
        expired.extend(row.drain(kept..end));
    }
    looked + end.saturating_sub(from)
}
