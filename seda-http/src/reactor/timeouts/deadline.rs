//! The limit on how long an operation may take.

use seda_core::{Clock, Time};
use std::sync::Arc;
use std::time::Duration;

/// A point in time on an injected clock, by which an operation has to end.
pub(crate) struct Deadline {
    clock: Arc<dyn Clock>,
    at: Time,
}

impl Deadline {
    /// Returns the deadline that is `limit` from now.
    pub(crate) fn after(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        let at = clock.now().after(limit);
        Self { clock, at }
    }

    /// Returns the time left; zero once the deadline has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.at.since(self.clock.now())
    }
}
