//! A send that was not taken, and why: the event comes back.

use crate::event::loss::{LossReason, with_loss_reason};
use crate::platform::catch_panic;
use crate::platform::sync::Arc;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalReason {
    /// The stage's queue is at its soft capacity.
    Full,
    /// The graph holds as many events, or bytes, as its budget allows and none may be evicted.
    Budget,
    /// The stage's gate does not admit it, or its rate is used up ([`crate::config::StageConfig::rate`]).
    Admission,
    /// The stage is closed: not started yet, draining, or its factory keeps failing.
    Closed,
    /// Its deadline has passed.
    Expired,
    /// More events at once than the queue can ever hold, or its rate's burst, or more bytes than the graph's byte
    /// budget: no waiting helps.
    TooLarge,
}

impl RefusalReason {
    pub(crate) const ALL: [RefusalReason; 6] = [
        RefusalReason::Full,
        RefusalReason::Budget,
        RefusalReason::Admission,
        RefusalReason::Closed,
        RefusalReason::Expired,
        RefusalReason::TooLarge,
    ];

    /// The reason as reports, metrics and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefusalReason::Full => "full",
            RefusalReason::Budget => "budget",
            RefusalReason::Admission => "admission",
            RefusalReason::Closed => "closed",
            RefusalReason::Expired => "expired",
            RefusalReason::TooLarge => "too_large",
        }
    }

    /// Whether the same send may be taken later.
    pub const fn is_transient(self) -> bool {
        matches!(self, RefusalReason::Full | RefusalReason::Budget | RefusalReason::Admission)
    }

    const fn remedy(self) -> &'static str {
        match self {
            RefusalReason::Full => "its queue is full; answer busy, or give the stage workers",
            RefusalReason::Budget => "the graph's budget is used up; answer busy, or raise it",
            RefusalReason::Admission => "its gate is shut; answer busy and let the client retry",
            RefusalReason::Closed => "it is closed; the graph is not started, draining or broken",
            RefusalReason::Expired => "the deadline has passed; nobody waits for the answer",
            RefusalReason::TooLarge => "more than can ever be held; send fewer or smaller ones",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal without its event: where and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("stage `{stage}` refused: {}", reason.remedy())]
pub struct Refusal {
    stage: Arc<str>,
    reason: RefusalReason,
}

impl Refusal {
    pub(crate) fn new(stage: Arc<str>, reason: RefusalReason) -> Self {
        Self { stage, reason }
    }

    /// The stage that refused.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Why it refused.
    pub fn reason(&self) -> RefusalReason {
        self.reason
    }
}

/// A refused event, with its refusal. It is counted whether or not it is looked at.
#[must_use = "the refused event is in here: answer it, send it elsewhere, or drop it knowingly"]
#[derive(Clone, PartialEq, Eq)]
pub struct Refused<E> {
    event: E,
    refusal: Refusal,
}

impl<E> Refused<E> {
    pub(crate) fn new(event: E, refusal: Refusal) -> Self {
        Self { event, refusal }
    }

    /// Gives the event back.
    pub fn into_event(self) -> E {
        self.event
    }

    /// Drops the event for the reason that it was refused: the owner of a responder inside hears
    /// of that, and not that its request was forgotten. To be handed to `unwrap_or_else`.
    pub fn give_up(self) {
        with_loss_reason(LossReason::Refused, || drop(self.event));
    }

    /// Why it was refused.
    pub fn reason(&self) -> RefusalReason {
        self.refusal.reason
    }

    /// Where and why, without the event.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The event and its refusal.
    pub fn into_parts(self) -> (E, Refusal) {
        (self.event, self.refusal)
    }
}

/// Drops a refused event where its sender does not get it back: it is user code that must not
/// unwind into a sender who has to go on, as a reactor has.
pub(crate) fn give_up<E>(refused: Refused<E>) {
    let stage = Arc::clone(&refused.refusal.stage);
    if catch_panic(|| refused.give_up()).is_none() {
        tracing::error!(%stage, "dropping a refused event panicked");
    }
}

impl<E> fmt::Debug for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

impl<E> fmt::Display for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl<E> std::error::Error for Refused<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_gives_the_event_back_and_names_stage_and_remedy() {
        let refused = Refused::new(7, Refusal::new("render".into(), RefusalReason::Full));
        assert_eq!(
            refused.to_string(),
            "stage `render` refused: its queue is full; answer busy, or give the stage workers"
        );
        assert_eq!(refused.into_event(), 7);
    }

    #[test]
    fn every_reason_has_its_place_in_the_list() {
        for (place, reason) in RefusalReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}
