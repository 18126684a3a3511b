//! The limit of a stage's events outside: deferred, and handled elsewhere.
//!
//! A place outside is to a deferring stage what a worker is to any other stage. The pool-size
//! policy therefore sets the number of places as well.
//!
//! Events outside that tell the time that they run ([`Pending::add_thread_time`]) need threads, and
//! no more of them help than fill the threads: beyond that, events wait in a run queue that no gate
//! sees. So the threads bound the places of such a stage, as the cores bound a pool.
//!
//! [`Pending::add_thread_time`]: crate::Pending::add_thread_time

use crate::config::{ControlConfig, Settings, StageIndex, Stages};
use crate::control::pool_size::{PoolObservation, Sizing, refused_events};
use crate::control::tick::Tick;
use crate::monitor::{Monitor, Topology};
use crate::stage::{Controller, Decision};
use crate::stats::ThreadTimes;

/// The events over which the share of their time on threads is taken.
const SHARE_EVENTS: u64 = 8;

/// Sets how many events may be outside, for every stage with a range for them.
pub(super) struct OutstandingController {
    places: Stages<Places>,
}

/// The places of one stage.
struct Places {
    sizing: Sizing,
    threads: ThreadBound,
}

/// The most places by the time that events run on threads.
#[derive(Default)]
struct ThreadBound {
    /// The sums at the last change of the bound.
    then: ThreadTimes,
    /// The places that are of use; `None` until events have told how long they run.
    of_use: Option<f64>,
}

impl ThreadBound {
    /// Takes in the sums of the present tick.
    fn update(&mut self, sums: ThreadTimes, threads: usize) {
        let recent = sums.since(self.then);
        if recent.events >= SHARE_EVENTS {
            self.of_use = recent.places_of_use(threads);
            self.then = sums;
        }
    }

    /// Returns the places that are of use, 1 to `most`.
    fn most(&self, most: usize) -> usize {
        // A float beyond `usize` saturates in the cast.
        (self.of_use.unwrap_or(f64::INFINITY) as usize).clamp(1, most.max(1))
    }
}

impl OutstandingController {
    pub(super) fn new(topology: &Topology, control: &ControlConfig) -> Self {
        let places = topology.stages.map(|_, _| Places {
            sizing: Sizing::new(None, control),
            threads: ThreadBound::default(),
        });
        Self { places }
    }

    /// Returns the places of every stage over the last tick; `None` where they are not bounded.
    pub(super) fn observe(
        &mut self,
        monitor: &Monitor,
        topology: &Topology,
        settings: &Settings,
    ) -> Stages<Option<PoolObservation>> {
        if settings.stages.iter().all(|set| set.outstanding.is_none()) {
            return topology.stages.map(|_, _| None);
        }
        let refused = refused_events(monitor, topology, settings);
        let stages = topology.stages.indices().zip(&settings.stages);
        stages
            .map(|(stage, set)| {
                let least = set.outstanding?;
                let threads = &mut self.places[stage].threads;
                let sums = monitor.now.stages[stage].deferred.threads;
                threads.update(sums, topology.core.cores());
                let max = threads.most(set.pending);
                let seen = observe_places(monitor, topology, stage);
                let offered = seen.arrived + refused[stage];
                Some(PoolObservation { min: least.min(max), max, offered, ..seen })
            })
            .collect()
    }

    /// Resizes the places of every stage that has a range for them.
    pub(super) fn act(&mut self, seen: &Stages<Option<PoolObservation>>, tick: &Tick<'_>) {
        for (stage, plan) in tick.topology.stages.entries() {
            let Some(seen) = &seen[stage] else { continue };
            let sizing = &mut self.places[stage].sizing;
            sizing.follow(&tick.settings.control);
            let name = plan.core.name();
            let Some((target, why)) = decide(sizing, name, seen) else { continue };
            if !sizing.is_change(target, seen.workers, tick.acts) {
                continue;
            }
            if tick.acts {
                plan.core.set_outside_limit(target);
            }
            let grows = target > seen.workers;
            tick.record(
                Decision::by(Controller::Outstanding, tick.now)
                    .stage(&**name)
                    .seen(why)
                    .action(if grows { "more places outside" } else { "fewer places outside" })
                    .changed(format!("outstanding {} → {target}", seen.workers))
                    .acted(tick.acts),
            );
        }
    }
}

/// Returns the number of places and its reason; `None` if the number stays.
fn decide(sizing: &mut Sizing, stage: &str, seen: &PoolObservation) -> Option<(usize, String)> {
    // The policy sees every tick, because it judges its last decision by those that follow.
    let decided = if seen.min < seen.max { sizing.decide(stage, seen) } else { None };
    let within = seen.workers.clamp(seen.min, seen.max);
    if within != seen.workers {
        let why = format!("{} to {} events outside are of use", seen.min, seen.max);
        return Some((within, why));
    }
    decided.map(|decided| (decided.target, decided.why))
}

/// Returns the places of a stage over the last tick, as if they were a pool's workers; without
/// their range and the refused events.
fn observe_places(monitor: &Monitor, topology: &Topology, stage: StageIndex) -> PoolObservation {
    let start = monitor.tick_start();
    let (now, then) = (&monitor.now.stages[stage], &start.stages[stage]);
    let (outside, limit) = topology.stages[stage].core.outside();
    let oldest = monitor.queues[stage].longest_wait.as_secs_f64();
    let threads = now.deferred.threads.since(then.deferred.threads);
    let service = now.deferred.times.since_or_ever(then.deferred.times);
    PoolObservation {
        seconds: monitor.now.at.since(start.at).as_secs_f64(),
        workers: limit,
        cores: topology.core.cores(),
        queued: now.depth,
        arrived: now.ledger.accepted - then.ledger.accepted,
        completed: now.ledger.served() - then.ledger.served(),
        busy: outside,
        oldest_seconds: if outside >= limit { oldest } else { 0.0 },
        wait_seconds: monitor.tick[stage].wait.mean_seconds().unwrap_or(0.0),
        service_seconds: service.mean_seconds(),
        utilization: (outside as f64 / limit.max(1) as f64).min(1.0),
        cpu_share: threads.running_share(),
        run_queue_share: threads.waiting_share(),
        ..PoolObservation::default()
    }
}
