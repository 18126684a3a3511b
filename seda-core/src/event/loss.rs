//! Losses: the reasons why an accepted event was shed, or an admitted request got no answer.

use crate::event::reason::reasons;
use std::cell::Cell;

reasons! {
    /// Why an accepted event, or an admitted request, was given up.
    ///
    /// ```
    /// use seda_core::LossReason;
    ///
    /// assert_eq!(LossReason::Panicked.to_string(), "panicked");
    /// ```
    pub enum LossReason, counted by LossCounts {
        /// The deadline passed while the event was queued.
        Expired = "expired",
        /// [CoDel](crate::CodelConfig) shed the event from a standing queue.
        Delay = "delay",
        /// The client had gone before work on the event began.
        Abandoned = "abandoned",
        /// The overload valve made room for another event.
        Valve = "valve",
        /// A request of a higher class found a stage's gate closed, and this class exceeded its
        /// guarantee.
        Admission = "admission",
        /// The stage was closed with the event in its queue.
        Closed = "closed",
        /// A drain reached its limit.
        Drain = "drain",
        /// The handler panicked.
        Panicked = "panicked",
        /// The responder, or the pending handle, was dropped without an answer.
        Forgotten = "forgotten",
        /// A later stage refused the event and its sender gave it up ([`crate::Refused::give_up`]).
        Refused = "refused",
        /// The event was delayed ([`crate::Context::send_after`]), and the graph ended before it
        /// was due.
        Cancelled = "cancelled",
    }
}

crate::platform::sync::per_thread! {
    /// The reason of the innermost `with_loss_reason` on this thread.
    static SCOPE: Cell<Option<LossReason>> = const { Cell::new(None) };
}

/// Returns the reason of a responder that is dropped on this thread now.
pub(crate) fn current_loss_reason() -> LossReason {
    if std::thread::panicking() {
        return LossReason::Panicked;
    }
    SCOPE.with(Cell::get).unwrap_or(LossReason::Forgotten)
}

/// Runs `drop_work`; `reason` is the reason of every responder that it drops.
///
/// A responder is a value somewhere inside a user's event, so the code that sheds the event cannot
/// reach it and leaves the reason here.
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
    fn the_innermost_scope_sets_the_reason_and_ends() {
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
    fn a_reason_is_serialized_as_it_is_displayed() {
        for reason in LossReason::ALL {
            let written = serde_json::to_string(&reason).unwrap();
            assert_eq!(written, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<LossReason>(&written).unwrap(), reason);
        }
    }
}
