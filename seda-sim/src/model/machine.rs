//! The machine: workers on cores.
//!
//! Every worker is in one of three states: idle in its pool's list, with a burst on the cores, or
//! blocked until a moment. A send touches the pools of its target. [`Machine::settle`] gives the
//! idle workers of touched pools a turn until one finds nothing, so no worker idles beside work.

use super::build::Built;
use super::cache::{Cache, Loss};
use super::cores::{Cores, Owner};
use super::inside::Inside;
use super::job::{TouchedPools, TracedDemand};
use super::period::Period;
use crate::base::rng::{Purpose, Rng};
use crate::base::time::nanos;
use crate::spec::{Demand, Fault, Spec, StageSpec};
use seda_core::{Begun, Manual, Report, Time, Worker};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The longest demand of a batch, in nanoseconds: a hundred years. Slow faults multiply, and the
/// product of many is infinite.
const LONGEST: f64 = 3.2e18;

/// The workers and cores of a graph that is stepped. All times are in nanoseconds.
pub(crate) struct Machine {
    graph: Manual,
    cores: Cores,
    /// By queue, in order of declaration.
    queues: Vec<Queue>,
    workers: Vec<Option<WorkerSlot>>,
    /// The indices of free slots in `workers`.
    free: Vec<usize>,
    /// By pool: the idle workers.
    idle: Vec<Vec<usize>>,
    /// The index of each pool, by name.
    pools: HashMap<String, usize>,
    touched: Arc<TouchedPools>,
    /// Reused by `settle`: the pools that it settles.
    unsettled: Vec<usize>,
    traced: Arc<TracedDemand>,
    blocked: BlockedWorkers,
    /// Completed batches in the whole run.
    pub(crate) completed: u64,
}

/// The service demands of a queue's events.
#[derive(Debug)]
struct Queue {
    demand: Demand,
    cpu_share: f64,
    rng: Rng,
    slow: Vec<SlowPeriod>,
    stalls: Vec<Period>,
    cache: Option<QueueCache>,
    /// The requests inside the graph, if the demand depends on it.
    inside: Option<Inside>,
}

/// The cache of a queue's stage.
#[derive(Debug)]
struct QueueCache {
    cache: Cache,
    /// The mean demand of a hit as a share of that of a miss.
    hit_share: f64,
    /// The share of requests that have no key.
    uncached: f64,
    rng: Rng,
}

#[derive(Clone, Copy, Debug)]
struct SlowPeriod {
    period: Period,
    factor: f64,
}

struct WorkerSlot {
    worker: Worker,
    pool: usize,
    /// The burst of its batch, while it is on the cores.
    burst: Option<Burst>,
}

/// The service demand of a batch.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Work for a core.
    work: f64,
    /// Blocked time behind the work.
    blocked: u64,
}

/// A batch on the cores.
#[derive(Clone, Copy, Debug)]
struct Burst {
    service: Service,
    /// The time of its beginning.
    since: u64,
    /// Virtual time of the cores at its beginning.
    given: f64,
    /// The time that its worker was credited so far.
    credited: Credit,
}

/// The time of a worker, as the kernel counts it.
#[derive(Clone, Copy, Debug, Default)]
struct Credit {
    /// On a core.
    cpu: u64,
    /// Waiting for a core.
    run_queue: u64,
}

/// The blocked workers.
#[derive(Debug, Default)]
struct BlockedWorkers {
    heap: BinaryHeap<Reverse<Blocked>>,
    /// The number of the next one.
    next_number: u64,
}

/// A blocked worker. Workers that unblock at the same time do so in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Blocked {
    until: u64,
    number: u64,
    worker: usize,
}

