//! What the control plane knows: the workers' books, collected on the tick, as running sums.

mod metrics;
pub(crate) mod report;
mod topology;

pub(crate) use topology::{Edge, MakeRunner};

pub(crate) use topology::{Engine, MakeLaw, PoolPlan, RunningPool, StagePlan, StagePolicies};

use crate::config::PerClass;
use crate::control::pool_size::PoolObservation;
use crate::event::request::RequestCounts;
use crate::gate::GateCounts;
use crate::platform::sync::{Arc, Flaw, is_seeded};
use crate::platform::{Schedstat, Time};
use crate::pool::{PoolCore, StageFigures, WorkerStats, WorkerWindow};
use crate::queue::ClassLedger;
use crate::stage::QueueFigures;
use crate::stats::Quantiles;
use std::collections::VecDeque;

/// How many ticks a report's window spans: a second at the default tick, long enough for rates
/// that do not jump, short enough to show what is going on.
const WINDOW_TICKS: usize = 10;

/// Sums over one stage since the graph began.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageSums {
    pub(crate) ledger: ClassLedger,
    pub(crate) depth: usize,
    /// Nanoseconds in which workers ran it, the running batch included.
    pub(crate) busy: u64,
    /// Of `busy`: on a core, and waiting for one; `None` if the kernel does not tell.
    pub(crate) cpu: Option<u64>,
    pub(crate) run_queue: Option<u64>,
    pub(crate) wait: (u128, u64),
    /// Of deferred events, from being taken to being completed.
    pub(crate) deferred: (u128, u64),
    pub(crate) gate: GateCounts,
    pub(crate) service: (u128, u64),
    pub(crate) occupancy: u128,
    /// Worker-nanoseconds that its pool had.
    pub(crate) workers: u128,
}

/// All stages' sums at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) at: Time,
    pub(crate) stages: Vec<StageSums>,
    /// Response times since the graph began, by class.
    pub(crate) response: PerClass<Quantiles>,
}

/// A worker's book, with what was seen in it before.
struct Watched {
    book: Arc<WorkerStats>,
    pool: usize,
    /// Swapped with the worker's own, to be read in peace.
    spare: WorkerWindow,
    schedstat: Option<Schedstat>,
    /// Time of a running batch that was counted before its end.
    ahead: Option<(usize, u64)>,
}

pub(crate) struct Monitor {
    workers: Vec<Watched>,
    /// Since the graph began, and since the last tick.
    pub(crate) life: Vec<StageFigures>,
    pub(crate) tick: Vec<StageFigures>,
    /// The cut of the last collection.
    pub(crate) queues: Vec<QueueFigures>,
    pub(crate) requests: RequestCounts,
    /// The budget in use at that moment, and its bound.
    pub(crate) budget: (usize, usize),
    /// The same in bytes.
    pub(crate) bytes: (u64, u64),
    /// The gates, while they count.
    pub(crate) gates: Vec<Option<GateCounts>>,
    /// How many workers each pool had at the last look, while it was not being ended.
    live: Vec<usize>,
    pub(crate) now: Sample,
    pub(crate) first: Sample,
    pub(crate) past: VecDeque<Sample>,
}

