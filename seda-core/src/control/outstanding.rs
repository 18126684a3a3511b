//! How many events of a deferring stage may be outside: places there are to such a stage what
//! workers are to others, and are sized by the same policy.

use crate::config::{Mode, Settings};
use crate::control::pool_size::{PoolObservation, Sizing};
use crate::monitor::{Engine, Monitor};
use crate::stage::{Controller, Decision};

impl Monitor {
    /// The places of a stage over the last tick, as if they were a pool's workers; `None` before the
    /// first, and where they are not bounded.
    fn observe_places(
        &self,
        engine: &Engine,
        stage: usize,
        max: usize,
        min: usize,
    ) -> Option<PoolObservation> {
        let (now, then) = (self.now.stages.get(stage)?, self.past.back()?.stages.get(stage)?);
        let (outside, limit) = engine.stages.get(stage)?.core.outside();
        let tick = self.tick.get(stage)?;
        let ended = now.deferred.1 - then.deferred.1;
        // What was answered lately; what was ever answered if nothing was.
        let (nanos, count) = match ended {
            0 => now.deferred,
            _ => (now.deferred.0 - then.deferred.0, ended),
        };
        let seconds = self.now.at.since(self.past.back()?.at).as_secs_f64();
        Some(PoolObservation {
            seconds,
            workers: limit,
            min,
            max,
            queued: now.depth,
            arrived: now.ledger.accepted - then.ledger.accepted,
            completed: now.ledger.ended() - then.ledger.ended(),
            wait_seconds: tick.wait.mean_seconds().unwrap_or(0.0),
            service_seconds: (count > 0).then(|| nanos as f64 / count as f64 / 1e9),
            utilization: (outside as f64 / limit.max(1) as f64).min(1.0),
            ..PoolObservation::default()
        })
    }

    /// All stages' places.
    pub(crate) fn observe_outstanding(
        &self,
        engine: &Engine,
        settings: &Settings,
    ) -> Vec<Option<PoolObservation>> {
        let stages = settings.stages.iter().enumerate();
        stages
            .map(|(stage, set)| self.observe_places(engine, stage, set.pending, set.outstanding?))
            .collect()
    }
}

impl Engine {
    /// Once per tick, unless it is switched off: then as many stay as there are.
    pub(crate) fn size_outstanding(&self, seen: &[Option<PoolObservation>], settings: &Settings) {
        let mode = settings.control.outstanding;
        if mode == Mode::Off {
            return;
        }
        let mut places = self.places.lock();
        places.resize_with(self.stages.len(), || Sizing::new(None, &settings.control));
        for ((plan, sizing), seen) in self.stages.iter().zip(places.iter_mut()).zip(seen) {
            let Some(seen) = seen.as_ref().filter(|seen| seen.min < seen.max) else { continue };
            sizing.follow(&settings.control);
            let name = plan.core.name();
            let Some(wish) = sizing.wish(name, seen) else { continue };
            let acts = mode == Mode::On;
            if !sizing.is_news(wish.target, seen.workers, acts) {
                continue;
            }
            if acts {
                plan.core.set_outside_limit(wish.target);
            }
            self.core.journal.write(Decision {
                at_seconds: self.now().as_secs_f64(),
                controller: Controller::Outstanding,
                stage: Some(name.to_string()),
                seen: wish.why,
                action: if wish.target > seen.workers {
                    "more places outside"
                } else {
                    "fewer places outside"
                }
                .to_owned(),
                changed: format!("outstanding {} → {}", seen.workers, wish.target),
                acted: acts,
            });
        }
    }
}
