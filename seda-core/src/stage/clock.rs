//! The clock of a graph.

use crate::platform::sync::{Arc, OnceLock};
use crate::platform::{Clock, Time};

/// The clock that a graph was started with. Until the start it stands at its origin.
#[derive(Debug, Default)]
pub(crate) struct GraphClock {
    started: OnceLock<Arc<dyn Clock>>,
}

impl GraphClock {
    /// Sets the clock, once.
    pub(crate) fn start(&self, clock: Arc<dyn Clock>) {
        let set = self.started.set(clock);
        debug_assert!(set.is_ok(), "a graph starts once");
    }
}

impl Clock for GraphClock {
    fn now(&self) -> Time {
        self.started.get().map_or(Time::ZERO, |clock| clock.now())
    }
}
