//! The context in which a controller acts.

use crate::config::{Mode, Settings};
use crate::monitor::Topology;
use crate::platform::Time;
use crate::stage::Decision;

/// One tick: its time, the graph, the settings in force, and whether the controller acts.
#[derive(Clone, Copy)]
pub(super) struct Tick<'a> {
    pub(super) now: Time,
    pub(super) topology: &'a Topology,
    pub(super) settings: &'a Settings,
    /// False if the controller decides and journals but changes nothing.
    pub(super) acts: bool,
}

impl<'a> Tick<'a> {
    pub(super) fn new(now: Time, topology: &'a Topology, settings: &'a Settings) -> Self {
        Self { now, topology, settings, acts: true }
    }

    /// Returns the same tick for a controller in `mode`.
    pub(super) fn in_mode(self, mode: Mode) -> Self {
        Self { acts: mode.acts(), ..self }
    }

    /// Writes a decision to the journal.
    pub(super) fn record(&self, decision: Decision) {
        self.topology.core.journal.record(decision);
    }
}
