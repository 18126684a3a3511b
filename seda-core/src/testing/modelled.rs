//! A graph on the threads of a model checker.
//!
//! Control plane, worker loop, park and drain are those of [`Running`](crate::runtime::Running).
//! The control thread and the thread that notifies owners are left out: a model makes their calls.

use crate::control::ControlPlane;
use crate::event::LossReason;
use crate::graph::Graph;
use crate::monitor::report::Report;
use crate::platform::sync::{Arc, AtomicUsize, JoinHandle, Mutex, Ordering, pause, spawn};
use crate::platform::{Deadline, ManualClock, Time};
use crate::pool::{CondvarPark, IdleWorkers, Park, PoolCore};
use crate::runtime::{Drained, conclude, end_graph, finish_all, shed_queues};
use std::time::Duration;

pub use crate::platform::sync::{Flaw, is_seeded, seed};

/// A graph in a model.
#[derive(Debug)]
pub struct Modelled {
    plane: Arc<ControlPlane>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Modelled {
    /// Starts `graph`, each worker on a thread of the model.
    #[must_use]
    pub fn start(graph: Graph) -> Self {
        let (plane, _) = graph.build(Arc::new(ManualClock::new())).expect("the graph is legal");
        let modelled = Self { plane, workers: Mutex::default() };
        modelled.add_workers();
        modelled
    }

    /// Sets the number of workers, as
    /// [`Running::set_workers`](crate::runtime::Running::set_workers).
    pub fn set_workers(&self, pool: &str, workers: usize) {
        self.pool(pool).set_target(workers);
        self.add_workers();
    }

    /// Closes a stage and sheds its queue, as after repeated failures of the handler's factory.
    pub fn close(&self, stage: &str) {
        let known = self.plane.topology.stages.iter().find(|known| **known.core.name() == *stage);
        let known = known.expect("the stage is declared");
        known.core.close();
        Arc::clone(&known.core).shed_all(LossReason::Closed);
    }

    /// Returns the used part of the budget and its limit, in events.
    #[must_use]
    pub fn budget(&self) -> (usize, usize) {
        (self.plane.topology.core.budget.used(), self.plane.topology.core.budget.limit())
    }

    /// Waits until the graph is empty. Never returns if an event is lost.
    pub fn wait_quiet(&self) {
        while !self.plane.topology.core.budget.wait_quiescent(Duration::ZERO) {}
    }

    /// Waits until at least `workers` workers of a pool are idle: parked, or about to park.
    pub fn wait_parked(&self, pool: &str, workers: usize) {
        while self.pool(pool).idle.count() < workers {
            pause(Duration::ZERO);
        }
    }

    /// Waits until a pool has `workers` workers or fewer.
    pub fn wait_workers(&self, pool: &str, workers: usize) {
        let left = || self.pool(pool).workers().iter().filter(|worker| !worker.is_gone()).count();
        while left() > workers {
            pause(Duration::ZERO);
        }
    }

    /// Marks the oldest worker of a pool as stuck, as the watch does that has seen it in a handler.
    pub fn mark_oldest_stuck(&self, pool: &str) {
        if let Some(worker) = self.pool(pool).workers().first() {
            self.pool(pool).mark_stuck(worker);
        }
    }

    /// Returns the number of workers that a pool counts.
    #[must_use]
    pub fn live(&self, pool: &str) -> usize {
        self.pool(pool).live()
    }

    /// Notifies the owners of events that the valve shed.
    pub fn tell_owners(&self) {
        self.plane.topology.core.loss_notifier.run_waiting();
    }

    /// Returns a report, taken while the workers run.
    #[must_use]
    pub fn report(&self) -> Report {
        self.plane.report()
    }

    /// Runs the part of a drain that lets events inside end and handlers finish.
    pub fn finish_all(&self) {
        finish_all(&self.plane, &Deadline::after(Duration::from_secs(1)));
    }

    /// Runs the part of a drain that ends the workers and sheds the remains. Each worker is woken
    /// once, so a missed wake-up is a deadlock; a running graph wakes them repeatedly.
    pub fn end(&self) -> Drained {
        self.plane.topology.core.close_entries();
        let complete = self.plane.topology.core.budget.used() == 0;
        shed_queues(&self.plane);
        self.plane.collect();
        self.stop();
        end_graph(&self.plane);
        self.tell_owners();
        conclude(&self.plane, complete)
    }

    /// Ends the workers only.
    pub fn stop(&self) {
        self.plane.topology.pools.iter().for_each(|pool| pool.core.stop());
        let workers = std::mem::take(&mut *self.workers.lock());
        for worker in workers {
            worker.join().expect("a worker never panics");
        }
    }

    fn pool(&self, name: &str) -> &PoolCore {
        let known = self.plane.topology.pools.iter().find(|known| *known.core.name == *name);
        known.map(|known| known.core.as_ref()).expect("the pool is declared")
    }

    fn add_workers(&self) {
        for pool in self.plane.topology.pools.indices() {
            while let Some(worker) = self.plane.topology.add_worker(pool) {
                let thread = spawn(move || worker.run(CondvarPark::new()));
                self.workers.lock().push(thread);
            }
        }
    }
}

/// The parking protocol alone, with a worker loop around a counter as its queue. Its steps are few
/// enough to try every schedule with several preemptions.
#[derive(Debug, Default)]
pub struct Wakeups {
    idle: IdleWorkers,
    depth: AtomicUsize,
}

impl Wakeups {
    /// Publishes one event and wakes the worker.
    pub fn send(&self) {
        self.depth.fetch_add(1, Ordering::Relaxed);
        self.idle.wake_one();
    }

    /// Runs the worker until it has taken `events` events.
    pub fn take(&self, mut events: usize) {
        let mut park = CondvarPark::new();
        loop {
            while self.depth.load(Ordering::Relaxed) > 0 {
                self.depth.fetch_sub(1, Ordering::Relaxed);
                events -= 1;
                if events == 0 {
                    return;
                }
            }
            self.idle.enter(0, park.unparker(), Time::NEVER);
            if self.depth.load(Ordering::Relaxed) == 0 {
                park.park(None);
            }
            self.idle.leave(0);
        }
    }
}
