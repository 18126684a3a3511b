//! Whether this machine started the requests in time.

use seda_core::stats::Quantiles;

/// The delays and the failures of the generator itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Punctuality {
    /// Times from the intended start of a request to its actual start.
    pub(crate) lag: Quantiles,
    /// Attempts that failed on this machine, warm-up included.
    pub(crate) local_faults: u64,
}

impl Punctuality {
    /// Adds those of another thread.
    pub(super) fn add(&mut self, other: &Self) {
        self.lag.add(&other.lag);
        self.local_faults += other.local_faults;
    }
}
