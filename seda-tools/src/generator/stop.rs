//! Ends a run before its schedule is through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks a run to end early. Clones belong to the same run.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// Asks the run to end. After the first call no request starts, and requests under way have one
    /// second left; after the second call the run ends at once.
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns true once the run has been asked to end.
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}
