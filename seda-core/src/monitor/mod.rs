//! Observation of a running graph: its map, its measurements, and reports of both.
//!
//! Workers record into statistics of their own. The [`Monitor`] collects them at each tick and
//! report, as running sums; rates follow from two samples. This room imports the data plane, and
//! decides nothing: decisions belong to `control`.

mod blocked;
pub(crate) mod history;
mod metrics;
mod past_seconds;
pub(crate) mod report;
mod sample;
mod topology;

pub(crate) use blocked::{BlockedCause, BlockedFigures, PARKED};
pub(crate) use metrics::Export;
pub(crate) use past_seconds::{PastSeconds, Window};
use sample::DeferredSums;
pub(crate) use sample::{Sample, StageSums, TimeSum, between};
pub(crate) use topology::{Edge, MakeRunner, RunningPool, StagePlan, Topology};

use crate::config::{PoolIndex, Pools, Position, StageIndex, Stages};
use crate::event::request::RequestCounts;
use crate::gate::GateCounts;
use crate::monitor::blocked::BlockedSamples;
use crate::platform::sync::{Arc, Flaw, is_seeded};
use crate::platform::{ControlGroup, MachineTimes, Schedstat, Time};
use crate::pool::{StageFigures, WorkerStats, WorkerWindow};
use crate::stage::QueueFigures;
use std::collections::VecDeque;

/// The length of a report's window in ticks: one second at the default tick. It is long enough for
/// steady rates, and short enough to show the present.
const WINDOW_TICKS: usize = 10;

/// A worker under observation, and the readings of the last collection.
struct Watched {
    stats: Arc<WorkerStats>,
    pool: PoolIndex,
    /// Swapped with the worker's own window, so that it is read without the worker's lock.
    spare: WorkerWindow,
    schedstat: Option<Schedstat>,
    /// The running batch, whose time is counted before its end.
    ahead: Option<RunningBatch>,
}

/// A batch that runs: its stage's place in the pool, and its running time in nanoseconds.
#[derive(Clone, Copy)]
struct RunningBatch {
    place: usize,
    nanos: u64,
}

/// The workers of a pool that run an event, without those marked as stuck.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunningWorkers {
    pub(crate) count: usize,
    /// Nanoseconds that they have spent on their present events.
    pub(crate) nanos: u128,
}

/// The part of a budget that is in use, and the limit in force.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BudgetUse<N> {
    pub(crate) used: N,
    pub(crate) limit: N,
}

/// What the last seconds brought.
pub(crate) struct Recent {
    /// Samples at the ends of the last ticks, oldest first.
    past: VecDeque<Sample>,
    /// The last ten seconds.
    pub(crate) seconds: PastSeconds,
    pub(crate) group: ControlGroup,
    /// The pool of each stage.
    pools: Stages<PoolIndex>,
    /// What busy workers were blocked in.
    pub(crate) blocked: BlockedSamples,
}

/// All measurements up to the last collection.
pub(crate) struct Monitor {
    workers: Vec<Watched>,
    /// Figures since the graph began, and since the last tick.
    pub(crate) life: Stages<StageFigures>,
    pub(crate) tick: Stages<StageFigures>,
    /// The queues at the last collection, as one consistent cut.
    pub(crate) queues: Stages<QueueFigures>,
    /// Without the response times, which `now` has.
    pub(crate) requests: RequestCounts,
    /// The budget at that time, in events and in bytes.
    pub(crate) budget: BudgetUse<usize>,
    pub(crate) bytes: BudgetUse<u64>,
    /// The gates; `None` while admission is off.
    pub(crate) gates: Stages<Option<GateCounts>>,
    /// Workers of each pool, counted for the last time before the pool was stopped.
    live: Pools<usize>,
    /// The workers of each pool that ran an event at the last collection.
    pub(crate) running: Pools<RunningWorkers>,
    pub(crate) now: Sample,
    pub(crate) first: Sample,
    pub(crate) recent: Recent,
}

