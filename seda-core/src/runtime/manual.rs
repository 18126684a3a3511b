//! A graph that is stepped by hand: the same queues, workers and controllers, without threads.

use crate::config::{GraphConfig, GraphWarning, ReconfigureError, SettingChange};
use crate::control::ControlPlane;
use crate::monitor::report::Report;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::runtime::drain::{Drained, cancel_timers, conclude, give_up, leave};
use crate::stage::Decision;
use crate::worker::{Turn, Worker};
use crossbeam_channel::Receiver;
use std::fmt;

/// A graph without threads: every step is a call, every result is exact. For tests, for
/// simulation, and to count instructions.
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

impl Manual {
    pub(crate) fn start(plane: Arc<ControlPlane>, warnings: Vec<GraphWarning>) -> Self {
        let mut manual = Self { plane, workers: Vec::new(), warnings, ended: false };
        manual.add_worker();
        manual
    }

    /// What is odd about the graph, though it runs.
    pub fn warnings(&self) -> &[GraphWarning] {
        &self.warnings
    }

    /// Gives every worker one turn, in order of hiring; returns how many events were begun.
    pub fn step(&mut self) -> usize {
        self.turn_all().0
    }

    /// Gives every worker one turn; returns how many events were begun, and whether anything at
    /// all was done: a batch may have been given up as a whole, a handler finished.
    fn turn_all(&mut self) -> (usize, bool) {
        let finished = self.plane.topology.core.finish_barrier.finished();
        let (mut begun, mut done) = (0, false);
        self.workers.retain_mut(|worker| match worker.turn() {
            Turn::Ran(events) => {
                begun += events;
                done = true;
                true
            }
            Turn::Idle(_) => true,
            Turn::Retired => {
                done = true;
                false
            }
        });
        self.plane.topology.core.disposal.run_waiting();
        (begun, done || self.plane.topology.core.finish_barrier.finished() != finished)
    }

    /// Takes the workers out, to be driven one by one with [`Worker::begin`] and
    /// [`Worker::complete`]; called again, those that were hired since. One that is dropped counts
    /// as gone, and the next tick replaces it: [put back](Manual::put_back) those that are to take
    /// part in a drain.
    pub fn take_workers(&mut self) -> Vec<Worker> {
        std::mem::take(&mut self.workers)
    }

    /// Takes workers back that were [taken out](Manual::take_workers), of this graph alone.
    pub fn put_back(&mut self, workers: Vec<Worker>) {
        self.workers.extend(workers);
    }

    /// Tells the owners of events that the valve evicted since the last step; a step does it too.
    pub fn tell_owners(&mut self) {
        self.plane.topology.core.disposal.run_waiting();
    }

    /// Steps until no worker finds anything to do; returns how many events were begun. A graph
    /// that sends in circles without end never gets there: see [`Manual::run`].
    pub fn run_until_idle(&mut self) -> usize {
        self.run(usize::MAX)
    }

    /// Steps until no worker finds anything to do, or `events` or more were begun; returns how
    /// many were.
    pub fn run(&mut self, events: usize) -> usize {
        let mut begun = 0;
        while begun < events {
            match self.turn_all() {
                (_, false) => break,
                (n, true) => begun += n,
            }
        }
        begun
    }

    /// When the next event is due that was sent for later ([`crate::worker::context::Context::send_after`]).
    pub fn next_due(&self) -> Option<Time> {
        let due = self.plane.topology.stages.iter().map(|stage| stage.core.next_timer());
        due.min().filter(|due| *due < Time::NEVER)
    }

    /// One tick of the controllers, at the clock's present moment.
    pub fn tick(&mut self) {
        self.plane.tick();
        self.add_worker();
    }

    /// A snapshot of everything.
    pub fn report(&self) -> Report {
        self.plane.report()
    }

    /// Every decision of a controller from now on.
    pub fn journal(&self) -> Receiver<Decision> {
        self.plane.topology.core.journal.subscribe()
    }

    /// Sets everything that `config` says, whole or not at all: see
    /// [`Running::reconfigure`](crate::runtime::running::Running::reconfigure).
    ///
    /// # Errors
    /// What is wrong with `config`; nothing has changed then.
    pub fn reconfigure(
        &mut self,
        config: &GraphConfig,
    ) -> Result<Vec<SettingChange>, ReconfigureError> {
        let changes = self.plane.reconfigure(config)?;
        self.add_worker();
        Ok(changes)
    }

    /// Sets how many workers a pool, or the own pool of a stage, should have, within its range;
    /// returns what was set.
    pub fn set_workers(&mut self, pool: &str, workers: usize) -> Option<usize> {
        let known = self.plane.topology.pools.iter().find(|known| *known.core.name == *pool)?;
        let set = known.core.set_target(workers);
        self.add_worker();
        Some(set)
    }

    /// Sets the bound above which a stage's queue admits nothing.
    pub fn set_soft_capacity(&self, stage: &str, soft: usize) -> bool {
        crate::runtime::running::set_soft_capacity(&self.plane, stage, soft)
    }

    /// Refuses what comes, then steps until everything is finished, or `events` were begun;
    /// what is left then is given up.
    pub fn drain(mut self, events: usize) -> Drained {
        self.ended = true;
        self.plane.topology.core.close_entries();
        cancel_timers(&self.plane);
        let mut left = events;
        loop {
            left = left.saturating_sub(self.run(left));
            if left == 0 || !self.plane.topology.core.budget.is_quiescent() {
                break;
            }
            self.plane.topology.core.finish_barrier.advance();
            self.step();
            let finished = self.plane.topology.core.finish_barrier.finished();
            if finished == 0 && self.plane.topology.core.budget.used() == 0 {
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
        cancel_timers(&self.plane);
        let complete = self.plane.topology.core.budget.used() == 0;
        give_up(&self.plane);
        self.plane.collect();
        self.plane.topology.pools.iter().for_each(|pool| pool.core.stop());
        while !self.workers.is_empty() {
            self.step();
        }
        leave(&self.plane);
        self.plane.topology.core.disposal.run_waiting();
        conclude(&self.plane, complete)
    }

    fn add_worker(&mut self) {
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
