//! The sleep of a reactor, and how another thread ends it.
//!
//! # Protocol
//!
//! | state | meaning | left by |
//! | --- | --- | --- |
//! | `AWAKE` | the reactor runs and will look at its queues before it sleeps | both sides |
//! | `ASLEEP` | the reactor is about to block in the poll, or blocks in it | both sides |
//! | `NOTIFIED` | the next sleep must not block; a needed wake-up is sent | the reactor |
//!
//! ```text
//! reactor                                 another thread
//! 1. AWAKE → ASLEEP, or do not block      1. publish the message
//! 2. look at the queues once more         2. read the state
//! 3. block in the poll                    3. if ASLEEP: → NOTIFIED and wake the poll
//! 4. any state → AWAKE
//! ```
//!
//! Steps 1 and 2 of both sides are sequentially consistent. So either the reactor sees the
//! message, or the other thread sees `ASLEEP`. A wake-up costs a system call: only the thread that
//! replaces `ASLEEP` pays it, and none does while the reactor is awake.

use seda_core::Unpark;
use std::sync::atomic::{AtomicU8, Ordering, fence};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
const NOTIFIED: u8 = 2;

/// Wakes a reactor from any thread.
#[derive(Debug)]
pub(super) struct Unparker {
    state: AtomicU8,
    waker: mio::Waker,
}

impl Unparker {
    pub(super) fn new(waker: mio::Waker) -> Self {
        Self { state: AtomicU8::new(AWAKE), waker }
    }

    /// Announces that the reactor is about to sleep. Returns false if it was notified meanwhile
    /// and must not block. After true, the reactor looks at its queues once more before it blocks.
    pub(super) fn prepare_sleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Announces that the reactor is awake and will look at all its queues, which answers every
    /// notification so far.
    pub(super) fn set_awake(&self) {
        // The load comes first, so that a reactor without notifications never writes the line.
        if self.state.load(Ordering::Relaxed) != AWAKE {
            self.state.swap(AWAKE, Ordering::SeqCst);
        }
    }

    /// Wakes the reactor if it sleeps. The caller has published its message before.
    pub(super) fn wake_if_asleep(&self) {
        // Orders the published message before the load of the state.
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
            tracing::error!(%error, "cannot wake a reactor; it looks again after its time limit");
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
    fn a_notification_before_the_sleep_is_not_lost() {
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
