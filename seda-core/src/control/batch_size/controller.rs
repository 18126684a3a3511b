//! Asks each stage's policy once per tick, and sets the batch size of the stage's workers.

use crate::config::Stages;
use crate::control::batch_size::policy::{BatchObservation, BatchSizePolicy, SmallestBatch};
use crate::control::tick::Tick;
use crate::monitor::{Monitor, Topology};
use crate::platform::catch_panic;
use crate::platform::sync::Ordering;
use crate::stage::{Controller, Decision};

/// A stage's policy, and the size that it decided on last in mode `observe`: a decision that is not
/// acted upon is journaled once.
struct Batching {
    policy: Box<dyn BatchSizePolicy>,
    observed: Option<usize>,
}

impl Batching {
    fn new(own: Option<Box<dyn BatchSizePolicy>>) -> Self {
        let policy = own.unwrap_or_else(|| Box::new(SmallestBatch::default()));
        Self { policy, observed: None }
    }
}

/// Sizes the batches of all stages.
pub(in crate::control) struct BatchSizeController {
    batchings: Stages<Batching>,
}

impl BatchSizeController {
    /// `own` holds the program's policies, by stage.
    pub(in crate::control) fn new(own: Vec<Option<Box<dyn BatchSizePolicy>>>) -> Self {
        Self { batchings: own.into_iter().map(Batching::new).collect() }
    }

    /// Returns every stage's batches over the last tick.
    pub(in crate::control) fn observe(
        &self,
        monitor: &Monitor,
        topology: &Topology,
    ) -> Stages<BatchObservation> {
        let seconds = monitor.now.at.since(monitor.tick_start().at).as_secs_f64();
        topology.stages.map(|stage, plan| {
            let tick = &monitor.tick[stage];
            let service = tick.service.total_nanos() as f64 / 1e9;
            BatchObservation {
                seconds,
                size: plan.slots.batch_limit(),
                max: plan.slots.batch.load(Ordering::Relaxed),
                batches: tick.batches,
                events: tick.service.count(),
                busy_seconds: tick.busy as f64 / 1e9,
                service_seconds: (tick.batch_means == 0).then_some(service),
            }
        })
    }

    /// Sets the batch size of every stage for which the policy decided on another one.
    pub(in crate::control) fn act(&mut self, seen: &Stages<BatchObservation>, tick: &Tick<'_>) {
        for (stage, plan) in tick.topology.stages.entries() {
            let (batching, seen) = (&mut self.batchings[stage], &seen[stage]);
            let Some(decided) = catch_panic(|| batching.policy.decide(seen)) else {
                tracing::error!(stage = %plan.core.name(), "a batch-size policy panicked");
                continue;
            };
            let Some((size, why)) = decided else { continue };
            let size = size.clamp(1, seen.max.max(1));
            if size == seen.size || (!tick.acts && batching.observed.replace(size) == Some(size)) {
                continue;
            }
            if tick.acts {
                plan.slots.size.store(size, Ordering::Relaxed);
            }
            tick.record(
                Decision::by(Controller::BatchSize, tick.now)
                    .stage(&**plan.core.name())
                    .seen(why)
                    .action(if size > seen.size { "larger batches" } else { "smaller batches" })
                    .changed(format!("batch {} → {size}", seen.size))
                    .acted(tick.acts),
            );
        }
    }

    /// Raises every batch size to its setting when the controller is off.
    pub(in crate::control) fn reset(&mut self, tick: &Tick<'_>) {
        for plan in &tick.topology.stages {
            plan.slots.size.store(usize::MAX, Ordering::Relaxed);
        }
    }
}
