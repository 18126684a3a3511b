//! Deadlines that pass in a queue.
//!
//! A worker sheds an expired event when it takes it. While all workers are busy none does, so the
//! tick looks through the queues, too: the owner of an event learns of its end a tick after its
//! deadline, however long the running events take.

use crate::monitor::Topology;
use crate::platform::Time;
use crate::platform::sync::Arc;

/// The queued events that a tick looks at, over all stages: a look takes 5 to 10 ns, so these take
/// about 200 us. Longer queues take several ticks.
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