impl Machine {
    /// Returns the machine of a built graph, with all workers idle.
    pub(crate) fn new(spec: &Spec, seed: u64, built: Built) -> Self {
        let mut queues = Vec::with_capacity(built.queues.len());
        for (number, queue) in built.queues.iter().enumerate() {
            let rng = Rng::new(seed, Purpose::Demand(number));
            let stage = spec.stages.get(queue.stage);
            queues.extend(stage.map(|stage| Queue {
                cache: QueueCache::new(
                    spec,
                    stage,
                    &queue.name,
                    Rng::new(seed, Purpose::Cache(number)),
                ),
                inside: built.inside.clone(),
                ..Queue::new(spec, stage, &queue.name, rng)
            }));
        }
        let mut machine = Self {
            graph: built.graph,
            cores: Cores::new(spec.cores),
            queues,
            workers: Vec::new(),
            free: Vec::new(),
            idle: vec![Vec::new(); built.pools.len()],
            pools: built.pools,
            touched: built.touched,
            unsettled: Vec::new(),
            traced: built.traced,
            blocked: BlockedWorkers::default(),
            completed: 0,
        };
        machine.adopt_workers();
        machine
    }

    /// Returns the time at which the next burst or blocked worker is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let blocked = self.blocked.next_due();
        self.cores.next_end().into_iter().chain(blocked).min()
    }

    /// Ends the bursts and unblocks the workers that are due at `now`.
    pub(crate) fn act(&mut self, now: u64) {
        // A fixed order at one time: bursts end before blocked workers go on.
        while let Some(owner) = self.cores.take_ended(now) {
            if let Owner::Worker(index) = owner {
                self.end_burst(index, now);
            }
        }
        while let Some(worker) = self.blocked.take_due(now) {
            self.complete(worker);
        }
    }

    /// Ends a worker's burst; the rest of its batch is blocked time.
    fn end_burst(&mut self, index: usize, now: u64) {
        let slot = self.workers.get_mut(index).and_then(Option::as_mut);
        let Some(slot) = slot else {
            debug_assert!(false, "a worker with a burst has a slot");
            return;
        };
        let Some(burst) = slot.burst.take() else {
            debug_assert!(false, "a burst on the cores is known to its worker");
            return;
        };
        burst.owed_at_end(now).pay(&slot.worker);
        if burst.service.blocked > 0 {
            self.blocked.add(index, now.saturating_add(burst.service.blocked));
        } else {
            self.complete(index);
        }
    }

    /// Charges `work` of the entry, in core-nanoseconds, to the cores.
    pub(crate) fn charge(&mut self, now: u64, work: f64) {
        if work > 0.0 {
            self.cores.begin(now, Owner::Entry, work);
        }
    }

    /// Marks pools as having new events.
    pub(crate) fn touch(&self, pools: &[usize]) {
        pools.iter().for_each(|pool| self.touched.touch(*pool));
    }

    /// Gives the idle workers of touched pools turns until one finds nothing.
    pub(crate) fn settle(&mut self, now: u64) {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        self.touched.take(&mut unsettled);
        for pool in unsettled.drain(..) {
            while self.begin_one(pool, now) {}
        }
        self.unsettled = unsettled;
    }

    /// Runs one tick of the graph's controllers.
    pub(crate) fn tick(&mut self, now: u64) {
        self.credit_running(now);
        self.graph.tick();
        self.adopt_workers();
        // A pool may have shrunk: surplus workers retire in their next turn.
        for pool in 0..self.idle.len() {
            for index in self.idle.get_mut(pool).map(std::mem::take).unwrap_or_default() {
                self.begin(index, pool, now);
            }
        }
    }

    /// Returns the time of a tick that the graph asks for before its time; `None` if it does not.
    pub(crate) fn early_tick(&mut self, last: Time, interval: Duration) -> Option<Time> {
        self.graph.early_tick(last, interval)
    }

    /// Credits workers with the time of their running bursts, as a kernel does. Anything that reads
    /// the workers' times comes after it.
    fn credit_running(&mut self, now: u64) {
        let given = self.cores.given(now);
        for slot in self.workers.iter_mut().flatten() {
            if let Some(burst) = &mut slot.burst {
                let credit = burst.owed_so_far(now, given);
                credit.pay(&slot.worker);
                burst.credited.cpu += credit.cpu;
                burst.credited.run_queue += credit.run_queue;
            }
        }
    }

    /// Notifies the owners of events that the valve evicted.
    pub(crate) fn tell_owners(&mut self) {
        self.graph.tell_owners();
    }

    /// Returns the report of the graph at `now`.
    pub(crate) fn report(&mut self, now: u64) -> Report {
        self.credit_running(now);
        self.graph.report()
    }

    /// Returns the core-seconds of work done until `now`.
    pub(crate) fn work_done(&mut self, now: u64) -> f64 {
        self.cores.done(now) / 1e9
    }

    /// Takes over the workers that the graph has added, as idle ones.
    fn adopt_workers(&mut self) {
        for worker in self.graph.take_workers() {
            let pool = self.pools.get(worker.pool()).copied();
            debug_assert!(pool.is_some(), "a worker's pool is one of the graph's");
            let pool = pool.unwrap_or(0);
            // The first credit makes the worker's times simulated ones.
            worker.credit(Duration::ZERO, Duration::ZERO);
            let slot = Some(WorkerSlot { worker, pool, burst: None });
            let index = self.free.pop().unwrap_or(self.workers.len());
            match self.workers.get_mut(index) {
                Some(free) => *free = slot,
                None => self.workers.push(slot),
            }
            self.make_idle(index, pool);
        }
    }

    /// Puts a worker into its pool's idle list, to be given a turn by the next `settle`.
    fn make_idle(&mut self, index: usize, pool: usize) {
        self.push_idle(index, pool);
        self.touched.touch(pool);
    }

    fn push_idle(&mut self, index: usize, pool: usize) {
        debug_assert!(pool < self.idle.len(), "an unknown pool");
        if let Some(idle) = self.idle.get_mut(pool) {
            idle.push(index);
        }
    }

    /// Gives one idle worker of a pool a turn; false if there is none, or it finds nothing.
    fn begin_one(&mut self, pool: usize, now: u64) -> bool {
        match self.idle.get_mut(pool).and_then(Vec::pop) {
            Some(index) => self.begin(index, pool, now),
            None => false,
        }
    }

    /// Gives a worker a turn; false if it finds nothing.
    fn begin(&mut self, index: usize, pool: usize, now: u64) -> bool {
        let slot = self.workers.get_mut(index).and_then(Option::as_mut);
        let Some(slot) = slot else {
            debug_assert!(false, "an idle worker has a slot");
            return true;
        };
        match slot.worker.begin() {
            Begun::Batch { stage, events } => {
                // The handler's `begin` has added the demand by a trace of each event.
                let traced = self.traced.take();
                let queue = self.queues.get_mut(stage);
                debug_assert!(queue.is_some(), "a batch is of one of the graph's queues");
                let service = match queue {
                    Some(queue) => queue.draw(events, traced, now),
                    None => Service { work: 0.0, blocked: 0 },
                };
                // First the work on a core, then the blocked time.
                if service.work > 0.0 {
                    let given = self.cores.begin(now, Owner::Worker(index), service.work);
                    let credited = Credit::default();
                    slot.burst = Some(Burst { service, since: now, given, credited });
                } else {
                    self.blocked.add(index, now.saturating_add(service.blocked));
                }
                true
            }
            Begun::Idle(_) => {
                self.push_idle(index, pool);
                false
            }
            Begun::Retired => {
                if let Some(slot) = self.workers.get_mut(index) {
                    *slot = None;
                }
                self.free.push(index);
                true
            }
        }
    }

    /// Runs the handler on a worker's batch after its service, and makes the worker idle.
    fn complete(&mut self, index: usize) {
        let slot = self.workers.get_mut(index).and_then(Option::as_mut);
        let Some(slot) = slot else {
            debug_assert!(false, "a worker with a batch has a slot");
            return;
        };
        slot.worker.complete();
        self.completed += 1;
        let pool = slot.pool;
        self.make_idle(index, pool);
    }
}

