//! Declared.

use crate::config::{Replicas, StageConfig};
use crate::monitor::MakeRunner;
use crate::platform::sync::Arc;
use crate::stage::AnyStage;

pub(crate) struct DeclaredStage {
    pub(crate) core: Arc<dyn AnyStage>,
    pub(crate) capacity: usize,
    /// What code says; what a file says is in the graph's `config`.
    pub(crate) config: StageConfig,
    /// How many servers it stands for, if it is replicated: workers of a pool of its own, or the
    /// most of a shared one.
    pub(crate) servers: Option<usize>,
    /// `None`: a pool of its own.
    pub(crate) pool: Option<usize>,
    pub(crate) make: Option<MakeRunner>,
}

/// A replicated stage: its members are stages next to each other. A central queue is one stage.
pub(crate) struct Replicated {
    pub(crate) name: String,
    pub(crate) replicas: Replicas,
    pub(super) capacity: usize,
    pub(super) first: usize,
    pub(super) members: usize,
}

impl Replicated {
    /// The stages that it is made of.
    pub(crate) fn members(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.members
    }
}
