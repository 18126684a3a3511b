//! What the control plane knows: the workers' books, collected on the tick, as running sums.

mod metrics;
pub(crate) mod report;
mod sample;
mod topology;

pub(crate) use metrics::Export;
pub(crate) use sample::{Sample, StageSums, TimeSum, between};
pub(crate) use topology::{Edge, MakeRunner, RunningPool, StagePlan, Topology};

use crate::config::{PerClass, PoolIndex, Pools, Position, StageIndex, Stages};
use crate::event::request::RequestCounts;
use crate::gate::GateCounts;
use crate::platform::sync::{Arc, Flaw, is_seeded};
use crate::platform::{Schedstat, Time};
use crate::pool::{StageFigures, WorkerStats, WorkerWindow};
use crate::stage::QueueFigures;
use std::collections::VecDeque;

/// How many ticks a report's window spans: a second at the default tick, long enough for rates
/// that do not jump, short enough to show what is going on.
const WINDOW_TICKS: usize = 10;

/// A worker's book, with what was seen in it before.
struct Watched {
    book: Arc<WorkerStats>,
    pool: PoolIndex,
    /// Swapped with the worker's own, to be read in peace.
    spare: WorkerWindow,
    schedstat: Option<Schedstat>,
    /// What was counted of a running batch before its end.
    ahead: Option<RunningBatch>,
}

/// A batch that has not ended: the place of its stage in the pool, and how long it has run.
#[derive(Clone, Copy)]
struct RunningBatch {
    place: usize,
    nanos: u64,
}

/// Of a budget, how much is in use, and the bound in force.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BudgetUse<N> {
    pub(crate) used: N,
    pub(crate) limit: N,
}

/// Everything that was measured, up to the last collection.
pub(crate) struct Monitor {
    workers: Vec<Watched>,
    /// Since the graph began, and since the last tick.
    pub(crate) life: Stages<StageFigures>,
    pub(crate) tick: Stages<StageFigures>,
    /// The cut of the last collection.
    pub(crate) queues: Stages<QueueFigures>,
    pub(crate) requests: RequestCounts,
    /// The budget at that moment, in events and in bytes.
    pub(crate) budget: BudgetUse<usize>,
    pub(crate) bytes: BudgetUse<u64>,
    /// The gates, while they count.
    pub(crate) gates: Stages<Option<GateCounts>>,
    /// How many workers each pool had at the last look, while it was not being ended.
    live: Pools<usize>,
    pub(crate) now: Sample,
    pub(crate) first: Sample,
    /// The samples at the ends of the last ticks, oldest first.
    past: VecDeque<Sample>,
}

impl Monitor {
    pub(crate) fn new(topology: &Topology) -> Self {
        let stages = &topology.stages;
        let cpu = StageSums { cpu: Some(0), run_queue: Some(0), ..StageSums::default() };
        let sums = stages.map(|_, _| cpu.clone());
        let first = Sample { at: topology.now(), stages: sums, response: PerClass::default() };
        Self {
            workers: Vec::new(),
            life: stages.map(|_, _| StageFigures::default()),
            tick: stages.map(|_, _| StageFigures::default()),
            queues: stages.map(|_, _| QueueFigures::default()),
            requests: RequestCounts::default(),
            budget: BudgetUse::default(),
            bytes: BudgetUse::default(),
            gates: stages.map(|_, _| None),
            live: topology.pools.map(|_, _| 0),
            now: first.clone(),
            past: VecDeque::from([first.clone()]),
            first,
        }
    }

    /// The sample at the beginning of the tick that goes on.
    pub(crate) fn tick_start(&self) -> &Sample {
        self.past.back().unwrap_or(&self.first)
    }

    /// The sample at the beginning of the report's window.
    pub(crate) fn window_start(&self) -> &Sample {
        self.past.front().unwrap_or(&self.first)
    }

