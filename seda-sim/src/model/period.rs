//! A period of virtual time.

/// A period, in nanoseconds since the beginning of the run; its end does not belong to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Period {
    pub(crate) fn contains(self, now: u64) -> bool {
        self.from <= now && now < self.to
    }
}
