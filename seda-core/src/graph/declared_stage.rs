//! A stage as the builder holds it until the graph starts.

use crate::config::StageConfig;
use crate::monitor::MakeRunner;
use crate::platform::sync::Arc;
use crate::stage::AnyStage;

pub(super) struct DeclaredStage {
    pub(super) core: Arc<dyn AnyStage>,
    pub(super) capacity: usize,
    /// What code says; what a file says is in the graph's `config`.
    pub(super) config: StageConfig,
    /// How many servers it stands for, if it is replicated: workers of a pool of its own, or the
    /// most of a shared one.
    pub(super) servers: Option<usize>,
    /// `None`: a pool of its own.
    pub(super) pool: Option<usize>,
    pub(super) make: Option<MakeRunner>,
}
