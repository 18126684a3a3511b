//! One look at the busy workers: what each of them is blocked in.

use crate::config::StageIndex;
use crate::platform::{BlockingCall, ThreadId, ThreadState, Time};

/// A busy worker at one look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BusyWorker {
    pub(crate) stage: StageIndex,
    pub(crate) thread: ThreadId,
    /// `None` if the kernel does not tell.
    pub(crate) state: Option<ThreadState>,
}

/// All busy workers at one time.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) at: Time,
    pub(super) workers: Vec<BusyWorker>,
}

/// The cause for which a worker is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BlockedCause {
    /// A lock for which several threads wait; its futex's address, or [`PARKED`](super::PARKED).
    Lock(u64),
    /// A futex on which one thread alone waits: a message, a condition, or a lock that parks each
    /// thread by itself.
    Wake,
    Sleep,
    /// A read or a write; its descriptor.
    Io(i32),
    Poll,
    Fault,
    Other,
    /// The kernel does not tell.
    Unknown,
}

impl BusyWorker {
    pub(super) fn waits_on(&self, address: u64) -> bool {
        self.state == Some(ThreadState::Blocked(BlockingCall::Futex(address)))
    }

    /// Returns the cause for which the worker is blocked; `None` if it is not.
    pub(super) fn blocked_in(&self, locks: &[u64]) -> Option<BlockedCause> {
        let Some(state) = self.state else { return Some(BlockedCause::Unknown) };
        let ThreadState::Blocked(call) = state else { return None };
        Some(match call {
            BlockingCall::Futex(address) if locks.contains(&address) => BlockedCause::Lock(address),
            BlockingCall::Futex(_) => BlockedCause::Wake,
            BlockingCall::Sleep => BlockedCause::Sleep,
            BlockingCall::Io(descriptor) => BlockedCause::Io(descriptor),
            BlockingCall::Poll => BlockedCause::Poll,
            BlockingCall::Fault => BlockedCause::Fault,
            BlockingCall::Other => BlockedCause::Other,
        })
    }
}
