//! The watch for handlers that do not return.

use crate::control::tick::Tick;
use crate::stage::{Controller, Decision};

/// Marks each worker that has spent `control.stuck_after` on one event as stuck. Its pool then
/// replaces it.
pub(super) fn mark_stuck_workers(tick: &Tick<'_>) {
    let Tick { now, topology, settings, .. } = *tick;
    for pool in &topology.pools {
        for worker in pool.core.workers() {
            let Some((place, since)) = worker.running() else {
                continue;
            };
            if now.since(since) < settings.control.stuck_after || worker.is_marked_stuck() {
                continue;
            }
            pool.core.mark_stuck(&worker);
            let stage = pool.stages.get(place).map(|stage| &topology.stages[*stage]);
            let name = stage.map_or("?", |stage| stage.core.name());
            let (live, stuck) = (pool.core.live(), pool.core.stuck());
            tracing::error!(stage = %name, worker = worker.number, "a handler does not return");
            tick.record(
                Decision::by(Controller::Watch, now)
                    .stage(name)
                    .seen(format!(
                        "worker {} of `{name}` has spent {:?} in one event",
                        worker.number,
                        now.since(since)
                    ))
                    .action("marked it as stuck and replaced it within the limit")
                    .changed(format!("workers {} → {live}, stuck {stuck}", live + 1)),
            );
        }
    }
}
