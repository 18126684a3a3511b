//! One case: the start of a plan, its steps, and its end.

use crate::conservation::build::number;
use crate::conservation::check::{check, same};
use crate::conservation::classes::check_classes;
use crate::conservation::plan::{Plan, StagePlan};
use crate::conservation::step::{Step, complete, rest};
use crate::conservation::world::{STAGES, World};
use crate::support::quiet_panics;
use seda_core::GraphError;
use seda_core::{Drained, Manual, Report};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A case. As JSON, it can be kept and run again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) plan: Plan,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum End {
    /// All deferred jobs are completed, then no job may be stuck; then a drain.
    Settled,
    /// A drain that may begin this number of events.
    Drain(usize),
    Dropped,
}

/// Longer than the longest delay between two calls of a factory.
const FACTORY_DELAY: Duration = Duration::from_secs(11);
/// Rounds in which failing factories may recover. In the worst case every second call fails, for
/// each of five workers in turn.
const ROUNDS: usize = 64;
/// More events than any case begins.
const ALL: usize = 100_000;

impl Case {
    pub(crate) fn run(&self) -> Result<(), String> {
        quiet_panics();
        let (plan, (mut manual, world)) = self.start()?;
        for (n, step) in self.steps.iter().enumerate() {
            let taken = step.take(&mut manual, &world, &plan);
            taken
                .and_then(|()| check(&manual.report(), &world, &plan))
                .and_then(|()| check_rest(step, &manual, &plan))
                .map_err(|fault| format!("step {n}, {step:?}: {fault}"))?;
        }
        check_classes(&mut manual, &world, &plan)?;
        let end = format!("{:?}", self.end);
        self.end(manual, &world, &plan).map_err(|fault| format!("end, {end}: {fault}"))
    }

    /// Starts the plan. If a waiting edge lies on a cycle, the start must fail, and the plan is
    /// started without waiting edges.
    fn start(&self) -> Result<(Plan, (Manual, Arc<World>)), String> {
        let mut plan = self.plan.clone();
        let waits_on_cycle = plan.waits_on_cycle();
        let started = match plan.start() {
            Err(GraphError::WaitingOnCycle { .. }) if waits_on_cycle => {
                plan.edges.iter_mut().for_each(|edge| edge.waits = false);
                plan.start()
            }
            Ok(_) if waits_on_cycle => {
                return Err("a graph with a waiting edge on a cycle starts".into());
            }
            started => started,
        };
        let started = started.map_err(|error| format!("does not start: {error}"))?;
        Ok((plan, started))
    }

    fn end(&self, mut manual: Manual, world: &Arc<World>, plan: &Plan) -> Result<(), String> {
        if let End::Settled = self.end {
            settle(&mut manual, world, plan)?;
        }
        match self.end {
            End::Settled => check_drained(manual.drain(ALL), false, world, plan)?,
            End::Drain(most) => check_drained(manual.drain(most), most < ALL, world, plan)?,
            End::Dropped => drop(manual),
        }
        // Deferred jobs are completed after the end, and are counted all the same.
        let outside = world.outside.lock().len();
        (0..outside).for_each(|n| complete(world, 0, n as u8 % 4, 1));
        let permits = std::mem::take(&mut *world.permits.lock());
        for mut placed in permits {
            let job = crate::conservation::job::Job::new(world, placed.to, placed.class, 0, 1);
            match placed.permits.send(job) {
                Ok(()) => world.counts.lock().sent(placed.from, placed.to, placed.class, 1),
                Err(refused) => refused.into_event().keep(),
            }
        }
        world.sources.lock().clear();
        let counts = world.counts.lock();
        let alive = |stage| counts.by_class(stage).iter().map(|count| count.alive).sum::<u64>();
        same("alive after the end", (0..plan.stages.len()).map(alive).sum(), 0)?;
        counts.fault.clone().map_or(Ok(()), Err)?;
        drop(counts);
        let sums = world.clients.lock().sums()?;
        same("open after the end", sums.open, 0)
    }
}

