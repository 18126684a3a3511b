//! The watch for handlers that do not return.

use crate::control::tick::Tick;
use crate::stage::{Controller, Decision};

/// Marks workers as stuck that have been in one event for too long, so that they are replaced.
pub(super) fn mark_stuck_workers(tick: &Tick<'_>) {
    let Tick { now, topology, settings, .. } = *tick;
    for pool in &topology.pools {
        for book in pool.core.workers() {
            let Some((place, since)) = book.running() else {
                continue;
            };
            if now.since(since) < settings.control.stuck_after || book.is_marked_stuck() {
                continue;
            }
            pool.core.mark_stuck(&book);
            let stage = pool.stages.get(place).map(|stage| &topology.stages[*stage]);
            let name = stage.map_or("?", |stage| stage.core.name());
            let (live, stuck) = (pool.core.live(), pool.core.stuck());
            tracing::error!(stage = %name, worker = book.number, "a handler does not return");
            tick.record(
                Decision::by(Controller::Watch, now)
                    .stage(name)
                    .seen(format!(
                        "worker {} of `{name}` has been in one event for {:?}",
                        book.number,
                        now.since(since)
                    ))
                    .action("wrote it off as stuck and replaced it within the limit")
                    .changed(format!("workers {} → {live}, stuck {stuck}", live + 1)),
            );
        }
    }
}
