//! The admission controller: what the monitor saw goes to the laws, what they say to the gates.

use crate::config::{Class, Mode, Settings};
use crate::control::admission::gate_limits::GateLimits;
use crate::control::admission::laws;
use crate::control::admission::limiter::Limiter;
use crate::control::admission::observation::StageObservation;
use crate::gate::Limits;
use crate::monitor::{Engine, StagePlan};
use crate::platform::catch_panic;
use crate::stage::{Controller, Decision};
use std::time::Duration;

/// After this without a refusal a gate is said to be open again.
const CALM: Duration = Duration::from_secs(1);

impl Engine {
    /// Sets the limits of all gates by what was promised, once per tick.
    /// `None`: nothing was promised, or nobody is to keep it.
    pub(crate) fn set_limits(
        &self,
        sights: Option<Vec<Option<StageObservation>>>,
        settings: &Settings,
    ) {
        let Some(sights) = sights else { return self.open_gates() };
        // Taken out: laws are the program's, and run outside of all locks.
        let mut limiters = std::mem::take(&mut *self.limiters.lock());
        limiters.resize_with(self.stages.len(), Limiter::default);
        let shortest = settings.slo.iter().flatten().min().copied();
        let coarse = |limiter: &mut Limiter| shortest.is_some_and(|slo| limiter.coarse(slo));
        // Each keeps in mind what it has said: all are asked.
        let coarse = limiters.iter_mut().map(coarse).fold(false, |any, few| any | few);
        self.core.admission.learn_demands(coarse);
        let mut gates: Vec<Option<GateLimits>> = vec![None; self.stages.len()];
        for (stage, (limiter, sight)) in limiters.iter_mut().zip(&sights).enumerate() {
            let (Some(sight), Some(plan)) = (sight, self.stages.get(stage)) else { continue };
            let limits = self.decide(plan, limiter, sight, settings);
            self.set_entrance(plan, limiter, &limits, settings);
            let number = self.core.admission.gate_number(stage).unwrap_or(stage);
            if let Some(gate) = gates.get_mut(number) {
                *gate = Some(gate.map_or(limits, |sum| sum.joined(limits)));
            }
        }
        for (stage, limits) in gates.iter().enumerate() {
            if let (Some(limits), Some(gate)) = (limits, self.core.admission.gate(stage)) {
                let (requests, costs) = limits.shared(&settings.shares);
                gate.set_limits(&requests, &costs);
                gate.set_pace(limits.pace, limits.parallelism);
            }
        }
        self.journal_gates(&mut limiters, &sights, settings);
        self.check_slos(&mut limiters, settings);
        *self.limiters.lock() = limiters;
    }

    /// The limits before anything was measured: a flood may come with the first request.
    pub(crate) fn set_first_limits(&self) {
        let settings = self.settings();
        let unseen = |stage| {
            let workers = self.pool_of(stage).map(|(pool, _)| pool.core.range().max)?;
            let parallelism = workers as f64;
            Some(StageObservation {
                workers,
                hired: workers,
                parallelism,
                ..StageObservation::default()
            })
        };
        let sights = || (0..self.stages.len()).map(unseen).collect();
        self.set_limits(settings.admits().then(sights), &settings);
    }

    /// The settings have changed. Who is to keep promises begins at once, a flood may come with the
    /// next request; who is not to any more ends at once.
    pub(crate) fn follow_promises(&self) {
        let settings = self.settings();
        match settings.control.admission {
            _ if !settings.admits() => self.open_gates(),
            Mode::On if self.limiters.lock().is_empty() => self.set_first_limits(),
            Mode::Observe | Mode::Off => self.stages.iter().for_each(|stage| {
                stage.core.set_admission(&Limits::NONE, Duration::ZERO);
            }),
            Mode::On => {}
        }
    }

    fn open_gates(&self) {
        if std::mem::take(&mut *self.limiters.lock()).is_empty() {
            return;
        }
        for (index, stage) in self.stages.iter().enumerate() {
            if let Some(gate) = self.core.admission.gate(index) {
                gate.set_limits(&Limits::NONE, &Limits::NONE);
                Class::first(self.classes().len())
                    .for_each(|class| gate.set_feasibility(class, false, false));
            }
            stage.core.set_admission(&Limits::NONE, Duration::ZERO);
        }
    }

    fn decide(
        &self,
        plan: &StagePlan,
        limiter: &mut Limiter,
        sight: &StageObservation,
        settings: &Settings,
    ) -> GateLimits {
        let name = plan.core.name();
        let admission = &self.core.admission;
        let (declared, differ) = (admission.costs_are_declared(), admission.costs_differ());
        limiter.estimate.update(sight, (declared, differ), self.now());
        let own = || self.law.as_ref().and_then(|make| catch_panic(|| make(name)));
        let make = || own().unwrap_or_else(|| laws::make(settings.control.law));
        limiter.decide(name, sight, settings, make)
    }

    /// What a stage's own entrance lets in of those that were not counted at its gate. An observer
    /// changes nothing there.
    fn set_entrance(
        &self,
        plan: &StagePlan,
        limiter: &Limiter,
        limits: &GateLimits,
        settings: &Settings,
    ) {
        if settings.control.admission != Mode::On {
            return plan.core.set_admission(&Limits::NONE, Duration::ZERO);
        }
        let (own, _) = limits.shared(&settings.shares);
        let shortest = settings.slo.iter().flatten().min().copied().unwrap_or(crate::config::MOST);
        plan.core.set_admission(&own, limiter.estimate.lead(shortest));
    }

    /// Journals when gates begin and end to turn requests away.
    fn journal_gates(
        &self,
        limiters: &mut [Limiter],
        sights: &[Option<StageObservation>],
        settings: &Settings,
    ) {
        let acted = settings.control.admission == Mode::On;
        let stages = self.stages.iter().zip(limiters).zip(sights).enumerate();
        for (stage, ((plan, limiter), sight)) in stages {
            let Some(sight) = sight else { continue };
            if let Some((seen, action, changed)) = self.gate_change(stage, limiter, sight) {
                self.core.journal.write(Decision {
                    at_seconds: self.now().as_secs_f64(),
                    controller: Controller::Admission,
                    stage: Some(plan.core.name().to_string()),
                    seen,
                    action: action.to_owned(),
                    changed,
                    acted,
                });
            }
        }
    }

    fn gate_change(
        &self,
        stage: usize,
        limiter: &mut Limiter,
        sight: &StageObservation,
    ) -> Option<(String, &'static str, String)> {
        let now = self.now();
        let refuses = sight.turned_away + sight.gave_way > 0;
        let action = match (refuses, limiter.refusing) {
            (true, None) => "began to turn requests away",
            (false, Some(last)) if now.since(last) >= CALM => "ended turning requests away",
            _ => "",
        };
        if refuses {
            limiter.refusing = Some(now);
        } else if !action.is_empty() {
            limiter.refusing = None;
        }
        if action.is_empty() {
            return None;
        }
        let limit = self.core.admission.figures(stage).and_then(|gate| gate.limit);
        let said = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
        let service = limiter.estimate.service().unwrap_or(0.0) * 1e3;
        let seen = format!(
            "{} of {} turned away, {} gave way, {} queued, service {service:.2} ms, {} workers",
            sight.turned_away, sight.offered, sight.gave_way, sight.queued, sight.workers
        );
        Some((seen, action, said))
    }
}
