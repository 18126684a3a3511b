//! A graph in which every controller has work, on a clock that can be set to any moment.

use crate::support::assert_balanced;
use parking_lot::Mutex;
use seda_core::CodelConfig;
use seda_core::{
    Clock, Context, Controller, Graph, GraphConfig, Manual, Pending, Report, SendOptions,
    SloConfig, Source, StageConfig, Time, WorkerRange,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const TICK: Duration = Duration::from_millis(100);
const WORKERS: WorkerRange = WorkerRange { min: 1, max: 8 };
const OUTSTANDING: usize = 2;
const PENDING: usize = 64;
const BATCH: usize = 32;
const BUDGET: usize = 400;

/// A clock that can be set to any moment.
#[derive(Debug, Default)]
pub(crate) struct SettableClock(AtomicU64);

impl Clock for SettableClock {
    fn now(&self) -> Time {
        Time::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

impl SettableClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, time: Duration) {
        let now = self.now().as_nanos();
        self.0.store(now.saturating_sub(time.as_nanos() as u64), Ordering::SeqCst);
    }
}

/// The control of queues: admission limits for an SLO, or CoDel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum QueueControl {
    Admission,
    CoDel,
}

/// Sizes set by controllers: workers of `work`, places outside of `ask`, batches of all stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) workers: usize,
    pub(crate) outstanding: usize,
    pub(crate) batches: Vec<usize>,
}

/// The graph with its clock and its sources.
pub(crate) struct Plant {
    pub(crate) graph: Manual,
    pub(crate) clock: Arc<SettableClock>,
    /// Service time of `work` in nanoseconds; that of `small` is a 333rd of it.
    pub(crate) service: Arc<AtomicU64>,
    work: Source<u32>,
    small: Source<u32>,
    ask: Source<u32>,
    outside: Arc<Mutex<Vec<Pending>>>,
    /// Controllers that have decided so far, and CoDel if it has shed an event.
    pub(crate) acted: BTreeSet<String>,
}

impl Plant {
    /// Returns the plant: `work` takes 10 ms with up to eight workers, `small` takes 30 µs in
    /// batches, `ask` defers.
    pub(crate) fn new(control: QueueControl) -> Self {
        let (clock, service) =
            (Arc::new(SettableClock::default()), Arc::new(AtomicU64::new(10_000_000)));
        let outside = Arc::<Mutex<Vec<Pending>>>::default();
        let mut graph = Graph::new("clocks");
        graph.classes(&[("gold", 4), ("basic", 1)]);
        let [work, small, ask] = ["work", "small", "ask"].map(|name| graph.stage(name, 512));
        let (time, takes) = (Arc::clone(&clock), Arc::clone(&service));
        graph
            .attach_each(work, |_wire| {
                move |_event: u32, _cx: &mut Context| {
                    time.advance(Duration::from_nanos(takes.load(Ordering::Relaxed)));
                }
            })
            .unwrap();
        let (time, takes) = (Arc::clone(&clock), Arc::clone(&service));
        graph
            .attach_each(small, |_wire| {
                move |_event: u32, _cx: &mut Context| {
                    time.advance(Duration::from_nanos(takes.load(Ordering::Relaxed) / 333));
                }
            })
            .unwrap();
        let kept = Arc::clone(&outside);
        graph
            .attach_each(ask, |_wire| {
                move |_event: u32, cx: &mut Context| kept.lock().push(cx.defer().unwrap())
            })
            .unwrap();
        let codel = CodelConfig { target: Duration::from_millis(20), ..CodelConfig::default() };
        let codel = (control == QueueControl::CoDel).then_some(codel);
        let one = StageConfig { workers: Some(WorkerRange::exactly(1)), ..StageConfig::default() };
        let (outstanding, pending) = (Some(OUTSTANDING), Some(PENDING));
        let work_config = StageConfig { workers: Some(WORKERS), codel, ..StageConfig::default() };
        graph.configure(work, StageConfig { batch: Some(1), ..work_config }).unwrap();
        graph.configure(small, one.clone()).unwrap();
        graph.configure(ask, StageConfig { outstanding, pending, ..one }).unwrap();
        let mut config = GraphConfig { budget: Some(BUDGET), ..GraphConfig::default() };
        if control == QueueControl::Admission {
            config.slo = SloConfig::new(Duration::from_millis(200));
        }
        graph.apply(config).unwrap();
        graph.cores(64);
        let [work, small, ask] = [work, small, ask].map(|stage| graph.source(stage).unwrap());
        let graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let acted = BTreeSet::new();
        Self { graph, clock, service, work, small, ask, outside, acted }
    }