impl Monitor {
    pub(crate) fn new(topology: &Topology) -> Self {
        let stages = &topology.stages;
        let cpu = StageSums { cpu: Some(0), run_queue: Some(0), ..StageSums::default() };
        let sums = stages.map(|_, _| cpu.clone());
        let response = Arc::default();
        let first = Sample { at: topology.now(), stages: sums, response, reactors: 0 };
        let group =
            if topology.core.is_stepped() { ControlGroup::default() } else { ControlGroup::find() };
        let machine = machine_times(topology, &group);
        Self {
            recent: Recent {
                past: VecDeque::from([first.clone()]),
                seconds: PastSeconds::new(first.clone(), machine),
                group,
                pools: stages.map(|_, plan| plan.pool),
                blocked: BlockedSamples::default(),
            },
            workers: Vec::new(),
            life: stages.map(|_, _| StageFigures::default()),
            tick: stages.map(|_, _| StageFigures::default()),
            queues: stages.map(|_, _| QueueFigures::default()),
            requests: RequestCounts::default(),
            budget: BudgetUse::default(),
            bytes: BudgetUse::default(),
            gates: stages.map(|_, _| None),
            live: topology.pools.map(|_, _| 0),
            running: topology.pools.map(|_, _| RunningWorkers::default()),
            now: first.clone(),
            first,
        }
    }

    /// The sample at the beginning of the present tick.
    pub(crate) fn tick_start(&self) -> &Sample {
        self.recent.past.back().unwrap_or(&self.first)
    }

    /// The sample at the beginning of the report's window.
    pub(crate) fn window_start(&self) -> &Sample {
        self.recent.past.front().unwrap_or(&self.first)
    }

    /// Returns whether time has passed since the tick began, up to the last collection.
    ///
    /// If the clock has not advanced, the tick goes on, and its events count when it ends. If the
    /// clock was set back, the window starts over.
    pub(crate) fn has_length(&mut self) -> bool {
        let (began, now) = (self.tick_start().at, self.now.at);
        if now < began {
            self.recent.past.clear();
            self.recent.seconds = PastSeconds::new(self.now.clone(), MachineTimes::default());
            self.recent.past.push_back(self.now.clone());
            self.tick.iter_mut().for_each(StageFigures::clear);
        }
        began < now
    }

    /// Ends a tick: the sample joins the window.
    pub(crate) fn close_tick(&mut self, topology: &Topology, now: Time) {
        self.now.at = now;
        let start = self.recent.past.back().unwrap_or(&self.first);
        let sums = self.now.stages.iter_mut().zip(&start.stages).zip(&self.recent.pools);
        for ((sum, start), pool) in sums {
            let arrivals = sum.ledger.offered - start.ledger.offered;
            sum.windowed.ticks.count(arrivals, self.running[*pool].count);
        }
        self.recent.seconds.add(&self.tick);
        if self.recent.seconds.is_over(now) {
            topology.core.read_machine_cores();
            let machine = machine_times(topology, &self.recent.group);
            self.recent.seconds.begin(self.now.clone(), machine);
        }
        self.recent.past.push_back(self.now.clone());
        if self.recent.past.len() > WINDOW_TICKS {
            self.recent.past.pop_front();
        }
        self.tick.iter_mut().for_each(StageFigures::clear);
    }

