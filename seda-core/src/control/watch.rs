//! The watch for handlers that do not return, and for stages that have no other workers.

use crate::config::Position;
use crate::control::tick::Tick;
use crate::monitor::RunningPool;
use crate::stage::{Controller, Decision};

/// Marks each worker that has spent `control.stuck_after` on one event as stuck. Its pool then
/// replaces it, within a limit. Entries refuse what would visit a stage without any other worker.
pub(super) fn watch_workers(tick: &Tick<'_>) {
    for pool in &tick.topology.pools {
        mark_stuck_workers(pool, tick);
        close_stuck_stages(pool, tick);
    }
}

fn mark_stuck_workers(pool: &RunningPool, tick: &Tick<'_>) {
    let Tick { now, topology, settings, .. } = *tick;
    for worker in pool.core.workers() {
        let Some((place, since)) = worker.running() else {
            continue;
        };
        if now.since(since) < settings.control.stuck_after || !pool.core.mark_stuck(&worker) {
            continue;
        }
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

/// Closes the entries to the stages of a pool whose workers are all stuck, and opens them once a
/// handler has returned.
fn close_stuck_stages(pool: &RunningPool, tick: &Tick<'_>) {
    let Tick { now, topology, .. } = *tick;
    let is_stuck = pool.core.is_stuck();
    for stage in &pool.stages {
        if !topology.core.admission.set_stuck(stage.get(), is_stuck) {
            continue;
        }
        let name = topology.stages[*stage].core.name();
        let (live, stuck) = (pool.core.live(), pool.core.stuck());
        if is_stuck {
            tracing::error!(stage = %name, stuck, "all workers of a stage are stuck");
        }
        let (action, changed) = if is_stuck {
            ("refuses requests for it: no further worker may be added", "open → stuck")
        } else {
            ("takes requests for it again", "stuck → open")
        };
        tick.record(
            Decision::by(Controller::Watch, now)
                .stage(&**name)
                .seen(format!("{live} workers of `{name}`, and {stuck} stuck ones"))
                .action(action)
                .changed(changed),
        );
    }
}