    /// A sample from the middle of the window, to see what grows.
    pub(crate) fn window_middle(&self) -> &Sample {
        self.past.get(self.past.len() / 2).unwrap_or(&self.first)
    }

    /// Whether the tick that ends with what was just collected has a length: no rate follows from
    /// what happened in no time. On a clock that stood still it goes on, and what came to pass
    /// counts when it ends; on one that was set back the window begins anew.
    pub(crate) fn has_length(&mut self) -> bool {
        let (began, now) = (self.tick_start().at, self.now.at);
        if now < began {
            self.past.clear();
            self.close_tick(now);
        }
        began < now
    }

    /// Ends a tick: the sample joins the window.
    pub(crate) fn close_tick(&mut self, now: Time) {
        self.now.at = now;
        self.past.push_back(self.now.clone());
        if self.past.len() > WINDOW_TICKS {
            self.past.pop_front();
        }
        self.tick.iter_mut().for_each(StageFigures::clear);
    }

    /// Takes a consistent cut through all stages, and everything that was written down.
    pub(crate) fn collect(&mut self, topology: &Topology, now: Time) {
        let elapsed = now.nanos_since(self.now.at);
        self.track(topology);
        self.cut(topology, now);
        self.count_workers(topology);
        let mut sums = self.now.stages.clone();
        for (plan, sum) in topology.stages.iter().zip(&mut sums) {
            sum.workers += u128::from(elapsed) * self.live[plan.pool] as u128;
        }
        for worker in &mut self.workers {
            let figures = worker.read(topology, now, &mut sums);
            for (stage, figures) in figures {
                self.life[stage].add(figures);
                self.tick[stage].add(figures);
                figures.clear();
            }
        }
        for (stage, sum) in topology.stages.indices().zip(&mut sums) {
            let (queue, life) = (&self.queues[stage], &self.life[stage]);
            sum.ledger = queue.total();
            sum.depth = queue.depth;
            sum.occupancy = queue.occupancy;
            sum.deferred = TimeSum::of(&queue.deferred_service);
            sum.wait = TimeSum::of(&life.wait);
            sum.service = TimeSum::of(&life.service);
            sum.gate = self.gates[stage].unwrap_or(sum.gate);
        }
        let response = self.requests.response.clone();
        self.now = Sample { at: now, stages: sums, response };
        self.forget(topology);
    }

    /// How many workers a pool has, or had before it was ended.
    pub(crate) fn live(&self, pool: PoolIndex) -> usize {
        self.live[pool]
    }

    fn count_workers(&mut self, topology: &Topology) {
        for (live, pool) in self.live.iter_mut().zip(&topology.pools) {
            if !pool.core.is_stopping() {
                *live = pool.core.live();
            }
        }
    }

    /// Notes workers that were hired since.
    fn track(&mut self, topology: &Topology) {
        for (pool, RunningPool { core, stages }) in topology.pools.entries() {
            for book in core.workers() {
                if !self.workers.iter().any(|watched| Arc::ptr_eq(&watched.book, &book)) {
                    let spare = WorkerWindow::new(stages.len());
                    self.workers.push(Watched { book, pool, spare, schedstat: None, ahead: None });
                }
            }
        }
    }

    /// While all books are held no batch's end is half known, and while all lanes are held no
    /// event enters or leaves: the ledgers balance, also across stages and with the budget.
    fn cut(&mut self, topology: &Topology, now: Time) {
        let core = &topology.core;
        let mut held: Vec<_> =
            self.workers.iter_mut().map(|w| (w.book.window.lock(), &mut w.spare)).collect();
        let Cut { queues, used, bytes } = cut_through(topology, now);
        self.queues = queues;
        self.budget = BudgetUse { used, limit: core.budget.bound(used) };
        let bytes = if is_seeded(Flaw::BytesReadLate) { core.bytes.used() } else { bytes };
        // Above a limit that was set lower, what is there stays.
        self.bytes = BudgetUse { used: bytes, limit: core.bytes.limit().max(bytes) };
        self.requests = core.requests();
        self.gates = topology.stages.map(|stage, _| core.admission.figures(stage.get()));
        for (window, spare) in &mut held {
            std::mem::swap::<WorkerWindow>(window, spare);
        }
    }

