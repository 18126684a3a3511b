//! The journal of the overload valve.
//!
//! The valve acts while events are sent, in `stage::valve`, and counts its evictions. The counts
//! are journaled once per tick or report.

use crate::config::{Class, StageIndex};
use crate::monitor::Topology;

/// Journals the evictions since the last call, one decision for each kind.
pub(super) fn journal_evictions(topology: &Topology) {
    for evictions in topology.core.valve.evictions().take() {
        let class = |class| class_name(topology, class);
        let stage = |stage| stage_name(topology, stage);
        topology.core.journal.record(evictions.decision(class, stage));
    }
}

fn class_name(topology: &Topology, class: Class) -> String {
    let declared = topology.classes().get(class.index());
    declared.map_or_else(|| class.index().to_string(), |declared| declared.name.clone())
}

fn stage_name(topology: &Topology, stage: usize) -> &str {
    let index: Option<StageIndex> = topology.stages.index_of(stage);
    index.map_or("?", |index| topology.stages[index].core.name())
}
