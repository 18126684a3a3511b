//! Why accepted work was given up: an event that is shed, a request that stays unanswered.

use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fmt;

/// Why an accepted event, or an admitted request, was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossReason {
    /// Its deadline passed while it was queued.
    Expired,
    /// It was taken from a queue that stands, by [CoDel](crate::queue::Codel).
    Delay,
    /// The client had gone before work on it began.
    Abandoned,
    /// The overload valve made room for another.
    Valve,
    /// A request of a higher class found a stage's gate shut, and its own class had more than it is
    /// guaranteed.
    Admission,
    /// Its stage was closed with the event in its queue.
    Closed,
    /// A drain reached its limit.
    Drain,
    /// Its handler panicked.
    Panicked,
    /// Its responder, or its pending handle, was dropped without an answer.
    Forgotten,
    /// A later stage refused it and its sender gave it up ([`crate::event::refusal::Refused::give_up`]).
    Refused,
    /// It was to be sent later ([`crate::worker::context::Context::send_after`]) and the graph ended before.
    Cancelled,
}

impl LossReason {
    pub(crate) const ALL: [LossReason; 11] = [
        LossReason::Expired,
        LossReason::Delay,
        LossReason::Abandoned,
        LossReason::Valve,
        LossReason::Admission,
        LossReason::Closed,
        LossReason::Drain,
        LossReason::Panicked,
        LossReason::Forgotten,
        LossReason::Refused,
        LossReason::Cancelled,
    ];

    /// The reason as reports, metrics and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LossReason::Expired => "expired",
            LossReason::Delay => "delay",
            LossReason::Abandoned => "abandoned",
            LossReason::Valve => "valve",
            LossReason::Admission => "admission",
            LossReason::Closed => "closed",
            LossReason::Drain => "drain",
            LossReason::Panicked => "panicked",
            LossReason::Forgotten => "forgotten",
            LossReason::Refused => "refused",
            LossReason::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

crate::platform::sync::per_thread! {
    static SCOPE: Cell<Option<LossReason>> = const { Cell::new(None) };
}

/// The reason that a responder dropped on this thread right now would give.
pub(crate) fn current_loss_reason() -> LossReason {
    if std::thread::panicking() {
        return LossReason::Panicked;
    }
    SCOPE.with(Cell::get).unwrap_or(LossReason::Forgotten)
}

/// Runs `drop_work` with `reason` as the reason of every responder that is dropped inside.
///
/// A responder is a value somewhere inside a user's event: this is how the one who gives the
/// event up tells it why.
pub(crate) fn with_loss_reason<T>(reason: LossReason, drop_work: impl FnOnce() -> T) -> T {
    struct Restore(Option<LossReason>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.with(|scope| scope.set(self.0));
        }
    }
    let _restore = Restore(SCOPE.with(|scope| scope.replace(Some(reason))));
    drop_work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_scope_gives_the_reason_and_is_left_again() {
        assert_eq!(current_loss_reason(), LossReason::Forgotten);
        with_loss_reason(LossReason::Valve, || {
            with_loss_reason(LossReason::Drain, || {
                assert_eq!(current_loss_reason(), LossReason::Drain)
            });
            assert_eq!(current_loss_reason(), LossReason::Valve);
        });
        assert_eq!(current_loss_reason(), LossReason::Forgotten);
    }

    #[test]
    fn every_reason_has_its_place_in_the_list() {
        for (place, reason) in LossReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}
