//! A stage as the builder keeps it until the graph starts.

use crate::config::StageConfig;
use crate::monitor::MakeRunner;
use crate::platform::sync::Arc;
use crate::stage::AnyStage;

/// A stage that is declared, and perhaps attached.
pub(super) struct DeclaredStage {
    pub(super) core: Arc<dyn AnyStage>,
    pub(super) capacity: usize,
    /// The settings declared in code; the settings of a file are in `Graph::config`.
    pub(super) config: StageConfig,
    /// The number of workers if the stage is replicated: the size of its own pool, or its maximum
    /// in a shared pool.
    pub(super) servers: Option<usize>,
    /// The shared pool; `None` for a pool of its own.
    pub(super) pool: Option<usize>,
    /// The maker of its runners, once it is attached.
    pub(super) make: Option<MakeRunner>,
}
