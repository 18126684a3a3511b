//! The sleep of a reactor, and how any thread ends it.
//!
//! Codec. A waker first publishes what there is to see, then looks at the state; the reactor
//! first says that it sleeps, then looks once more at what there is to see. Both steps are
//! sequentially consistent, so at least one of the two sees the other. Only a reactor that said
//! it sleeps costs its waker a system call, and only one waker pays it.

use seda_core::Unpark;
use std::sync::atomic::{AtomicU8, Ordering, fence};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
/// Somebody asked for another look at the queues; the next sleep ends before it begins.
const NOTIFIED: u8 = 2;

#[derive(Debug)]
pub(super) struct Unparker {
    state: AtomicU8,
    waker: mio::Waker,
}

impl Unparker {
    pub(super) fn new(waker: mio::Waker) -> Self {
        Self { state: AtomicU8::new(AWAKE), waker }
    }

    /// Says that the reactor is about to sleep; false if it was called in the meantime. It must
    /// then look around once more before it does.
    pub(super) fn prepare_sleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The reactor is awake and will look at everything: whatever it was called for is included.
    pub(super) fn set_awake(&self) {
        // A plain load first: a reactor that is never called never writes the line.
        if self.state.load(Ordering::Relaxed) != AWAKE {
            self.state.swap(AWAKE, Ordering::SeqCst);
        }
    }

    /// Something was published where the reactor looks before it sleeps.
    pub(super) fn wake_if_asleep(&self) {
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::SeqCst) == ASLEEP {
            self.unpark();
        }
    }
}

impl Unpark for Unparker {
    fn unpark(&self) {
        if self.state.swap(NOTIFIED, Ordering::SeqCst) == ASLEEP
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a reactor could not be woken; it looks again by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn unparker() -> (mio::Poll, Unparker) {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        (poll, Unparker::new(waker))
    }

    #[test]
    fn a_call_before_the_sleep_is_not_lost() {
        let (_poll, unparker) = unparker();
        unparker.unpark();
        assert!(!unparker.prepare_sleep());
        unparker.set_awake();
        assert!(unparker.prepare_sleep());
    }

    #[test]
    fn only_a_sleeping_reactor_costs_a_wake_up_and_only_one() {
        let (mut poll, unparker) = unparker();
        let mut events = mio::Events::with_capacity(4);
        unparker.wake_if_asleep();
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        assert!(unparker.prepare_sleep());
        unparker.wake_if_asleep();
        unparker.wake_if_asleep();
        poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
        assert_eq!(events.iter().count(), 1);
    }
}
