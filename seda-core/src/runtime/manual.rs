//! A graph that is stepped by hand: queues, workers and controllers without threads.

use crate::config::{GraphConfig, GraphWarning, ReconfigureError, SettingChange};
use crate::control::ControlPlane;
use crate::monitor::report::Report;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::runtime::drain::{Drained, cancel_timers, conclude, end_graph, shed_queues};
use crate::runtime::settings::set_soft_capacity;
#[cfg(feature = "simulation")]
use crate::runtime::threads::EARLY_TICK_PART;
use crate::stage::Decision;
use crate::worker::{Turn, Worker};
use crossbeam_channel::Receiver;
use std::fmt;
#[cfg(feature = "simulation")]
use std::time::Duration;

/// A graph without threads: each step is a call, and each result is exact. For tests, simulations
/// and counts of instructions.
///
/// ```
/// use seda_core::{Context, Graph, ManualClock, each};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("stepped");
/// let count = graph.stage::<u64>("count", 8);
/// graph.attach(count, |_wire| || Ok(each(|_n: u64, _cx: &mut Context| {})))?;
/// let numbers = graph.source(count)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// numbers.send(1)?;
/// numbers.send(2)?;
/// assert_eq!(graph.run_until_idle(), 2);
/// assert_eq!(graph.report().events.handled, 2);
/// # Ok(())
/// # }
/// ```
pub struct Manual {
    plane: Arc<ControlPlane>,
    workers: Vec<Worker>,
    warnings: Vec<GraphWarning>,
    ended: bool,
}

/// The result of one round, in which every worker had one turn.
#[derive(Clone, Copy)]
struct Round {
    /// Number of events begun.
    begun: usize,
    /// True if anything was done: an event begun or shed, a handler finished, a worker retired.
    progressed: bool,
}

impl Manual {
    pub(crate) fn start(plane: Arc<ControlPlane>, warnings: Vec<GraphWarning>) -> Self {
        let mut manual = Self { plane, workers: Vec::new(), warnings, ended: false };
        manual.add_workers();
        manual
    }

    /// Returns the warnings of the start: legal settings that are probably mistakes.
    pub fn warnings(&self) -> &[GraphWarning] {
        &self.warnings
    }

    /// Gives every worker one turn, in order of creation. Returns the number of events begun.
    pub fn step(&mut self) -> usize {
        self.turn_all().begun
    }

    fn turn_all(&mut self) -> Round {
        let core = &self.plane.topology.core;
        let finished = core.calls.finish_barrier.finished();
        let mut round = Round { begun: 0, progressed: false };
        self.workers.retain_mut(|worker| match worker.turn() {
            Turn::Ran(events) => {
                round.begun += events;
                round.progressed = true;
                true
            }
            Turn::Idle(_) => true,
            Turn::Retired => {
                round.progressed = true;
                false
            }
        });
        core.loss_notifier.run_waiting();
        // A worker that finished its handlers is idle, and may have sent events.
        round.progressed |= core.calls.finish_barrier.finished() != finished;
        round
    }

    /// Takes the workers out; a later call returns those added since. The caller drives each with
    /// [`Worker::begin`] and [`Worker::complete`].
    ///
    /// A dropped worker counts as ended, and the next tick replaces it. Workers take part in a
    /// drain only after they are [put back](Manual::put_back).
    #[cfg(feature = "simulation")]
    pub fn take_workers(&mut self) -> Vec<Worker> {
        std::mem::take(&mut self.workers)
    }

    /// Returns workers of this graph that were [taken out](Manual::take_workers).
    #[cfg(feature = "simulation")]
    pub fn put_back(&mut self, workers: Vec<Worker>) {
        self.workers.extend(workers);
    }

    /// Notifies the owners of events that the valve shed since the last step. A step does it too.
    pub fn tell_owners(&mut self) {
        self.plane.topology.core.loss_notifier.run_waiting();
    }

    /// Steps until no worker finds work. Returns the number of events begun.
    ///
    /// Never returns if the graph sends events in an endless cycle; [`Manual::run`] has a bound.
    pub fn run_until_idle(&mut self) -> usize {
        self.run(usize::MAX)
    }

    /// Steps until no worker finds work, or at least `events` events were begun. Returns the number
    /// of events begun.
    pub fn run(&mut self, events: usize) -> usize {
        let mut begun = 0;
        while begun < events {
            let round = self.turn_all();
            if !round.progressed {
                break;
            }
            begun += round.begun;
        }
        begun
    }

