//! A limit on how long something may take.

use seda_core::{Clock, Time};
use std::sync::Arc;
use std::time::Duration;

/// A point in time by which something has to end, on an injected clock.
pub(crate) struct Deadline {
    clock: Arc<dyn Clock>,
    at: Time,
}

impl Deadline {
    /// The deadline that is `limit` from now.
    pub(crate) fn after(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        let at = clock.now().after(limit);
        Self { clock, at }
    }

    /// The time left; zero once the deadline has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.at.since(self.clock.now())
    }
}
