//! The order in which workers, batches, cheaper answers, refusals and the valve act under overload.
//! On the manual clock, with services that overlap as if each worker had a core of its own.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{assert_balanced, class};
use seda_core::{
    Begun, Clock, Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, Responder,
    ResponseReceiver, SendOptions, SloConfig, Source, StageConfig, Time, Worker, WorkerRange,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const TICK: u64 = 100_000_000;
/// The service times of a rich and a cheap answer, in nanoseconds: four workers give 400 rich or
/// 600 cheap answers in a second.
const RICH: u64 = 10_000_000;
const CHEAP: u64 = 6_600_000;
/// The time of the step in load, in seconds, and the rate after it: more than all workers can do.
const STEP: f64 = 10.0;
const RATE: f64 = 700.0;
/// Fewer than would wait without refusals, and more than an SLO of 200 ms lets wait.
const BUDGET: usize = 300;

type Job = Responder<()>;

struct Plant {
    graph: Manual,
    clock: Arc<ManualClock>,
    source: Source<Job>,
    /// The service of the next answer, set by each handler from the pressure that it sees.
    takes: Arc<AtomicU64>,
    idle: Vec<Worker>,
    /// The busy workers, and the end of their service.
    busy: Vec<(u64, Worker)>,
    tickets: Vec<ResponseReceiver<()>>,
    random: u64,
    sent: u64,
    /// The first action of each, in seconds since the step.
    first: BTreeMap<&'static str, f64>,
    /// The pool's size and the gate's limit at each tick since the step.
    sizes: Vec<f64>,
    limits: Vec<f64>,
}

fn plant(admission: Mode) -> Plant {
    let mut graph = Graph::new("order");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    graph.cores(4);
    let page = graph.stage::<Job>("page", 4_096);
    let takes = Arc::new(AtomicU64::new(RICH));
    let says = Arc::clone(&takes);
    graph
        .attach_each(page, |_wire| {
            move |reply: Job, cx: &mut Context| {
                let next = if cx.pressure() < 0.5 { RICH } else { CHEAP };
                says.store(next, Ordering::Relaxed);
                reply.respond(());
            }
        })
        .unwrap();
    let workers = Some(WorkerRange::new(1, 4));
    graph.configure(page, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let mut config = GraphConfig { budget: Some(BUDGET), ..GraphConfig::default() };
    config.slo = SloConfig::new(Duration::from_millis(200));
    config.control.admission = admission;
    graph.apply(config).unwrap();
    let source = graph.source(page).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let idle = graph.take_workers();
    Plant {
        graph,
        clock,
        source,
        takes,
        idle,
        busy: Vec::new(),
        tickets: Vec::new(),
        random: 0x9E37_79B9_7F4A_7C15,
        sent: 0,
        first: BTreeMap::new(),
        sizes: Vec::new(),
        limits: Vec::new(),
    }
}

impl Plant {
    /// Sends Poisson arrivals until `end`.
    fn run(&mut self, per_second: f64, end: f64) {
        let end = (end * 1e9) as u64;
        let mut arrival = self.now() + self.gap(per_second);
        let mut tick = (self.now() / TICK + 1) * TICK;
        loop {
            let done = self.busy.iter().map(|(until, _)| *until).min().unwrap_or(u64::MAX);
            let now = done.min(arrival).min(tick);
            if now >= end {
                return self.clock.advance_to(Time::from_nanos(end));
            }
            self.clock.advance_to(Time::from_nanos(now));
            if done == now {
                self.complete(now);
            } else if arrival == now {
                self.arrive(now);
                arrival = now + self.gap(per_second);
            } else {
                self.tick(now);
                tick = now + TICK;
            }
            self.begin(now);
        }
    }

    fn now(&self) -> u64 {
        self.clock.now().as_nanos()
    }

    fn gap(&mut self, per_second: f64) -> u64 {
        // xorshift64*, and the inverse of the exponential distribution.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let uniform = (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64;
        (-(1.0 - uniform / (1_u64 << 53) as f64).ln() / per_second * 1e9) as u64
    }

    fn complete(&mut self, now: u64) {
        let place = self.busy.iter().position(|(until, _)| *until == now).unwrap();
        let (_, mut worker) = self.busy.swap_remove(place);
        worker.complete();
        if self.takes.load(Ordering::Relaxed) == CHEAP {
            self.acted("cheaper answers", now);
        }
        self.idle.push(worker);
    }

    /// Sends a request; every fifth is gold.
    fn arrive(&mut self, now: u64) {
        let terms = if self.sent.is_multiple_of(5) { SendOptions::default() } else { class(1) };
        self.sent += 1;
        match self.source.with_options(terms).request(|reply| reply) {
            Ok(ticket) => self.tickets.push(ticket),
            Err(_) => self.acted("refusals", now),
        }
        self.graph.tell_owners();
    }

    fn begin(&mut self, now: u64) {
        for mut worker in std::mem::take(&mut self.idle) {
            match worker.begin() {
                Begun::Batch { events, .. } => {
                    let takes = self.takes.load(Ordering::Relaxed) * events as u64;
                    self.busy.push((now + takes, worker));
                }
                Begun::Idle(_) => self.idle.push(worker),
                Begun::Retired => {}
            }
        }
    }

    fn tick(&mut self, now: u64) {
        self.graph.tick();
        self.idle.extend(self.graph.take_workers());
        let report = self.graph.report();
        assert_balanced(&report);
        let page = &report.stages[0];
        if now as f64 / 1e9 >= STEP {
            self.sizes.push(page.workers.now as f64);
            self.limits.extend(page.gate.as_ref().and_then(|gate| gate.limit).map(|n| n as f64));
        }
        for entry in report.journal.iter().filter(|entry| entry.at_seconds >= STEP) {
            let at = (entry.at_seconds * 1e9) as u64;
            match entry.controller {
                Controller::PoolSize => self.acted("workers", at),
                Controller::BatchSize => self.acted("batches", at),
                Controller::Valve => self.acted("victims", at),
                _ => {}
            }
        }
        self.tickets.retain(|ticket| ticket.try_take().is_none());
    }

    fn acted(&mut self, who: &'static str, at: u64) {
        let at = at as f64 / 1e9 - STEP;
        if at >= 0.0 {
            self.first.entry(who).or_insert(at);
        }
    }

    /// Returns the actions within 30 s of the step, in order.
    fn order(&mut self) -> Vec<&'static str> {
        self.run(60.0, STEP);
        self.run(RATE, STEP + 30.0);
        let mut order: Vec<_> = self.first.iter().map(|(who, at)| (*at, *who)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        order.into_iter().map(|(_, who)| who).collect()
    }
}

/// Counts how often a series changes direction; a change below `band` is none.
fn turns(series: &[f64], band: f64) -> usize {
    let (mut turns, mut direction, mut at) = (0, 0.0, series[0]);
    for value in series {
        let change = value - at;
        if change.abs() <= band * at.abs() {
            continue;
        }
        turns += usize::from(direction != 0.0 && direction != change.signum());
        (direction, at) = (change.signum(), *value);
    }
    turns
}

#[test]
fn workers_act_first_then_cheaper_answers_and_batches_then_refusals_and_the_valve_never() {
    let mut plant = plant(Mode::On);
    let order = plant.order();
    let mut between = order[1..3].to_vec();
    between.sort_unstable();
    assert_eq!((order[0], order[3], order.len()), ("workers", "refusals", 4), "{order:?}");
    assert_eq!(between, ["batches", "cheaper answers"]);
    let (sizes, limits) = (turns(&plant.sizes, 0.0), turns(&plant.limits, 0.25));
    assert!(sizes <= 2, "{sizes} {:?}", plant.sizes);
    // A cut queue that runs empty grows, and shrinks again: the limit swings between 8 and 23.
    assert!(limits <= 12, "{limits} {:?}", plant.limits);
    assert!(plant.limits[10..].iter().all(|limit| (5.0..40.0).contains(limit)));
}

#[test]
fn without_admission_the_valve_acts_last() {
    let mut plant = plant(Mode::Off);
    assert_eq!(plant.order(), ["workers", "batches", "refusals", "victims"]);
    assert!(turns(&plant.sizes, 0.0) <= 2, "{:?}", plant.sizes);
}