/// Checks that no worker rests beside a job that it may run.
fn check_rest(step: &Step, manual: &Manual, plan: &Plan) -> Result<(), String> {
    if !matches!(step, Step::Rest) {
        return Ok(());
    }
    let report = manual.report();
    let mut stages = report.stages.iter().filter_map(|stage| Some((stage, plan.stage(stage)?)));
    // Not expected: a failing factory, and a shard or place that a deferred job occupies.
    let idle = stages.find(|(stage, plan)| {
        let outside = stage.pending - stage.held - stage.delayed;
        let full = stage.outstanding.is_some_and(|places| outside >= places as u64);
        let waits_outside = plan.is_keyed() && stage.pending > 0 || full;
        stage.queued > 0 && plan.factory.is_sound() && !waits_outside
    });
    idle.map_or(Ok(()), |(stage, _)| {
        Err(format!("all workers rest, and `{}` has queued jobs", stage.name))
    })
}

/// Completes deferred jobs, lets factories recover, and checks that no job is stuck and no place
/// lost.
fn settle(manual: &mut Manual, world: &Arc<World>, plan: &Plan) -> Result<(), String> {
    for round in 0..ROUNDS {
        let outside = world.outside.lock().len();
        (0..outside).for_each(|_| complete(world, 0, 1, round as u64));
        world.permits.lock().clear();
        rest(manual)?;
        check(&manual.report(), world, plan)?;
        world.clock.advance(FACTORY_DELAY);
    }
    let report = manual.report();
    for stage in &report.stages {
        let keyed = plan.stage(stage).is_some_and(StagePlan::is_keyed);
        let held_back = keyed && stage.held > 0;
        if (stage.queued > 0 && !held_back) || stage.in_hand > 0 || stage.pending > stage.held {
            return Err(format!("`{}` is stuck: {stage:?}", stage.name));
        }
    }
    check_places(&report, world)
}

/// Checks that every free place can be reserved.
fn check_places(report: &Report, world: &Arc<World>) -> Result<(), String> {
    let in_budget = report.budget.limit - report.budget.used;
    for n in 0..STAGES {
        let Some(source) = world.source(n) else { break };
        // The least of its replicas, because some may be closed.
        let own = report.stages.iter().filter(|stage| number(&stage.name) == Some(n));
        let free = own.map(|stage| stage.queue.soft.saturating_sub(stage.queue.depth)).min();
        let free = free.unwrap_or(0).min(in_budget);
        match source.reserve(free) {
            Ok(permits) => drop(permits),
            Err(refusal) => {
                world.counts.lock().refused(None, n, 0, free);
                // Within the capacity, only a rate limit refuses as too large.
                use seda_core::RefusalReason::{Closed, TooLarge};
                if !matches!(refusal.reason(), Closed | TooLarge) {
                    return Err(format!("places were lost: {free}: {refusal}\n{report}"));
                }
            }
        }
    }
    Ok(())
}

fn check_drained(
    drained: Drained,
    limited: bool,
    world: &Arc<World>,
    plan: &Plan,
) -> Result<(), String> {
    let report = &drained.report;
    check(report, world, plan)?;
    let shed = |reason: &str| -> u64 {
        report.stages.iter().filter_map(|stage| stage.shed.get(reason)).sum()
    };
    same("given up", drained.given_up, shed("drain"))?;
    same("cancelled", drained.cancelled, shed("cancelled"))?;
    same("queued, in hand", (report.events.queued, report.events.in_hand), (0, 0))?;
    let outside = world.outside.lock().len();
    let places: usize = world.permits.lock().iter().map(|placed| placed.permits.left()).sum();
    same("pending", report.events.pending, outside as u64)?;
    // At its limit a drain may end before handlers release held jobs.
    let finished = outside + places == 0 && drained.given_up == 0;
    let cut_short = limited && !drained.complete;
    same("complete", drained.complete || cut_short, finished || cut_short)
}
