//! Refusals: a refused send gives its event back with the reason.

use crate::event::loss::{LossReason, with_loss_reason};
use crate::event::reason::reasons;
use crate::platform::catch_panic;
use crate::platform::sync::Arc;
use std::fmt;
use thiserror::Error;

reasons! {
    /// The reason for which an event was refused.
    ///
    /// ```
    /// use seda_core::RefusalReason;
    ///
    /// assert!(RefusalReason::Full.is_transient() && !RefusalReason::TooLarge.is_transient());
    /// assert_eq!(RefusalReason::TooLarge.to_string(), "too_large");
    /// ```
    pub enum RefusalReason, counted by RefusalCounts {
        /// The stage's queue is at its soft capacity.
        Full = "full",
        /// The graph's budget of events, or of bytes, is used up, and no event may be evicted.
        Budget = "budget",
        /// The stage's gate is closed to it, or its rate is used up
        /// ([`crate::StageConfig::rate`]).
        Admission = "admission",
        /// The stage is closed: not started yet, draining, or its factory keeps failing.
        Closed = "closed",
        /// The deadline has passed.
        Expired = "expired",
        /// More events at once than the queue or the rate's burst can ever hold, or more bytes than
        /// the graph's byte budget. Waiting does not help.
        TooLarge = "too_large",
        /// All workers of a stage on its way are stuck in handlers that do not return
        /// ([`crate::ControlConfig::stuck_after`]).
        Stuck = "stuck",
    }
}

impl RefusalReason {
    /// Returns whether the same send may be accepted later.
    pub const fn is_transient(self) -> bool {
        match self {
            RefusalReason::Full
            | RefusalReason::Budget
            | RefusalReason::Admission
            | RefusalReason::Stuck => true,
            RefusalReason::Closed | RefusalReason::Expired | RefusalReason::TooLarge => false,
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            RefusalReason::Full => "its queue is full; let the client retry, or add workers",
            RefusalReason::Budget => {
                "the graph's budget is used up; let the client retry, or raise it"
            }
            RefusalReason::Admission => "its gate is closed; let the client retry",
            RefusalReason::Closed => "it is closed: not started, draining, or its factory fails",
            RefusalReason::Expired => "the deadline has passed; no client waits for the answer",
            RefusalReason::Stuck => {
                "all workers of a stage on the way are stuck in handlers; let the client retry, or \
                 restart the server"
            }
            RefusalReason::TooLarge => "the events exceed a bound; send fewer or smaller ones",
        }
    }
}

/// A refusal without its event: the stage and the reason.
///
/// ```
/// use seda_core::{Graph, RefusalReason};
///
/// let mut graph = Graph::new("pages");
/// let page = graph.stage::<u32>("page", 8);
/// graph.attach_each(page, |_wire| |_n, _cx| {})?;
/// // Not started yet, so the stage is closed.
/// let (n, refusal) = graph.source(page)?.send(7).unwrap_err().into_parts();
/// assert_eq!((n, refusal.stage(), refusal.reason()), (7, "page", RefusalReason::Closed));
/// # Ok::<(), seda_core::GraphError>(())
/// ```
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

    /// Returns the name of the stage that refused.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns why it refused.
    pub fn reason(&self) -> RefusalReason {
        self.reason
    }
}

/// A refused event with its refusal. The refusal is counted even if the value is ignored.
///
/// See [`Refusal`] for an example.
#[must_use = "it contains the refused event: answer it, send it elsewhere, or drop it knowingly"]
#[derive(Clone, PartialEq, Eq)]
pub struct Refused<E> {
    event: E,
    refusal: Refusal,
}

impl<E> Refused<E> {
    pub(crate) fn new(event: E, refusal: Refusal) -> Self {
        Self { event, refusal }
    }

    /// Returns the event.
    pub fn into_event(self) -> E {
        self.event
    }

    /// Drops the event. The owner of a responder inside is told [`LossReason::Refused`] instead of
    /// [`LossReason::Forgotten`]. Fits `unwrap_or_else(Refused::give_up)`.
    pub fn give_up(self) {
        with_loss_reason(LossReason::Refused, || drop(self.event));
    }

    /// Returns why the event was refused.
    pub fn reason(&self) -> RefusalReason {
        self.refusal.reason
    }

    /// Returns the stage and the reason.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// Returns the event and its refusal.
    pub fn into_parts(self) -> (E, Refusal) {
        (self.event, self.refusal)
    }
}

/// Drops a refused event that its sender does not get back. Its `Drop` is user code and must not
/// unwind into a sender that has to go on, such as a reactor.
pub(crate) fn give_up<E>(refused: Refused<E>) {
    let stage = Arc::clone(&refused.refusal.stage);
    if catch_panic(|| refused.give_up()).is_none() {
        tracing::error!(%stage, "the Drop of a refused event panicked");
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
            "stage `render` refused: its queue is full; let the client retry, or add workers"
        );
        assert_eq!(refused.into_event(), 7);
    }
}