    /// Collects a consistent cut through all stages, and everything that workers recorded.
    pub(crate) fn collect(&mut self, topology: &Topology, now: Time) {
        let elapsed = now.nanos_since(self.now.at);
        self.track(topology);
        self.cut(topology, now);
        // Worker time of every pool: its workers times the time since the last collection.
        self.count_workers(topology);
        let mut sums = self.now.stages.clone();
        let mut reactors = self.now.reactors;
        for (plan, sum) in topology.stages.iter().zip(&mut sums) {
            sum.workers += u128::from(elapsed) * self.live[plan.pool] as u128;
        }
        // The workers' own records.
        for worker in &mut self.workers {
            let figures = worker.read(topology, now, &mut sums, &mut reactors);
            for (stage, figures) in figures {
                self.life[stage].add(figures);
                self.tick[stage].add(figures);
                figures.clear();
            }
        }
        self.count_running(topology);
        // The state of the queues, as cut.
        for (stage, sum) in topology.stages.indices().zip(&mut sums) {
            let (queue, life) = (&self.queues[stage], &self.life[stage]);
            sum.ledger = queue.total();
            sum.depth = queue.depth;
            sum.empty = queue.empty_nanos;
            sum.windowed.occupancy = queue.occupancy;
            sum.deferred = DeferredSums {
                times: TimeSum::of(&queue.deferred.times),
                threads: queue.deferred.threads,
            };
            sum.wait = TimeSum::of(&life.wait);
            sum.service = TimeSum::of(&life.service);
            sum.windowed.room_wait = life.room_wait;
            sum.windowed.edges.clone_from(&queue.edges);
            sum.windowed.shards.clone_from(&queue.shards);
            sum.gate = self.gates[stage].unwrap_or(sum.gate);
        }
        let response = Arc::new(std::mem::take(&mut self.requests.response));
        self.now = Sample { at: now, stages: sums, response, reactors };
        self.forget(topology);
    }

    /// True if workers were blocked for a part of the report's window: a tenth of one worker's
    /// time or more. Only then does a look at their system calls tell anything.
    pub(crate) fn has_blocked_workers(&self) -> bool {
        let then = self.window_start();
        let nanos = self.now.at.nanos_since(then.at);
        let blocked = then.stages.iter().zip(&self.now.stages);
        let blocked: u64 = blocked.map(|(then, now)| now.blocked_since(then).unwrap_or(0)).sum();
        blocked > nanos / 10
    }

    /// Returns how many workers a pool has, or had before it was stopped.
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

    fn count_running(&mut self, topology: &Topology) {
        self.running = topology.pools.map(|_, _| RunningWorkers::default());
        for worker in self.workers.iter().filter(|worker| !worker.stats.is_marked_stuck()) {
            if let Some(batch) = worker.ahead {
                let running = &mut self.running[worker.pool];
                running.count += 1;
                running.nanos += u128::from(batch.nanos);
            }
        }
    }

    /// Begins to watch workers that were added since the last collection.
    fn track(&mut self, topology: &Topology) {
        for (pool, RunningPool { core, stages }) in topology.pools.entries() {
            for stats in core.workers() {
                if !self.workers.iter().any(|watched| Arc::ptr_eq(&watched.stats, &stats)) {
                    let spare = WorkerWindow::new(stages.len());
                    self.workers.push(Watched { stats, pool, spare, schedstat: None, ahead: None });
                }
            }
        }
    }

    /// Takes a consistent cut. With the statistics of all workers locked, no batch is half
    /// recorded. With the lanes of all stages locked, no event enters or leaves a stage. So the
    /// ledgers balance, also across stages and with the budget.
    fn cut(&mut self, topology: &Topology, now: Time) {
        let core = &topology.core;
        let mut held: Vec<_> =
            self.workers.iter_mut().map(|w| (w.stats.window.lock(), &mut w.spare)).collect();
        let Cut { queues, used, bytes } = cut_through(topology, now);
        self.queues = queues;
        self.budget = BudgetUse { used, limit: core.budget.bound(used) };
        let bytes = if is_seeded(Flaw::BytesReadLate) { core.bytes.used() } else { bytes };
        // A limit that was set below the use binds only once the use has fallen.
        self.bytes = BudgetUse { used: bytes, limit: core.bytes.limit().max(bytes) };
        self.requests = core.requests();
        self.gates = topology.stages.map(|stage, _| core.admission.figures(stage.get()));
        for (window, spare) in &mut held {
            std::mem::swap::<WorkerWindow>(window, spare);
        }
    }

    /// Forgets workers that are gone. Their last records were just collected.
    fn forget(&mut self, topology: &Topology) {
        self.workers.retain(|watched| {
            let gone = watched.stats.is_gone();
            if gone {
                topology.pools[watched.pool].core.forget(&watched.stats);
            }
            !gone
        });
    }
}

