//! Workers and cores: who runs, who is blocked, who is idle.
//!
//! Every worker is in one of these: idle in its pool's list; with a burst on the cores; blocked
//! until a moment. Whoever sends something touches the target's pools; [`Machine::settle`] gives
//! idle workers of touched pools a turn until one finds nothing: so none idles beside work.

use crate::base::rng::{Dice, Use};
use crate::base::time::nanos;
use crate::model::build::Built;
use crate::model::cores::Cores;
use crate::model::job::{Foreseen, Touched};
use crate::spec::{Fault, Spec};
use seda_core::{Begun, Manual, Report, Worker};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What a queue's events ask for.
#[derive(Debug)]
struct Queue {
    demand: crate::spec::Demand,
    cpu_share: f64,
    dice: Dice,
    /// From, to, factor.
    slow: Vec<(u64, u64, f64)>,
    /// From, to.
    stalls: Vec<(u64, u64)>,
}

struct Place {
    worker: Worker,
    pool: usize,
    burst: Option<Burst>,
}

/// A batch on the cores.
#[derive(Clone, Copy, Debug)]
struct Burst {
    work: f64,
    blocked: u64,
    since: u64,
    /// Virtual time of the cores at its beginning.
    given: f64,
    /// What the worker was credited for it so far: work, and waiting for a core.
    credited: (u64, u64),
}

/// A batch's demand ends at a hundred years: slow faults multiply, and a product of many is infinite.
const LONGEST: f64 = 3.2e18;

/// A refusal's burst belongs to no worker.
const NOBODY: usize = usize::MAX;

pub(crate) struct Machine {
    graph: Manual,
    cores: Cores,
    queues: Vec<Queue>,
    places: Vec<Option<Place>>,
    free: Vec<usize>,
    idle: Vec<Vec<usize>>,
    pools: HashMap<String, usize>,
    touched: Arc<Touched>,
    /// Taken from `touched`, in order of declaration.
    unsettled: Vec<usize>,
    foreseen: Arc<Foreseen>,
    /// Workers that are blocked, and until when.
    blocked: BinaryHeap<Reverse<(u64, u64, usize)>>,
    numbered: u64,
    /// Batches that were completed.
    pub(crate) completed: u64,
}

impl Machine {
    pub(crate) fn new(spec: &Spec, seed: u64, built: Built) -> Self {
        let queue = |(stage, name): &(usize, String)| {
            let stage = spec.stages.get(*stage)?;
            Some(Queue::new(spec, stage, name))
        };
        let mut queues: Vec<Queue> = built.queues.iter().filter_map(queue).collect();
        for (number, queue) in queues.iter_mut().enumerate() {
            queue.dice = Dice::new(seed, Use::Demand(number));
        }
        let mut machine = Self {
            graph: built.graph,
            cores: Cores::new(spec.cores),
            queues,
            places: Vec::new(),
            free: Vec::new(),
            idle: vec![Vec::new(); built.pools.len()],
            pools: built.pools,
            touched: built.touched,
            unsettled: Vec::new(),
            foreseen: built.foreseen,
            blocked: BinaryHeap::new(),
            numbered: 0,
            completed: 0,
        };
        machine.take_on();
        machine
    }

