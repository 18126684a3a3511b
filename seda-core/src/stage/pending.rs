//! The pending events of a stage: taken by a worker, not ended with its batch.
//!
//! A pending event is either *outside* (deferred, handled away from the workers) or *held* by its
//! handler. Delayed events count as pending in the ledger, but not here.

use crate::platform::sync::{AtomicUsize, Mutex, Ordering};
use crate::stats::{Quantiles, ThreadTimes};

#[derive(Debug)]
pub(super) struct PendingEvents {
    count: AtomicUsize,
    /// The most pending events.
    limit: AtomicUsize,
    /// The number of events outside or in hand at which no more are taken.
    outside_limit: AtomicUsize,
    /// The pending events that handlers hold.
    held: AtomicUsize,
    /// The events that were outside.
    served: Mutex<OutsideService>,
}

/// The service of the events that were outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutsideService {
    /// Service times, from the taking to the completion.
    pub(crate) times: Quantiles,
    /// The time on threads of the events that have told it.
    pub(crate) threads: ThreadTimes,
}

impl Default for PendingEvents {
    fn default() -> Self {
        Self {
            count: AtomicUsize::new(0),
            limit: AtomicUsize::new(0),
            outside_limit: AtomicUsize::new(usize::MAX),
            held: AtomicUsize::new(0),
            served: Mutex::default(),
        }
    }
}

impl PendingEvents {
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Sets the limit of events outside; returns the one before.
    pub(super) fn set_outside_limit(&self, limit: usize) -> usize {
        self.outside_limit.swap(limit, Ordering::Relaxed)
    }

    pub(super) fn outside_limit(&self) -> usize {
        self.outside_limit.load(Ordering::Relaxed)
    }

    /// True if the number of events outside is limited.
    pub(super) fn is_outside_limited(&self) -> bool {
        self.outside_limit() < usize::MAX
    }

    /// Returns how many more events may be taken when `begun` are in hand or pending, because each
    /// of them may go outside.
    pub(super) fn free_places(&self, begun: usize) -> usize {
        self.outside_limit().saturating_sub(begun.saturating_sub(self.held()))
    }

    /// Counts one more pending event; false at the limit.
    pub(super) fn try_begin(&self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let raised = self.count.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |count| {
            (count < limit).then_some(count + 1)
        });
        raised.is_ok()
    }

    pub(super) fn end(&self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
    }

    /// Counts a pending event as held. The caller holds the lock of the lanes, so that no cut sees
    /// a held event that is not pending.
    pub(super) fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
    }

    /// Ends a hold, under the same lock.
    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Returns the number of events outside.
    pub(super) fn outside(&self) -> usize {
        self.count.load(Ordering::Relaxed).saturating_sub(self.held())
    }

    /// Records the service time of an event that was outside, in nanoseconds. Returns how many
    /// services were recorded so far.
    pub(super) fn record_service(&self, nanos: u64, threads: Option<ThreadTimes>) -> u64 {
        let mut served = self.served.lock();
        served.times.record(nanos, 1);
        if let Some(times) = threads {
            served.threads.add(ThreadTimes { events: 1, outside: u128::from(nanos), ..times });
        }
        served.times.count()
    }

    pub(super) fn served(&self) -> OutsideService {
        self.served.lock().clone()
    }
}