impl Watched {
    /// Adds the worker's time to the `sums` of its stages, split into time on a core, waiting for
    /// one and the rest, and that of a hosted worker's thread outside stages to `reactors`. Returns
    /// its figures since the last collection, by stage.
    fn read<'a>(
        &'a mut self,
        topology: &'a Topology,
        now: Time,
        sums: &mut Stages<StageSums>,
        reactors: &mut u64,
    ) -> impl Iterator<Item = (StageIndex, &'a mut StageFigures)> + use<'a> {
        let running = self.stats.running();
        let ahead =
            running.map(|(place, since)| RunningBatch { place, nanos: now.nanos_since(since) });
        let before = std::mem::replace(&mut self.ahead, ahead);
        let places = self.spare.stages.iter().enumerate();
        let busy: Vec<u64> = places
            .map(|(place, f)| (f.busy + at(ahead, place)).saturating_sub(at(before, place)))
            .collect();
        let RunningPool { core, stages } = &topology.pools[self.pool];
        // The thread of a worker without events slept: its times count with its next events. That
        // of a reactor serves sockets.
        let slept = !core.hosted && self.schedstat.is_some() && busy.iter().all(|busy| *busy == 0);
        let schedstat = if slept { self.schedstat } else { self.stats.schedstat() };
        let earlier = self.schedstat.or_else(|| self.stats.first_schedstat());
        let spent = schedstat.zip(earlier).map(|(now, then)| now.since(then));
        self.schedstat = schedstat;
        let all: u64 = busy.iter().sum::<u64>().max(1);
        // A reactor's thread also serves its sockets. Its time is split in proportion, so that the
        // parts never exceed the whole.
        let whole = spent.map_or(all, |spent| all.max(spent.cpu + spent.run_queue));
        if let Some(spent) = spent.filter(|_| core.hosted) {
            let inside: u64 = busy.iter().map(|busy| share(spent.cpu, *busy, whole)).sum();
            *reactors += spent.cpu.saturating_sub(inside);
        }
        for (stage, busy) in stages.iter().zip(busy) {
            let sum = &mut sums[*stage];
            sum.busy += busy;
            // A new worker has no earlier reading: its first tick is not split.
            if let Some(spent) = spent {
                sum.split += busy;
                sum.cpu = sum.cpu.map(|cpu| cpu + share(spent.cpu, busy, whole));
                sum.run_queue =
                    sum.run_queue.map(|wait| wait + share(spent.run_queue, busy, whole));
            } else if busy > 0 && !self.stats.is_split() {
                (sum.cpu, sum.run_queue) = (None, None);
            }
        }
        stages.iter().copied().zip(&mut self.spare.stages)
    }
}

/// Returns the times of the machine; unknown in a graph without threads, which is not of the
/// machine's time.
fn machine_times(topology: &Topology, group: &ControlGroup) -> MachineTimes {
    if topology.core.is_stepped() {
        return MachineTimes::default();
    }
    MachineTimes::read(group)
}

/// Returns how long a batch has run if its stage is at `place`, else zero.
fn at(batch: Option<RunningBatch>, place: usize) -> u64 {
    batch.filter(|batch| batch.place == place).map_or(0, |batch| batch.nanos)
}

/// Returns the part of `nanos` in proportion to `busy` of the `whole`.
fn share(nanos: u64, busy: u64, whole: u64) -> u64 {
    (u128::from(nanos) * u128::from(busy) / u128::from(whole)) as u64
}

/// A consistent cut: all queues, and the budget in use at that time, in events and in bytes.
struct Cut {
    queues: Stages<QueueFigures>,
    used: usize,
    bytes: u64,
}

/// Locks all stages and takes their figures. An event is charged before it enters and credited
/// after it has left, so the budget in use is never below the events inside.
fn cut_through(topology: &Topology, now: Time) -> Cut {
    // The guards are on the heap, because nested locks would need a stack frame for each stage.
    let mut held = Vec::with_capacity(topology.stages.len());
    let queues = topology.stages.map(|_, plan| {
        let (figures, guard) = plan.core.cut(now);
        held.push(guard);
        figures
    });
    Cut { queues, used: topology.core.budget.used(), bytes: topology.core.bytes.used() }
}
