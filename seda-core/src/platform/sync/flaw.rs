//! Seeded flaws: mutations of the protocols, each of which must make a model fail.
//!
//! A passing model proves little until it has failed. Each protocol therefore has flaws at the
//! lines where it would break, and a model seeds them one at a time. In every other build
//! [`is_seeded`] is the constant `false`, so the compiler removes the flaws.

/// A flaw of a protocol. Each is seeded at the line that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(seda_model), expect(unreachable_pub, reason = "models name them from outside"))]
pub enum Flaw {
    /// A sender reads the number of idle workers before its event is visible.
    NoFenceInWake,
    /// A worker looks at its queues before its entry in the idle list is visible.
    NoFenceInEnter,
    /// A wake-up that found no idle worker is cancelled after the list's lock is released.
    LateCallOff,
    /// A shrinking pool does not wake its idle workers.
    SilentShrink,
    /// A retiring worker wakes no other worker.
    SilentRetirement,
    /// A worker reads whether it is marked as stuck before it locks the count of its pool.
    StateReadEarly,
    /// A worker wakes no other worker for the events that it leaves in its own pool.
    WorkNotPassedOn,
    /// An event sent with a permit held beyond the graph's end stays in its queue.
    EndUnseen,
    /// The queues are emptied for the last time before the graph's end is visible.
    EmptiedBeforeTheEnd,
    /// An idle worker keeps the places that it leased.
    LeaseKept,
    /// The valve counts the events that it saw instead of those that it evicted.
    SeenIsGained,
    /// A waiting drain is notified of the empty budget without holding the lock.
    ToldWithoutLock,
    /// A failed attempt announces the place that it held for its duration.
    FailureIsNews,
    /// A scrape reads the byte budget after it has released the queues' locks.
    BytesReadLate,
    /// A freed place is announced to waiting sources only, not to those about to wait.
    NoGeneration,
}

/// Returns false: only models seed flaws.
#[cfg(not(seda_model))]
pub(crate) const fn is_seeded(_flaw: Flaw) -> bool {
    false
}

#[cfg(seda_model)]
std::thread_local! {
    /// The seeded flaw. All threads of a model run on one thread of the machine.
    static SEEDED: std::cell::Cell<Option<Flaw>> = const { std::cell::Cell::new(None) };
}

/// True if the model on this thread has seeded `flaw`.
#[cfg(seda_model)]
#[must_use]
pub fn is_seeded(flaw: Flaw) -> bool {
    SEEDED.get() == Some(flaw)
}

/// Seeds one flaw for the models on this thread; `None` removes it.
#[cfg(seda_model)]
pub fn seed(flaw: Option<Flaw>) {
    SEEDED.set(flaw);
}