impl Monitor {
    pub(crate) fn new(stages: usize, now: Time) -> Self {
        let figures = || (0..stages).map(|_| StageFigures::default()).collect();
        let cpu = StageSums { cpu: Some(0), run_queue: Some(0), ..StageSums::default() };
        let response = PerClass::default();
        let first = Sample { at: now, stages: vec![cpu; stages], response };
        Self {
            workers: Vec::new(),
            life: figures(),
            tick: figures(),
            queues: vec![QueueFigures::default(); stages],
            requests: RequestCounts::default(),
            budget: (0, 0),
            bytes: (0, 0),
            gates: vec![None; stages],
            live: Vec::new(),
            now: first.clone(),
            past: VecDeque::from([first.clone()]),
            first,
        }
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
        let (began, now) = (self.past.back().unwrap_or(&self.first).at, self.now.at);
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
    pub(crate) fn collect(&mut self, engine: &Engine, now: Time) {
        let elapsed = now.nanos_since(self.now.at);
        self.track(engine);
        self.cut(engine, now);
        let mut sums = std::mem::take(&mut self.now.stages);
        self.count_workers(engine);
        for (plan, sum) in engine.stages.iter().zip(&mut sums) {
            sum.workers += u128::from(elapsed) * self.live(plan.pool) as u128;
        }
        for worker in 0..self.workers.len() {
            self.read(worker, engine, now, &mut sums);
        }
        for ((sum, queue), life) in sums.iter_mut().zip(&self.queues).zip(&self.life) {
            sum.ledger = queue.total();
            sum.depth = queue.depth;
            sum.occupancy = queue.occupancy;
            let deferred = &queue.deferred_service;
            sum.deferred = (deferred.total_nanos(), deferred.count());
            sum.wait = (life.wait.total_nanos(), life.wait.count());
            sum.service = (life.service.total_nanos(), life.service.count());
        }
        for (sum, gate) in sums.iter_mut().zip(&self.gates) {
            sum.gate = gate.unwrap_or(sum.gate);
        }
        let response = self.requests.response.clone();
        self.now = Sample { at: now, stages: sums, response };
        self.forget(engine);
    }

    /// How many workers a pool has, or had before it was ended.
    pub(crate) fn live(&self, pool: usize) -> usize {
        self.live.get(pool).copied().unwrap_or(0)
    }

    fn count_workers(&mut self, engine: &Engine) {
        self.live.resize(engine.pools.len(), 0);
        for (live, pool) in self.live.iter_mut().zip(&engine.pools) {
            if !pool.core.is_stopping() {
                *live = pool.core.live();
            }
        }
    }

    /// Notes workers that were hired since.
    fn track(&mut self, engine: &Engine) {
        for (pool, RunningPool { core, stages }) in engine.pools.iter().enumerate() {
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
    fn cut(&mut self, engine: &Engine, now: Time) {
        let mut held: Vec<_> =
            self.workers.iter_mut().map(|w| (w.book.window.lock(), &mut w.spare)).collect();
        self.queues.clear();
        let (used, bytes) = cut_through(engine, now, &mut self.queues);
        self.budget = (used, engine.core.budget.bound(used));
        let bytes = if is_seeded(Flaw::BytesReadLate) { engine.core.bytes.used() } else { bytes };
        // Above a limit that was set lower, what is there stays.
        self.bytes = (bytes, engine.core.bytes.limit().max(bytes));
        self.requests = engine.core.requests();
        self.gates =
            (0..engine.stages.len()).map(|stage| engine.core.admission.figures(stage)).collect();
        for (window, spare) in &mut held {
            std::mem::swap::<WorkerWindow>(window, spare);
        }
    }

    /// Adds what one worker wrote down, and splits its time by what the kernel says.
    fn read(&mut self, worker: usize, engine: &Engine, now: Time, sums: &mut [StageSums]) {
        let Some(watched) = self.workers.get_mut(worker) else {
            return;
        };
        let Some(pool) = engine.pools.get(watched.pool) else {
            return;
        };
        let ahead = watched.book.running().map(|(place, since)| (place, now.nanos_since(since)));
        let before = std::mem::replace(&mut watched.ahead, ahead);
        let of = |ahead: Option<(usize, u64)>, place| {
            ahead.filter(|(at, _)| *at == place).map_or(0, |(_, nanos)| nanos)
        };
        let busy: Vec<u64> = watched
            .spare
            .stages
            .iter()
            .enumerate()
            .map(|(place, f)| (f.busy + of(ahead, place)).saturating_sub(of(before, place)))
            .collect();
        let schedstat = watched.book.schedstat();
        let earlier = watched.schedstat.or_else(|| watched.book.first_schedstat());
        let spent = schedstat.zip(earlier).map(|(now, then)| now.since(then));
        watched.schedstat = schedstat;
        let all: u64 = busy.iter().sum::<u64>().max(1);
        for ((place, stage), figures) in
            pool.stages.iter().enumerate().zip(&mut watched.spare.stages)
        {
            for kept in [self.life.get_mut(*stage), self.tick.get_mut(*stage)].into_iter().flatten()
            {
                kept.add(figures);
            }
            figures.clear();
            let Some(sum) = sums.get_mut(*stage) else {
                continue;
            };
            let busy = busy.get(place).copied().unwrap_or(0);
            sum.busy += busy;
            // A reactor's thread is on a core for its sockets, too: then the thread's time is
            // split in proportion, and the parts never exceed the whole.
            let whole = spent.map_or(all, |spent| all.max(spent.cpu + spent.run_queue));
            let share =
                |nanos: u64| (u128::from(nanos) * u128::from(busy) / u128::from(whole)) as u64;
            // A worker that has just begun has no earlier reading: its first tick is not split.
            if let Some(spent) = spent {
                sum.cpu = sum.cpu.map(|cpu| cpu + share(spent.cpu));
                sum.run_queue = sum.run_queue.map(|wait| wait + share(spent.run_queue));
            } else if busy > 0 && !watched.book.is_split() {
                (sum.cpu, sum.run_queue) = (None, None);
            }
        }
    }

    /// Forgets workers that are gone; what they wrote was just read.
    fn forget(&mut self, engine: &Engine) {
        self.workers.retain(|watched| {
            let gone = watched.book.is_gone();
            if let Some(pool) = engine.pools.get(watched.pool).filter(|_| gone) {
                pool.core.forget(&watched.book);
            }
            !gone
        });
    }

    /// A pool over the last tick; `None` before the first.
    pub(crate) fn observe_pool(&self, engine: &Engine, index: usize) -> Option<PoolObservation> {
        let RunningPool { core, stages } = engine.pools.get(index)?;
        let then = self.past.back()?;
        let seconds = self.now.at.since(then.at).as_secs_f64();
        let mut seen = pool_as_it_is(core, seconds, engine.core.cores());
        let (mut wait, mut busy, mut cpu, mut run_queue) = ((0, 0), 0, Some(0), Some(0));
        let (mut service, mut workers) = ((0_u128, 0_u64), 0);
        for stage in stages {
            let (now, then) = (self.now.stages.get(*stage)?, then.stages.get(*stage)?);
            seen.queued += now.depth;
            seen.arrived += now.ledger.accepted - then.ledger.accepted;
            seen.completed += now.ledger.ended() - then.ledger.ended();
            wait = (wait.0 + now.wait.0 - then.wait.0, wait.1 + now.wait.1 - then.wait.1);
            busy += now.busy - then.busy;
            cpu = cpu.zip(between(then.cpu, now.cpu)).map(|(sum, n)| sum + n);
            run_queue =
                run_queue.zip(between(then.run_queue, now.run_queue)).map(|(sum, n)| sum + n);
            let tick = (now.service.0 - then.service.0, now.service.1 - then.service.1);
            // What was served lately; what was ever served if nothing was.
            let recent = if tick.1 > 0 { tick } else { now.service };
            service = (service.0 + recent.0, service.1 + recent.1);
            workers = now.workers - then.workers;
        }
        seen.wait_seconds = ratio(wait.0, wait.1) / 1e9;
        seen.service_seconds = (service.1 > 0).then(|| ratio(service.0, service.1) / 1e9);
        seen.utilization = if workers > 0 { busy as f64 / workers as f64 } else { 0.0 };
        let of_busy = |part: Option<u64>| part.filter(|_| busy > 0).map(|p| p as f64 / busy as f64);
        (seen.cpu_share, seen.run_queue_share) = (of_busy(cpu), of_busy(run_queue));
        Some(seen)
    }
}

/// Takes the figures of all stages with all of them held; returns the budget in use meanwhile, in
/// events and in bytes. An event is charged before it enters and credited after it has left, so
/// never less than inside.
fn cut_through(engine: &Engine, now: Time, queues: &mut Vec<QueueFigures>) -> (usize, u64) {
    // On the heap: held one inside the other they would need a stack frame for each stage.
    let mut held = Vec::with_capacity(engine.stages.len());
    for plan in &engine.stages {
        let (figures, guard) = plan.core.cut(now);
        queues.push(figures);
        held.push(guard);
    }
    (engine.core.budget.used(), engine.core.bytes.used())
}

fn pool_as_it_is(core: &PoolCore, seconds: f64, cores: usize) -> PoolObservation {
    let range = core.range();
    PoolObservation {
        seconds,
        workers: core.target(),
        min: range.min,
        max: range.max,
        cores,
        ..PoolObservation::default()
    }
}

/// What was added between two readings, if both are known.
pub(crate) fn between(then: Option<u64>, now: Option<u64>) -> Option<u64> {
    now.zip(then).map(|(now, then)| now.saturating_sub(then))
}

fn ratio(total: u128, count: u64) -> f64 {
    if count > 0 { total as f64 / count as f64 } else { 0.0 }
}
