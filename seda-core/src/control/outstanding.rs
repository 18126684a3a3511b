//! The limit of a stage's events outside: deferred, and handled elsewhere.
//!
//! A place outside is to a deferring stage what a worker is to any other stage. The pool-size
//! policy therefore sets the number of places as well.

use crate::config::{ControlConfig, Settings, StageIndex, Stages};
use crate::control::pool_size::{PoolObservation, Sizing};
use crate::control::tick::Tick;
use crate::monitor::{Monitor, Topology};
use crate::stage::{Controller, Decision};

/// Sets how many events may be outside, for every stage with a range for them.
pub(super) struct OutstandingController {
    sizings: Stages<Sizing>,
}

impl OutstandingController {
    pub(super) fn new(topology: &Topology, control: &ControlConfig) -> Self {
        Self { sizings: topology.stages.map(|_, _| Sizing::new(None, control)) }
    }

    /// Returns the places of every stage over the last tick; `None` where they are not bounded.
    pub(super) fn observe(
        &self,
        monitor: &Monitor,
        topology: &Topology,
        settings: &Settings,
    ) -> Stages<Option<PoolObservation>> {
        let stages = topology.stages.indices().zip(&settings.stages);
        stages
            .map(|(stage, set)| {
                let min = set.outstanding?;
                Some(observe_places(monitor, topology, stage, set.pending, min))
            })
            .collect()
    }

    /// Resizes the places of every stage that has a range for them.
    pub(super) fn act(&mut self, seen: &Stages<Option<PoolObservation>>, tick: &Tick<'_>) {
        for (stage, plan) in tick.topology.stages.entries() {
            let Some(seen) = seen[stage].as_ref().filter(|seen| seen.min < seen.max) else {
                continue;
            };
            let sizing = &mut self.sizings[stage];
            sizing.follow(&tick.settings.control);
            let name = plan.core.name();
            let Some(decided) = sizing.decide(name, seen) else { continue };
            if !sizing.is_change(decided.target, seen.workers, tick.acts) {
                continue;
            }
            if tick.acts {
                plan.core.set_outside_limit(decided.target);
            }
            let grows = decided.target > seen.workers;
            tick.record(
                Decision::by(Controller::Outstanding, tick.now)
                    .stage(&**name)
                    .seen(decided.why)
                    .action(if grows { "more places outside" } else { "fewer places outside" })
                    .changed(format!("outstanding {} → {}", seen.workers, decided.target))
                    .acted(tick.acts),
            );
        }
    }
}

/// Returns the places of a stage over the last tick, as if they were a pool's workers.
fn observe_places(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    max: usize,
    min: usize,
) -> PoolObservation {
    let start = monitor.tick_start();
    let (now, then) = (&monitor.now.stages[stage], &start.stages[stage]);
    let (outside, limit) = topology.stages[stage].core.outside();
    let oldest = monitor.queues[stage].longest_wait.as_secs_f64();
    PoolObservation {
        seconds: monitor.now.at.since(start.at).as_secs_f64(),
        workers: limit,
        min,
        max,
        queued: now.depth,
        arrived: now.ledger.accepted - then.ledger.accepted,
        offered: now.ledger.accepted - then.ledger.accepted,
        completed: now.ledger.served() - then.ledger.served(),
        busy: outside,
        oldest_seconds: if outside >= limit { oldest } else { 0.0 },
        wait_seconds: monitor.tick[stage].wait.mean_seconds().unwrap_or(0.0),
        service_seconds: now.deferred.since_or_ever(then.deferred).mean_seconds(),
        utilization: (outside as f64 / limit.max(1) as f64).min(1.0),
        ..PoolObservation::default()
    }
}
