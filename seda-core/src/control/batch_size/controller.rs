//! The batch-size controller: what the monitor saw of a stage goes to its policy, what that wants
//! to the stage's workers.

use crate::config::{Mode, Settings};
use crate::control::batch_size::policy::{BatchObservation, BatchSizePolicy, SmallestBatch};
use crate::monitor::{Engine, Monitor};
use crate::platform::catch_panic;
use crate::platform::sync::Ordering;
use crate::stage::{Controller, Decision};

/// A stage's policy, and the size it last only observed: an observer says a thing once.
pub(crate) struct Batching {
    policy: Box<dyn BatchSizePolicy>,
    observed: Option<usize>,
}

impl Batching {
    pub(crate) fn new(own: Option<Box<dyn BatchSizePolicy>>) -> Self {
        let policy = own.unwrap_or_else(|| Box::new(SmallestBatch::default()));
        Self { policy, observed: None }
    }
}

impl Monitor {
    /// A stage's batches over the last tick; `None` before the first.
    pub(crate) fn observe_batches(
        &self,
        engine: &Engine,
        index: usize,
    ) -> Option<BatchObservation> {
        let (plan, tick) = (engine.stages.get(index)?, self.tick.get(index)?);
        let seconds = self.now.at.since(self.past.back()?.at).as_secs_f64();
        let max = plan.share.batch.load(Ordering::Relaxed);
        let service = tick.service.total_nanos() as f64 / 1e9;
        Some(BatchObservation {
            seconds,
            size: plan.share.batch_limit(),
            max,
            batches: tick.batches,
            events: tick.service.count(),
            busy_seconds: tick.busy as f64 / 1e9,
            service_seconds: (tick.batch_means == 0).then_some(service),
        })
    }
}

impl Engine {
    /// Once per tick, unless it is switched off: then batches are as large as the setting allows.
    pub(crate) fn size_batches(&self, seen: &[Option<BatchObservation>], settings: &Settings) {
        let mode = settings.control.batch_size;
        let mut batchings = self.batchings.lock();
        for ((plan, batching), seen) in self.stages.iter().zip(batchings.iter_mut()).zip(seen) {
            let Some(seen) = seen.as_ref().filter(|_| mode != Mode::Off) else {
                plan.share.size.store(usize::MAX, Ordering::Relaxed);
                continue;
            };
            let Some(decided) = catch_panic(|| batching.policy.decide(seen)) else {
                tracing::error!(stage = %plan.core.name(), "a batch-size policy panicked");
                continue;
            };
            let Some((size, why)) = decided else { continue };
            let (size, acts) = (size.clamp(1, seen.max.max(1)), mode == Mode::On);
            if size == seen.size || (!acts && batching.observed.replace(size) == Some(size)) {
                continue;
            }
            if acts {
                plan.share.size.store(size, Ordering::Relaxed);
            }
            self.core.journal.write(Decision {
                at_seconds: self.now().as_secs_f64(),
                controller: Controller::BatchSize,
                stage: Some(plan.core.name().to_string()),
                seen: why,
                action: if size > seen.size { "larger batches" } else { "smaller batches" }
                    .to_owned(),
                changed: format!("batch {} → {size}", seen.size),
                acted: acts,
            });
        }
    }
}
