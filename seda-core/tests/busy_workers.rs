//! Events that wait while every worker is busy: they get further workers, and their deadlines fire.
//! On the manual clock, with services that begin and end by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::assert_balanced;
use seda_core::{
    Begun, Clock, Context, Graph, GraphConfig, LossReason, Manual, ManualClock, Mode,
    RefusalReason, Responder, ResponseReceiver, SendOptions, Source, StageConfig, Turn, Worker,
    WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

type Job = Responder<()>;

struct Rig {
    graph: Manual,
    clock: Arc<ManualClock>,
    sources: Vec<Source<Job>>,
    idle: Vec<Worker>,
    busy: Vec<Worker>,
}

/// Returns `stages` stages that answer, in one pool.
fn rig(stages: usize, workers: WorkerRange, config: GraphConfig) -> Rig {
    let mut graph = Graph::new("busy");
    graph.cores(2);
    let pool = graph.pool("workers", workers);
    let mut sources = Vec::new();
    for number in 0..stages {
        let stage = graph.stage::<Job>(&format!("stage{number}"), 64);
        let answer =
            |_wire: &mut seda_core::Wire<'_>| |job: Job, _cx: &mut Context| job.respond(());
        graph.attach_each_in(&pool, stage, answer).unwrap();
        sources.push(graph.source(stage).unwrap());
    }
    graph.apply(config).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let idle = graph.take_workers();
    Rig { graph, clock, sources, idle, busy: Vec::new() }
}

impl Rig {
    fn source(&self) -> &Source<Job> {
        &self.sources[0]
    }

    /// Lets every idle worker begin an event if there is one. Returns how many began one.
    fn begin(&mut self) -> usize {
        self.idle.extend(self.graph.take_workers());
        let before = self.busy.len();
        for mut worker in std::mem::take(&mut self.idle) {
            match worker.begin() {
                Begun::Batch { events: 1.., .. } => self.busy.push(worker),
                _ => self.idle.push(worker),
            }
        }
        self.busy.len() - before
    }

    fn tick(&mut self) {
        self.clock.advance(TICK);
        self.graph.tick();
    }

    /// Ends all services.
    fn complete(&mut self) {
        for mut worker in self.busy.drain(..) {
            worker.complete();
            self.idle.push(worker);
        }
    }

    /// Ends all services, and the graph.
    fn end(mut self) {
        self.complete();
        self.graph.put_back(self.idle);
        let drained = self.graph.drain(1_000);
        assert!(drained.complete);
        assert_balanced(&drained.report);
    }
}

#[test]
fn one_event_behind_a_long_one_gets_a_worker_at_the_next_tick() {
    let mut rig = rig(1, WorkerRange::new(1, 64), GraphConfig::default());
    let _long = rig.source().request(|job| job).unwrap();
    assert_eq!(rig.begin(), 1);
    let _short = rig.source().request(|job| job).unwrap();
    assert_eq!(rig.begin(), 0);
    rig.tick();
    assert_eq!(rig.begin(), 1);
    // One more is for an event that may come until the next tick.
    assert!(rig.graph.report().stages[0].workers.now <= 3);
    rig.end();
}

#[test]
fn short_events_behind_four_long_ones_get_workers_at_the_next_ticks() {
    let mut rig = rig(1, WorkerRange::new(4, 16), GraphConfig::default());
    let mut answers = Vec::new();
    // An event of the past was short.
    answers.push(rig.source().request(|job| job).unwrap());
    assert_eq!(rig.begin(), 1);
    rig.clock.advance(Duration::from_millis(10));
    rig.complete();
    for _ in 0..4 {
        answers.push(rig.source().request(|job| job).unwrap());
    }
    assert_eq!(rig.begin(), 4);
    rig.tick();
    for _ in 0..4 {
        answers.push(rig.source().request(|job| job).unwrap());
    }
    assert_eq!(rig.begin(), 0);
    rig.tick();
    let first = rig.begin();
    rig.tick();
    assert_eq!((first >= 1, first + rig.begin()), (true, 4), "{first} at the first tick");
    rig.end();
}

#[test]
fn a_stage_that_shares_its_pool_with_a_long_one_gets_a_worker_at_the_next_tick() {
    let mut rig = rig(2, WorkerRange::new(2, 8), GraphConfig::default());
    let _long = [(); 2].map(|()| rig.sources[0].request(|job| job).unwrap());
    assert_eq!(rig.begin(), 2);
    let _short = rig.sources[1].request(|job| job).unwrap();
    rig.tick();
    assert_eq!(rig.begin(), 1);
    rig.end();
}

#[test]
fn an_event_that_no_further_worker_may_take_hires_none() {
    // The cap of the stage is reached.
    let mut config = GraphConfig::default();
    config.stages.insert("stage0".into(), StageConfig { cap: Some(1), ..StageConfig::default() });
    let mut rig = rig(1, WorkerRange::new(1, 8), config);
    let _answers = [(); 2].map(|()| rig.source().request(|job| job).unwrap());
    assert_eq!(rig.begin(), 1);
    (0..3).for_each(|_| rig.tick());
    assert_eq!(rig.graph.report().stages[0].workers.now, 1);
    rig.end();
}

/// Returns the options of a request with a deadline in `millis` milliseconds.
fn within(millis: u64) -> SendOptions {
    SendOptions { deadline: Some(Duration::from_millis(millis)), ..SendOptions::default() }
}

#[test]
fn a_deadline_fires_at_the_next_tick_although_every_worker_is_busy() {
    for pool_size in [Mode::On, Mode::Off] {
        let mut config = GraphConfig::default();
        config.control.set_mode(Mode::Off);
        config.control.pool_size = pool_size;
        let mut rig = rig(1, WorkerRange::exactly(1), config);
        let long = rig.source().request(|job| job).unwrap();
        assert_eq!(rig.begin(), 1);
        let ask = |millis| rig.sources[0].with_options(within(millis)).request(|job| job).unwrap();
        // The second deadline is behind a later one.
        let (later, hasty) = (ask(10_000), ask(250));
        (0..2).for_each(|_| rig.tick());
        assert!(hasty.try_take().is_none());
        rig.tick();
        assert_eq!(hasty.try_take(), Some(Err(LossReason::Expired)));
        assert!(later.try_take().is_none() && long.try_take().is_none());
        let report = rig.graph.report();
        assert_eq!((report.stages[0].shed["expired"], report.budget.used), (1, 2));
        assert_balanced(&report);
        rig.end();
    }
}

/// Returns a rig of one worker that counts as stuck after one second.
fn stuck_after_a_second() -> Rig {
    let mut config = GraphConfig::default();
    config.control.stuck_after = Duration::from_secs(1);
    rig(1, WorkerRange::exactly(1), config)
}

impl Rig {
    /// Gives a worker an event whose handler does not return. Later the worker is marked as stuck.
    fn get_stuck(&mut self) -> ResponseReceiver<()> {
        let answer = self.source().request(|job| job).unwrap();
        assert_eq!(self.begin(), 1);
        self.clock.advance(Duration::from_secs(1));
        self.graph.tick();
        answer
    }
}

#[test]
fn a_stage_whose_workers_are_all_stuck_refuses_until_a_handler_returns() {
    let mut rig = stuck_after_a_second();
    // The first stuck worker gets a substitute, the second none: two threads is the bound.
    let first = rig.get_stuck();
    let second = rig.get_stuck();
    assert_eq!(rig.begin(), 0);
    let report = rig.graph.report();
    assert_eq!((report.stages[0].workers.now, report.stages[0].workers.stuck), (0, 2));
    // Requests, events and reserved places are refused, and counted.
    let reason = |refusal: seda_core::Refusal| refusal.reason();
    let refused = rig.source().request(|job| job).map_err(reason);
    assert_eq!(refused.err(), Some(RefusalReason::Stuck));
    assert_eq!(rig.source().reserve(1).map_err(reason).err(), Some(RefusalReason::Stuck));
    let report = rig.graph.report();
    assert_eq!(report.stages[0].refused["stuck"], 2);
    let said = |what: &str| report.journal.iter().any(|entry| entry.changed == what);
    assert!(said("open → stuck"));
    assert_balanced(&report);
    // A handler returns: its worker is back, and the next tick lets requests in.
    assert_eq!(rig.busy[0].complete(), 1);
    assert_eq!(rig.busy[0].begin(), Begun::Idle(None));
    assert_eq!(rig.graph.report().stages[0].workers.now, 1);
    rig.tick();
    let answer = rig.source().request(|job| job).unwrap();
    assert_eq!(rig.busy[0].turn(), Turn::Ran(1));
    assert_eq!(answer.try_take(), Some(Ok(())));
    assert_eq!((first.try_take(), second.try_take()), (Some(Ok(())), None));
    rig.end();
}

#[test]
fn a_request_is_refused_at_its_entry_if_a_later_stage_of_its_route_is_stuck() {
    let mut graph = Graph::new("route");
    let entry = graph.stage::<Job>("entry", 8);
    let last = graph.stage::<Job>("last", 8);
    graph
        .attach_each(entry, |wire| {
            let last = wire.sink(last);
            move |job: Job, cx: &mut Context| {
                cx.send(&last, job).unwrap_or_else(seda_core::Refused::give_up);
            }
        })
        .unwrap();
    let pool = graph.hosted_pool("last", 1);
    graph
        .attach_each_in(&pool, last, |_wire| |job: Job, _cx: &mut Context| job.respond(()))
        .unwrap();
    let route = Some(graph.route([last.id()]).unwrap());
    let mut config = GraphConfig::default();
    config.control.stuck_after = Duration::from_secs(1);
    graph.apply(config).unwrap();
    let source = graph.source(entry).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let routed = source.with_options(SendOptions { route, ..SendOptions::default() });
    let _first = routed.request(|job| job).unwrap();
    graph.step();
    // The worker of the last stage does not return.
    let mut workers = graph.take_workers();
    let begun = workers.iter_mut().filter_map(|worker| match worker.begin() {
        Begun::Batch { stage, .. } => Some(stage),
        _ => None,
    });
    assert_eq!(begun.collect::<Vec<_>>(), [1]);
    clock.advance(Duration::from_secs(1));
    graph.tick();
    let refused = routed.request(|job| job).map_err(|refusal| refusal.reason());
    assert_eq!(refused.err(), Some(RefusalReason::Stuck));
    // Other requests enter.
    let _other = source.request(|job| job).unwrap();
    graph.put_back(workers);
    assert_balanced(&graph.drain(1_000).report);
}
