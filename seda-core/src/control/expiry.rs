//! Deadlines that pass in a queue.
//!
//! A worker sheds an expired event when it takes it. While all workers are busy none does, so the
//! tick looks through the queues, too: the owner of an event learns of its end a tick after its
//! deadline, however long the running events take.

use crate::monitor::Topology;
use crate::platform::Time;
use crate::platform::sync::Arc;

/// The queued events that a tick looks at, over all stages. A look takes 3 ns, and 15 ns if a third
/// of the events expire, so all take 0.1 to 0.5 ms. Longer queues take several ticks.
const LOOKED_AT: usize = 32_768;
/// The least number of them for each stage.
const LEAST_LOOKED_AT: usize = 256;

/// Sheds queued events whose deadlines have passed.
pub(super) fn shed_expired(topology: &Topology, now: Time) {
    let most = (LOOKED_AT / topology.stages.len().max(1)).max(LEAST_LOOKED_AT);
    for plan in &topology.stages {
        Arc::clone(&plan.core).shed_expired(most, now);
    }
}