impl BlockedWorkers {
    fn add(&mut self, worker: usize, until: u64) {
        self.heap.push(Reverse(Blocked { until, number: self.next_number, worker }));
        self.next_number += 1;
    }

    fn next_due(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(blocked)| blocked.until)
    }

    /// Takes a worker that is due at `now`.
    fn take_due(&mut self, now: u64) -> Option<usize> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(blocked)| blocked.worker)
    }
}

impl Queue {
    fn new(spec: &Spec, stage: &StageSpec, name: &String, rng: Rng) -> Self {
        let mut slow = Vec::new();
        let mut stalls = Vec::new();
        for fault in &spec.faults {
            match fault {
                Fault::Slow { stage: slowed, factor, from, to }
                    if slowed == name || *slowed == stage.name =>
                {
                    let period = Period { from: nanos(*from), to: to.map_or(u64::MAX, nanos) };
                    slow.push(SlowPeriod { period, factor: *factor });
                }
                Fault::Stall { stage: stalled, at, length }
                    if stalled == name || *stalled == stage.name =>
                {
                    let to = nanos(at.saturating_add(*length));
                    stalls.push(Period { from: nanos(*at), to });
                }
                _ => {}
            }
        }
        let (demand, cpu_share) = (stage.demand.clone(), stage.cpu_share);
        Self { demand, cpu_share, rng, slow, stalls, cache: None, inside: None }
    }