    /// Returns the moment of the next delayed event
    /// ([`Context::send_after`](crate::worker::context::Context::send_after)); `None` if there is
    /// none.
    pub fn next_due(&self) -> Option<Time> {
        let due = self.plane.topology.stages.iter().map(|stage| stage.core.next_timer());
        due.min().filter(|due| *due < Time::NEVER)
    }

    /// Runs one tick of the controllers at the clock's present moment.
    pub fn tick(&mut self) {
        self.plane.tick();
        self.add_workers();
        self.tell_owners();
    }

    /// Returns the time of a tick before the regular one, `interval` after the last one: the first
    /// services of a stage have ended since the last call, and its gate is to learn of them. `None`
    /// if there is no reason.
    #[cfg(feature = "simulation")]
    pub fn early_tick(&mut self, last: Time, interval: Duration) -> Option<Time> {
        let core = &self.plane.topology.core;
        let earliest = last.after(interval / EARLY_TICK_PART);
        core.calls.early_tick.take().then(|| earliest.max(core.now()))
    }

    /// Returns a report of the whole graph.
    pub fn report(&self) -> Report {
        self.plane.report()
    }

    /// Returns a channel of all decisions of controllers from now on.
    pub fn journal(&self) -> Receiver<Decision> {
        self.plane.topology.core.journal.subscribe()
    }

    /// Applies all settings of `config`, or none, and returns the changes, as
    /// [`Running::reconfigure`](crate::runtime::Running::reconfigure) does.
    ///
    /// # Errors
    /// As [`Running::reconfigure`](crate::runtime::Running::reconfigure). After an error all
    /// settings are as before.
    pub fn reconfigure(
        &mut self,
        config: &GraphConfig,
    ) -> Result<Vec<SettingChange>, ReconfigureError> {
        let changes = self.plane.reconfigure(config)?;
        self.add_workers();
        Ok(changes)
    }

    /// Sets the number of workers of a pool, or of a stage's own pool, clamped to its range.
    /// Returns the new number; `None` if there is no such pool.
    pub fn set_workers(&mut self, pool: &str, workers: usize) -> Option<usize> {
        let known = self.plane.topology.pools.iter().find(|known| *known.core.name == *pool)?;
        let set = known.core.set_target(workers);
        self.add_workers();
        Some(set)
    }

    /// Sets the soft capacity of a stage, in events: above it the queue refuses events. Returns
    /// false if there is no such stage.
    pub fn set_soft_capacity(&self, stage: &str, soft: usize) -> bool {
        set_soft_capacity(&self.plane.topology, stage, soft)
    }

    /// Drains the graph: refuses new events and steps until those inside have ended and the
    /// handlers have finished, or `events` events were begun. Sheds the remains.
    pub fn drain(mut self, events: usize) -> Drained {
        self.ended = true;
        let plane = Arc::clone(&self.plane);
        let core = &plane.topology.core;
        // 1. Close the entries.
        core.close_entries();
        cancel_timers(&plane);
        let mut left = events;
        loop {
            // 2. Step until quiescent.
            left = left.saturating_sub(self.run(left));
            if left == 0 || !core.budget.is_quiescent() {
                break;
            }
            // 3. Advance the finish barrier.
            core.calls.finish_barrier.advance();
            self.step();
            // 4. Repeat until an epoch changes nothing.
            if core.calls.finish_barrier.finished() == 0 && core.budget.used() == 0 {
                break;
            }
        }
        self.end()
    }

    #[cfg(test)]
    pub(crate) fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    fn end(&mut self) -> Drained {
        let plane = Arc::clone(&self.plane);
        let topology = &plane.topology;
        cancel_timers(&plane);
        let complete = topology.core.budget.used() == 0;
        // 5. Close the stages.
        shed_queues(&plane);
        plane.collect();
        // 6. Stop the workers.
        topology.pools.iter().for_each(|pool| pool.core.stop());
        while !self.workers.is_empty() {
            self.step();
        }
        // 7. End the graph.
        end_graph(&plane);
        topology.core.loss_notifier.run_waiting();
        // 9. Report.
        conclude(&plane, complete)
    }

    /// Adds the missing workers of all pools.
    fn add_workers(&mut self) {
        for index in self.plane.topology.pools.indices() {
            while let Some(worker) = self.plane.topology.add_worker(index) {
                self.workers.push(worker);
            }
        }
    }
}

impl Drop for Manual {
    fn drop(&mut self) {
        if !self.ended {
            self.ended = true;
            self.plane.topology.core.close_entries();
            self.end();
        }
    }
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manual").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}