    /// When the next batch, or a part of one, ends.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let blocked = self.blocked.peek().map(|Reverse((at, ..))| *at);
        self.cores.next_end().into_iter().chain(blocked).min()
    }

    /// Ends what ends at `now`.
    pub(crate) fn act(&mut self, now: u64) {
        while let Some(index) = self.cores.take_ended(now) {
            let Some(place) = self.places.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            let Some(burst) = place.burst.take() else {
                continue;
            };
            burst.settled(now).credit(&place.worker);
            if burst.blocked > 0 {
                self.block(index, now.saturating_add(burst.blocked));
            } else {
                self.complete(index);
            }
        }
        while let Some(Reverse((_, _, index))) =
            self.blocked.peek().copied().filter(|Reverse((at, ..))| *at <= now)
        {
            self.blocked.pop();
            self.complete(index);
        }
    }

    /// A refusal takes `work` nanoseconds of a core.
    pub(crate) fn refuse(&mut self, now: u64, work: f64) {
        if work > 0.0 {
            self.cores.begin(now, NOBODY, work);
        }
    }

    /// Something was sent into these pools.
    pub(crate) fn touch(&self, pools: &[usize]) {
        pools.iter().for_each(|pool| self.touched.touch(*pool));
    }

    /// Gives idle workers of touched pools turns until they find nothing.
    pub(crate) fn settle(&mut self, now: u64) {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        self.touched.take(&mut unsettled);
        for pool in unsettled.drain(..) {
            while self.begin_one(pool, now) {}
        }
        self.unsettled = unsettled;
    }

    /// One tick of the graph's controllers.
    pub(crate) fn tick(&mut self, now: u64) {
        self.credit_running(now);
        self.graph.tick();
        self.take_on();
        // Pools may have shrunk: those that are too many retire when they are given a turn.
        for pool in 0..self.idle.len() {
            let idle = std::mem::take(self.idle.get_mut(pool).unwrap_or(&mut Vec::new()));
            for index in idle {
                self.begin(index, pool, now);
            }
        }
    }

    /// What workers are in the midst of counts so far, as a kernel would say: to be called before
    /// anybody looks.
    fn credit_running(&mut self, now: u64) {
        let given = self.cores.given(now);
        for place in self.places.iter_mut().flatten() {
            if let Some(burst) = &mut place.burst {
                let credit = burst.so_far(now, given);
                credit.credit(&place.worker);
                burst.credited.0 += credit.cpu;
                burst.credited.1 += credit.run_queue;
            }
        }
    }

    /// Tells the owners of events that the valve evicted.
    pub(crate) fn tell_owners(&mut self) {
        self.graph.tell_owners();
    }

    pub(crate) fn report(&mut self, now: u64) -> Report {
        self.credit_running(now);
        self.graph.report()
    }

    /// Core-seconds of work done until `now`.
    pub(crate) fn work_done(&mut self, now: u64) -> f64 {
        self.cores.done(now) / 1e9
    }

    /// Takes workers over that were hired since.
    fn take_on(&mut self) {
        for worker in self.graph.take_workers() {
            let pool = self.pools.get(worker.pool()).copied().unwrap_or(0);
            // From its first moment on its time is what the simulation says.
            worker.credit(Duration::ZERO, Duration::ZERO);
            let place = Some(Place { worker, pool, burst: None });
            let index = match self.free.pop() {
                Some(index) => {
                    if let Some(free) = self.places.get_mut(index) {
                        *free = place;
                    }
                    index
                }
                None => {
                    self.places.push(place);
                    self.places.len() - 1
                }
            };
            self.make_idle(index, pool);
        }
    }

    fn make_idle(&mut self, index: usize, pool: usize) {
        if let Some(idle) = self.idle.get_mut(pool) {
            idle.push(index);
        }
        self.touched.touch(pool);
    }

    /// Gives one idle worker of a pool a turn; false if it found nothing.
    fn begin_one(&mut self, pool: usize, now: u64) -> bool {
        match self.idle.get_mut(pool).and_then(Vec::pop) {
            Some(index) => self.begin(index, pool, now),
            None => false,
        }
    }

    fn begin(&mut self, index: usize, pool: usize, now: u64) -> bool {
        let Some(place) = self.places.get_mut(index).and_then(Option::as_mut) else {
            return true;
        };
        match place.worker.begin() {
            Begun::Batch { stage, events } => {
                let foreseen = self.foreseen.take();
                let (work, blocked) = match self.queues.get_mut(stage) {
                    Some(queue) => queue.draw(events, foreseen, now),
                    None => (0.0, 0),
                };
                if work > 0.0 {
                    let given = self.cores.begin(now, index, work);
                    let credited = (0, 0);
                    place.burst = Some(Burst { work, blocked, since: now, given, credited });
                } else {
                    self.block(index, now.saturating_add(blocked));
                }
                true
            }
            Begun::Idle(_) => {
                if let Some(idle) = self.idle.get_mut(pool) {
                    idle.push(index);
                }
                false
            }
            Begun::Retired => {
                if let Some(place) = self.places.get_mut(index) {
                    *place = None;
                }
                self.free.push(index);
                true
            }
        }
    }

    fn block(&mut self, index: usize, until: u64) {
        self.blocked.push(Reverse((until, self.numbered, index)));
        self.numbered += 1;
    }

    fn complete(&mut self, index: usize) {
        let Some(place) = self.places.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        place.worker.complete();
        self.completed += 1;
        let pool = place.pool;
        self.make_idle(index, pool);
    }
}

impl Queue {
    fn new(spec: &Spec, stage: &crate::spec::StageSpec, name: &str) -> Self {
        let is_this = |of: &String| *of == *name || *of == stage.name;
        let (mut slow, mut stalls) = (Vec::new(), Vec::new());
        for fault in &spec.faults {
            match fault {
                Fault::Slow { stage, factor, from, to } if is_this(stage) => {
                    slow.push((nanos(*from), to.map_or(u64::MAX, nanos), *factor));
                }
                Fault::Stall { stage, at, length } if is_this(stage) => {
                    stalls.push((nanos(*at), nanos(at.saturating_add(*length))));
                }
                _ => {}
            }
        }
        let dice = Dice::new(0, Use::Demand(0));
        let (demand, cpu_share) = (stage.demand.clone(), stage.cpu_share);
        Self { demand, cpu_share, dice, slow, stalls }
    }

    /// Work for a core, and blocked time behind it, of a batch; in nanoseconds. What was foreseen
    /// of it is not drawn.
    fn draw(&mut self, events: usize, foreseen: u64, now: u64) -> (f64, u64) {
        let drawn: f64 = (0..events).map(|_| self.demand.draw(&mut self.dice)).sum();
        let mut demand = drawn + foreseen as f64;
        let on = |from: u64, to: u64| from <= now && now < to;
        for (from, to, factor) in &self.slow {
            if on(*from, *to) {
                demand *= factor;
            }
        }
        let stalls = self.stalls.iter().filter(|(from, to)| events > 0 && on(*from, *to));
        let stalled = stalls.map(|(_, to)| to - now).max().unwrap_or(0);
        let demand = demand.min(LONGEST);
        let work = demand * self.cpu_share;
        (work, ((demand - work).round() as u64).saturating_add(stalled))
    }
}

/// Time to be credited, in nanoseconds.
struct Credit {
    cpu: u64,
    run_queue: u64,
}

impl Burst {
    /// What is owed when it has ended.
    fn settled(&self, now: u64) -> Credit {
        self.owed(now, self.work)
    }

    /// What is owed while it goes on.
    fn so_far(&self, now: u64, given: f64) -> Credit {
        self.owed(now, (given - self.given).clamp(0.0, self.work))
    }

    fn owed(&self, now: u64, work: f64) -> Credit {
        let wall = now.saturating_sub(self.since);
        let cpu = (work.round() as u64).min(wall);
        let run_queue = wall - cpu;
        Credit {
            cpu: cpu.saturating_sub(self.credited.0),
            run_queue: run_queue.saturating_sub(self.credited.1),
        }
    }
}

impl Credit {
    fn credit(&self, worker: &Worker) {
        worker.credit(Duration::from_nanos(self.cpu), Duration::from_nanos(self.run_queue));
    }
}