    /// Sends three times the capacity of `work`, and to `ask` enough to fill its places.
    pub(crate) fn arrive(&self) {
        let gold = self.work.with_options(SendOptions::default());
        let basic = self.work.with_options(crate::support::class(1));
        for event in 0..15 {
            drop(gold.send(event));
            drop(basic.send(event));
        }
        (0..40).for_each(|event| drop(self.ask.send(event)));
        (0..64).for_each(|event| drop(self.small.send(event)));
    }

    /// Completes all deferred events.
    pub(crate) fn answer(&self) {
        let outside = std::mem::take(&mut *self.outside.lock());
        outside.into_iter().for_each(Pending::complete);
    }

    /// Runs a tick now, and checks all bounds.
    pub(crate) fn tick(&mut self) -> Report {
        self.graph.tick();
        let report = self.graph.report();
        self.check(&report);
        report
    }

    pub(crate) fn steps(&mut self, steps: usize) {
        for _ in 0..steps {
            self.graph.step();
        }
    }

    /// Fills ten ticks with traffic to `small` alone, so that its pool is hot.
    pub(crate) fn heat(&mut self) {
        self.graph.run_until_idle();
        let service = self.service.swap(1_000_000_000, Ordering::Relaxed);
        for _ in 0..10 {
            (0..33).for_each(|event| drop(self.small.send(event)));
            self.graph.run_until_idle();
            self.tick();
        }
        self.service.store(service, Ordering::Relaxed);
    }

    /// Runs `ticks` ticks of 100 ms, each with its traffic.
    pub(crate) fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            let end = self.clock.now().after(TICK);
            self.arrive();
            while self.clock.now() < end && self.graph.step() > 0 {}
            self.clock.advance(end.since(self.clock.now()));
            self.answer();
            self.tick();
        }
    }

    fn check(&mut self, report: &Report) {
        assert_balanced(report);
        let [work, small, ask] = [0, 1, 2].map(|stage| &report.stages[stage]);
        assert!((WORKERS.min..=WORKERS.max).contains(&work.workers.now), "{:?}", work.workers);
        assert_eq!((small.workers.now, ask.workers.now), (1, 1));
        let outstanding = ask.outstanding.unwrap();
        assert!((OUTSTANDING..=PENDING).contains(&outstanding), "{outstanding}");
        assert!(report.budget.used <= BUDGET);
        for stage in &report.stages {
            assert!((1..=BATCH).contains(&stage.batch), "{} {}", stage.name, stage.batch);
            assert!(stage.queue.depth <= 512 && stage.pending <= PENDING as u64);
            let limit = stage.gate.as_ref().and_then(|gate| gate.limit);
            if limit.is_some() {
                self.acted.insert("admission".to_owned());
            }
            // No limit exceeds the number of 1 µs events that fit in the SLO.
            assert!(limit.is_none_or(|limit| (1..=8 * 200_000).contains(&limit)), "{limit:?}");
            for figure in [stage.utilization, stage.throughput_per_second, stage.occupancy] {
                assert!(figure.is_finite() && figure >= 0.0, "{} {figure}", stage.name);
            }
            if stage.shed.contains_key("delay") {
                self.acted.insert("codel".to_owned());
            }
        }
        let decided = report.journal.iter().filter(|entry| entry.controller != Controller::Drain);
        self.acted.extend(decided.map(|entry| entry.controller.to_string()));
    }

    /// Returns the sizes that controllers set.
    pub(crate) fn sizes(&self) -> Sizes {
        let stages = self.graph.report().stages;
        let batches = stages.iter().map(|stage| stage.batch).collect();
        let (workers, outstanding) = (stages[0].workers.now, stages[2].outstanding.unwrap());
        Sizes { workers, outstanding, batches }
    }

    /// Lets all events end, drains the graph and returns the controllers that have decided.
    pub(crate) fn end(mut self) -> BTreeSet<String> {
        while self.graph.run_until_idle() > 0 || !self.outside.lock().is_empty() {
            self.answer();
        }
        self.tick();
        let acted = std::mem::take(&mut self.acted);
        let drained = self.graph.drain(usize::MAX);
        assert!(drained.complete, "{:?}", drained.left);
        assert_balanced(&drained.report);
        acted
    }
}
