//! A graph whose workers run on a model checker's threads: the same engine, worker loop, parking
//! place and drain as [`super::Running`]'s. Left out are the threads of the machine around them:
//! the control thread, whose decisions a model takes itself, and the one that tells owners.

use crate::event::LossReason;
use crate::graph::Graph;
use crate::monitor::Engine;
use crate::monitor::report::Report;
use crate::platform::sync::{Arc, AtomicUsize, JoinHandle, Mutex, Ordering, pause, spawn};
use crate::platform::{Deadline, ManualClock, Time};
use crate::pool::{CondvarPark, IdleWorkers, Park, PoolCore};
use crate::runtime::{Drained, conclude, finish_all, give_up, leave};
use std::time::Duration;

pub use crate::platform::sync::{Flaw, is_seeded, seed};

/// A graph in a model.
#[derive(Debug)]
pub struct Modelled {
    engine: Arc<Engine>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Modelled {
    /// Hires the workers of all pools, each on a thread of the model.
    #[must_use]
    pub fn start(graph: Graph) -> Self {
        let (engine, _) = graph.build(Arc::new(ManualClock::new())).expect("the graph is legal");
        let modelled = Self { engine, workers: Mutex::default() };
        modelled.add_worker();
        modelled
    }

    /// As [`super::Running::set_workers`].
    pub fn set_workers(&self, pool: &str, workers: usize) {
        self.pool(pool).set_target(workers);
        self.add_worker();
    }

    /// Closes a stage and gives up what is queued, as a factory does that keeps failing.
    pub fn close(&self, stage: &str) {
        let known = self.engine.stages.iter().find(|known| **known.core.name() == *stage);
        let known = known.expect("the stage is declared");
        known.core.close();
        Arc::clone(&known.core).shed_all(LossReason::Closed);
    }

    /// How much of the budget is in use, and its limit.
    #[must_use]
    pub fn budget(&self) -> (usize, usize) {
        (self.engine.core.budget.used(), self.engine.core.budget.limit())
    }

    /// Waits until the graph is empty; for ever if somebody forgets an event.
    pub fn wait_quiet(&self) {
        while !self.engine.core.budget.wait_quiet(Duration::ZERO) {}
    }

    /// Waits until so many workers of a pool are parked, or about to park.
    pub fn wait_parked(&self, pool: &str, workers: usize) {
        while self.pool(pool).idle.count() < workers {
            pause(Duration::ZERO);
        }
    }

    /// Waits until a pool has so many workers left.
    pub fn wait_workers(&self, pool: &str, workers: usize) {
        let left = || self.pool(pool).books().iter().filter(|book| !book.is_gone()).count();
        while left() > workers {
            pause(Duration::ZERO);
        }
    }

    /// Tells the owners of the valve's victims.
    pub fn tell_owners(&self) {
        self.engine.core.disposal.run_waiting();
    }

    /// A scrape, taken while everything goes on.
    #[must_use]
    pub fn report(&self) -> Report {
        self.engine.report()
    }

    /// The part of [`super::Running::drain`] that lets everything inside come to its end.
    pub fn finish_all(&self) {
        finish_all(&self.engine, &Deadline::after(Duration::from_secs(1)));
    }

    /// The part of a drain that ends the workers and gives up what is left; each must see by one
    /// call that it is to end, where a running graph calls again and again.
    pub fn end(&self) -> Drained {
        self.engine.core.close_entries();
        let complete = self.engine.core.budget.used() == 0;
        give_up(&self.engine);
        self.engine.collect();
        self.stop();
        leave(&self.engine);
        self.tell_owners();
        conclude(&self.engine, complete)
    }

    /// Ends the workers, and nothing else.
    pub fn stop(&self) {
        self.engine.pools.iter().for_each(|pool| pool.core.stop());
        let workers = std::mem::take(&mut *self.workers.lock());
        for worker in workers {
            worker.join().expect("a worker never panics");
        }
    }

    fn pool(&self, name: &str) -> &PoolCore {
        let known = self.engine.pools.iter().find(|known| *known.core.name == *name);
        known.map(|known| known.core.as_ref()).expect("the pool is declared")
    }

    fn add_worker(&self) {
        for pool in 0..self.engine.pools.len() {
            while let Some(worker) = self.engine.add_worker(pool) {
                let thread = spawn(move || worker.run(CondvarPark::new()));
                self.workers.lock().push(thread);
            }
        }
    }
}

/// The protocol of `idle.rs` alone, with a worker loop around the smallest queue there is: few
/// enough steps for every schedule with several preemptions.
#[derive(Debug, Default)]
pub struct Wakeups {
    idle: IdleWorkers,
    depth: AtomicUsize,
}

impl Wakeups {
    /// Publishes an event and makes sure that the worker looks.
    pub fn send(&self) {
        self.depth.fetch_add(1, Ordering::Relaxed);
        self.idle.wake_one();
    }

    /// The worker: returns when it has taken so many events.
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
