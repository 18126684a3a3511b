//! The place of one value that a future waits for.
//!
//! The room imports no other.

use parking_lot::Mutex;
use seda_core::{LossReason, Outcome, ReplyAddress, ReplySink};
use std::fmt;
use std::task::{Context, Poll, Waker};

/// A place for one value, filled once from any thread, and awaited by one future.
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
}

enum State<T> {
    /// No value yet; the future that waits, once it was polled.
    Waiting(Option<Waker>),
    Filled(T),
    /// The value was taken, or is not wanted any more.
    Closed,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::Waiting(None)) }
    }

    /// Puts the value in and wakes the future.
    ///
    /// # Errors
    /// The value, if there is one already or none is wanted.
    pub(crate) fn fill(&self, value: T) -> Result<(), T> {
        let mut state = self.state.lock();
        let State::Waiting(waker) = &mut *state else { return Err(value) };
        let waker = waker.take();
        *state = State::Filled(value);
        // A waker is the code of a runtime: it runs without the lock.
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Takes the value; without one, the task of `cx` is woken once it is there. Pending for ever
    /// after the value was taken.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        let mut state = self.state.lock();
        match &mut *state {
            State::Waiting(Some(known)) if known.will_wake(cx.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                let old = waker.replace(cx.waker().clone());
                drop(state);
                drop(old);
                Poll::Pending
            }
            State::Filled(_) => match std::mem::replace(&mut *state, State::Closed) {
                State::Filled(value) => Poll::Ready(value),
                State::Waiting(_) | State::Closed => Poll::Pending,
            },
            State::Closed => Poll::Pending,
        }
    }

    /// Refuses every further value, and returns the one that was not taken.
    pub(crate) fn close(&self) -> Option<T> {
        let before = std::mem::replace(&mut *self.state.lock(), State::Closed);
        match before {
            State::Filled(value) => Some(value),
            State::Waiting(_) | State::Closed => None,
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

/// The answer to a request, or the reason why there is none.
impl<R: Send> ReplySink<R> for Slot<Result<R, LossReason>> {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<R>) {
        let result = match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Lost(reason) => Err(reason),
        };
        // A closed slot belongs to a future that was dropped: the answer goes, too.
        drop(self.fill(result));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(slot: &Slot<u32>) -> Poll<u32> {
        slot.poll(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_value_is_taken_once_and_a_second_one_comes_back() {
        let slot = Slot::new();
        assert_eq!(poll(&slot), Poll::Pending);
        assert_eq!((slot.fill(1), slot.fill(2)), (Ok(()), Err(2)));
        assert_eq!(poll(&slot), Poll::Ready(1));
        assert_eq!((poll(&slot), slot.fill(3), slot.close()), (Poll::Pending, Err(3), None));
    }

    #[test]
    fn a_closed_slot_gives_back_what_was_not_taken_and_takes_nothing() {
        let slot = Slot::new();
        slot.fill(1).unwrap();
        assert_eq!((slot.close(), slot.fill(2)), (Some(1), Err(2)));
    }
}