    /// Draws the demand of one event whose service begins at `now`, in nanoseconds.
    fn draw_one(&mut self, now: u64) -> f64 {
        let demand = self.demand.draw(&mut self.rng);
        let Some(cache) = &mut self.cache else {
            return demand;
        };
        if cache.hits(now) { demand * cache.hit_share } else { demand }
    }

    /// Draws the service of a batch of `events` that begins at `now`. `traced` is the part of the
    /// demand that a trace has, in nanoseconds.
    fn draw(&mut self, events: usize, traced: u64, now: u64) -> Service {
        let mut demand = traced as f64 + (0..events).map(|_| self.draw_one(now)).sum::<f64>();
        if let Some(inside) = &self.inside {
            demand *= self.demand.stretch(inside.count());
        }
        for slow in &self.slow {
            if slow.period.contains(now) {
                demand *= slow.factor;
            }
        }
        // A batch that begins in a stall blocks until the last stall is over.
        let stalls = self.stalls.iter().filter(|stall| events > 0 && stall.contains(now));
        let stalled = stalls.map(|stall| stall.to - now).max().unwrap_or(0);
        let demand = demand.min(LONGEST);
        let work = demand * self.cpu_share;
        let blocked = ((demand - work).round() as u64).saturating_add(stalled);
        Service { work, blocked }
    }
}

impl QueueCache {
    /// Returns the cache of a queue; `None` if its stage has none.
    fn new(spec: &Spec, stage: &StageSpec, name: &String, rng: Rng) -> Option<Self> {
        let Demand::Cached { hit, miss, keys, uncached } = &stage.demand else {
            return None;
        };
        let mut losses = Vec::new();
        for fault in &spec.faults {
            if let Fault::Cold { stage: cold, share, at, length } = fault
                && (cold == name || *cold == stage.name)
            {
                let period = Period { from: nanos(*at), to: nanos(at.saturating_add(*length)) };
                losses.push(Loss { period, share: *share });
            }
        }
        // A draw of a miss becomes one of a hit by a factor. A miss of no length has no factor, and
        // needs none.
        let hit_share = hit.as_secs_f64() / miss.as_secs_f64().max(f64::MIN_POSITIVE);
        Some(Self { cache: Cache::new(*keys, losses), hit_share, uncached: *uncached, rng })
    }

    fn hits(&mut self, now: u64) -> bool {
        self.rng.unit() >= self.uncached && self.cache.hits(now, &mut self.rng)
    }
}

impl Burst {
    /// Returns the credit that is owed when the burst has ended.
    fn owed_at_end(&self, now: u64) -> Credit {
        self.owed(now, self.service.work)
    }

    /// Returns the credit that is owed while the burst goes on; `given` is virtual time.
    fn owed_so_far(&self, now: u64, given: f64) -> Credit {
        self.owed(now, (given - self.given).clamp(0.0, self.service.work))
    }

    /// Returns the credit that is owed for `work` done: the rest of the wall time was spent on the
    /// run queue.
    fn owed(&self, now: u64, work: f64) -> Credit {
        let wall = now.saturating_sub(self.since);
        let cpu = (work.round() as u64).min(wall);
        let run_queue = wall - cpu;
        Credit {
            cpu: cpu.saturating_sub(self.credited.cpu),
            run_queue: run_queue.saturating_sub(self.credited.run_queue),
        }
    }
}

impl Credit {
    fn pay(self, worker: &Worker) {
        worker.credit(Duration::from_nanos(self.cpu), Duration::from_nanos(self.run_queue));
    }
}
