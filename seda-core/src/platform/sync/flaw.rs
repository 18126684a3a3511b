//! Flaws on purpose: the models' own test.
//!
//! A model that stays green proves little until it has been seen to fail. Each protocol therefore
//! names the places where it would break, and a model breaks them, one at a time. In every other
//! build [`is_seeded`] is the constant `false`, and the flaws are gone before any code is made.

/// A protocol, broken at the line that bears its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(seda_model), expect(unreachable_pub, reason = "models name them from outside"))]
pub enum Flaw {
    /// A sender looks for idle workers before its event can be seen.
    NoFenceInWake,
    /// A worker looks at the queues before its idleness can be seen.
    NoFenceInEnter,
    /// A wake-up that found nobody is called off after others could rely on it.
    LateCallOff,
    /// An idle worker is not told that its pool shrinks.
    SilentShrink,
    /// A worker that retires wakes nobody in its stead.
    SilentRetirement,
    /// A worker wakes nobody for what it leaves in its own pool.
    WorkNotPassedOn,
    /// An event sent through a place held beyond the graph's end stays in the queue.
    EndUnseen,
    /// The queues are emptied for the last time before the end can be seen.
    EmptiedBeforeTheEnd,
    /// Places leased ahead are kept by a worker that has nothing to send.
    LeaseKept,
    /// The valve counts what it saw, not what it evicted.
    SeenIsGained,
    /// A drain is told without its lock that the budget is used by nothing.
    ToldWithoutLock,
    /// An attempt that failed announces the place that it held meanwhile.
    FailureIsNews,
    /// A scrape reads what the byte budget has in use after it has let the queues go.
    BytesReadLate,
    /// SpaceNotify is announced to those that wait, not to those that are about to.
    NoGeneration,
}

/// Never: protocols are broken by models only.
#[cfg(not(seda_model))]
pub(crate) const fn is_seeded(_flaw: Flaw) -> bool {
    false
}

#[cfg(seda_model)]
std::thread_local! {
    /// All of a model's threads run on the one thread of the machine that runs the model.
    static SEEDED: std::cell::Cell<Option<Flaw>> = const { std::cell::Cell::new(None) };
}

/// Whether the model that runs on this thread has asked for `flaw`.
#[cfg(seda_model)]
#[must_use]
pub fn is_seeded(flaw: Flaw) -> bool {
    SEEDED.get() == Some(flaw)
}

/// Breaks one protocol, or mends them all, for the models on this thread.
#[cfg(seda_model)]
pub fn seed(flaw: Option<Flaw>) {
    SEEDED.set(flaw);
}