    /// Forgets workers that are gone; what they wrote was just read.
    fn forget(&mut self, topology: &Topology) {
        self.workers.retain(|watched| {
            let gone = watched.book.is_gone();
            if gone {
                topology.pools[watched.pool].core.forget(&watched.book);
            }
            !gone
        });
    }
}

impl Watched {
    /// Adds the worker's time to the `sums` of its stages, split by what the kernel says. Returns
    /// what it wrote down since the last collection, by stage.
    fn read<'a>(
        &'a mut self,
        topology: &'a Topology,
        now: Time,
        sums: &mut Stages<StageSums>,
    ) -> impl Iterator<Item = (StageIndex, &'a mut StageFigures)> + use<'a> {
        let running = self.book.running();
        let ahead =
            running.map(|(place, since)| RunningBatch { place, nanos: now.nanos_since(since) });
        let before = std::mem::replace(&mut self.ahead, ahead);
        let places = self.spare.stages.iter().enumerate();
        let busy: Vec<u64> = places
            .map(|(place, f)| (f.busy + at(ahead, place)).saturating_sub(at(before, place)))
            .collect();
        let schedstat = self.book.schedstat();
        let earlier = self.schedstat.or_else(|| self.book.first_schedstat());
        let spent = schedstat.zip(earlier).map(|(now, then)| now.since(then));
        self.schedstat = schedstat;
        let all: u64 = busy.iter().sum::<u64>().max(1);
        // A reactor's thread is on a core for its sockets, too: then the thread's time is split in
        // proportion, and the parts never exceed the whole.
        let whole = spent.map_or(all, |spent| all.max(spent.cpu + spent.run_queue));
        let stages = &topology.pools[self.pool].stages;
        for (stage, busy) in stages.iter().zip(busy) {
            let sum = &mut sums[*stage];
            sum.busy += busy;
            // A worker that has just begun has no earlier reading: its first tick is not split.
            if let Some(spent) = spent {
                sum.cpu = sum.cpu.map(|cpu| cpu + share(spent.cpu, busy, whole));
                sum.run_queue =
                    sum.run_queue.map(|wait| wait + share(spent.run_queue, busy, whole));
            } else if busy > 0 && !self.book.is_split() {
                (sum.cpu, sum.run_queue) = (None, None);
            }
        }
        stages.iter().copied().zip(&mut self.spare.stages)
    }
}

/// How long a batch of the stage at `place` has run; zero if another stage's runs.
fn at(batch: Option<RunningBatch>, place: usize) -> u64 {
    batch.filter(|batch| batch.place == place).map_or(0, |batch| batch.nanos)
}

/// The part of `nanos` that falls to `busy` of the `whole`.
fn share(nanos: u64, busy: u64, whole: u64) -> u64 {
    (u128::from(nanos) * u128::from(busy) / u128::from(whole)) as u64
}

/// All stages' figures, and the budget in use meanwhile, in events and in bytes.
struct Cut {
    queues: Stages<QueueFigures>,
    used: usize,
    bytes: u64,
}

/// Takes the figures of all stages with all of them held. An event is charged before it enters and
/// credited after it has left, so the budget in use is never less than inside.
fn cut_through(topology: &Topology, now: Time) -> Cut {
    // On the heap: held one inside the other they would need a stack frame for each stage.
    let mut held = Vec::with_capacity(topology.stages.len());
    let queues = topology.stages.map(|_, plan| {
        let (figures, guard) = plan.core.cut(now);
        held.push(guard);
        figures
    });
    Cut { queues, used: topology.core.budget.used(), bytes: topology.core.bytes.used() }
}
