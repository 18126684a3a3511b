//! Routes through a stage that defers its events: a request weighs what the events of its route
//! take outside. On the manual clock; the events compute on one thread, or sleep.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use parking_lot::Mutex;
use seda_core::{
    Context, Graph, Manual, ManualClock, Outcome, Pending, ReplyAddress, ReplySink, Report,
    Responder, Route, SendOptions, Source, StageConfig,
};
use std::sync::Arc;
use std::time::Duration;

const STEP: Duration = Duration::from_micros(100);
const SECOND: u64 = 10_000;

/// A kind of request: it comes every so many steps, and runs for some.
#[derive(Clone, Copy)]
struct Kind {
    every: u64,
    runs: u32,
}

/// Twice as much as the thread does: 10 ms each, 200 a second.
const WORK: Kind = Kind { every: 50, runs: 100 };
/// A twentieth of the thread: 0.1 ms each, 500 a second.
const PAGE: Kind = Kind { every: 20, runs: 1 };

struct Job {
    runs: u32,
    reply: Responder<()>,
}

/// Clients that wait for their answers, and do nothing with them.
struct Clients;

impl ReplySink<()> for Clients {
    fn deliver(&self, _address: ReplyAddress, _outcome: Outcome<()>) {}
}

/// A job outside, in the run queue of the thread or on it.
struct Outside {
    job: Job,
    pending: Pending,
    came: u64,
    waited: u64,
    left: u32,
}

/// The requests of a kind.
#[derive(Clone, Copy, Default)]
struct Count {
    offered: u64,
    refused: u64,
}

impl Count {
    fn refused_share(self) -> f64 {
        self.refused as f64 / self.offered as f64
    }
}

struct World {
    graph: Manual,
    clock: Arc<ManualClock>,
    source: Source<Job>,
    deferred: Arc<Mutex<Vec<(Job, Pending)>>>,
    /// The first jobs of it run: one on the thread, or all of them if they sleep.
    run_queue: Vec<Outside>,
    sleeps: bool,
    routes: [Option<Route>; 2],
    now: u64,
    counts: [Count; 2],
    /// The sum of running jobs over all steps.
    running: usize,
}

impl World {
    fn new(by_route: bool, sleeps: bool, places: usize) -> Self {
        let mut graph = Graph::new("service");
        graph.cores(1);
        let stage = graph.stage::<Job>("requests", 8_192);
        let deferred = Arc::new(Mutex::new(Vec::new()));
        let outside = Arc::clone(&deferred);
        graph
            .attach_each(stage, |_wire| {
                move |job: Job, cx: &mut Context| {
                    let pending = cx.defer().unwrap();
                    outside.lock().push((job, pending));
                }
            })
            .unwrap();
        let (outstanding, pending) = (Some(places), Some(places));
        let places = StageConfig { outstanding, pending, ..StageConfig::default() };
        graph.configure(stage, places).unwrap();
        let routes = [(); 2].map(|()| by_route.then(|| graph.route([stage.id()]).unwrap()));
        let source = graph.source(stage).unwrap();
        let clock = Arc::new(ManualClock::new());
        let graph = graph.start_manual(clock.clone()).unwrap();
        let (run_queue, counts) = (Vec::new(), Default::default());
        let (now, running) = (0, 0);
        Self { graph, clock, source, deferred, run_queue, sleeps, routes, now, counts, running }
    }

    /// Runs for some steps; the counts are of these.
    fn run(&mut self, steps: u64, kinds: [Kind; 2]) -> Report {
        (self.counts, self.running) = Default::default();
        for _ in 0..steps {
            for (n, kind) in kinds.into_iter().enumerate() {
                if self.now.is_multiple_of(kind.every) {
                    self.send(n, kind.runs);
                }
            }
            self.step();
        }
        self.graph.report()
    }

    fn send(&mut self, kind: usize, runs: u32) {
        let options = SendOptions { route: self.routes[kind], ..SendOptions::default() };
        let (home, address) = (Arc::new(Clients), ReplyAddress::default());
        let sent = self.source.request_to(home, address, options, |reply| Job { runs, reply });
        self.counts[kind].offered += 1;
        self.counts[kind].refused += u64::from(sent.is_err());
    }

    fn step(&mut self) {
        self.graph.run_until_idle();
        for (job, pending) in self.deferred.lock().drain(..) {
            let left = job.runs;
            self.run_queue.push(Outside { job, pending, came: self.now, waited: 0, left });
        }
        let at_once = if self.sleeps { usize::MAX } else { 1 };
        for running in self.run_queue.iter_mut().take(at_once) {
            if running.left == running.job.runs {
                running.waited = self.now - running.came;
            }
            running.left -= 1;
            self.running += 1;
        }
        self.clock.advance(STEP);
        self.now += 1;
        for done in self.run_queue.extract_if(.., |running| running.left == 0) {
            let Outside { job, mut pending, waited, .. } = done;
            let on_thread = if self.sleeps { STEP / 100 } else { STEP * job.runs };
            pending.add_thread_time(on_thread, STEP * waited as u32);
            job.reply.respond(());
            pending.complete();
        }
        if self.now.is_multiple_of(SECOND / 10) {
            self.graph.tick();
        }
    }
}

#[test]
fn a_cheap_route_finds_room_at_a_stage_that_defers_where_an_expensive_one_does_not() {
    for by_route in [true, false] {
        let mut world = World::new(by_route, false, 16);
        world.run(2 * SECOND, [WORK, PAGE]);
        world.run(4 * SECOND, [WORK, PAGE]);
        let [work, page] = world.counts.map(Count::refused_share);
        let busy = world.running as f64 / (4 * SECOND) as f64;
        // Without routes the gate cannot tell one from the other.
        assert_eq!(page < 0.01, by_route, "{page}");
        assert!(work > 0.45, "{work}");
        assert!(busy > 0.97, "busy {busy}");
    }
}

#[test]
fn requests_of_routes_that_cost_alike_are_only_counted() {
    let mut world = World::new(true, false, 16);
    let report = world.run(3 * SECOND, [WORK, WORK]);
    let gate = report.stages[0].gate.as_ref().unwrap();
    assert!(gate.bound > 0 && gate.cost == 0, "{gate:?}");
}

#[test]
fn routes_of_different_cost_fill_all_places_outside() {
    // They sleep for 20 and for 2 ms, and would fill 110 places.
    let (places, kinds) = (64, [Kind { every: 2, runs: 200 }, Kind { every: 2, runs: 20 }]);
    let mut world = World::new(true, true, places);
    world.run(2 * SECOND, kinds);
    world.run(2 * SECOND, kinds);
    let filled = world.running as f64 / (2 * SECOND) as f64 / places as f64;
    assert!(filled > 0.97, "{filled} of the places");
    let [long, short] = world.counts.map(Count::refused_share);
    // The rest of the room is less than a long one takes, and most of it more than a short one.
    assert!(short < 0.2 && long > 0.4, "{short} {long}");
}

#[test]
fn the_report_says_how_long_events_outside_run_and_wait_for_a_thread() {
    // Two come together: the second waits for the 10 ms of the first.
    let mut world = World::new(false, false, 16);
    let report = world.run(SECOND, [Kind { every: 250, runs: 100 }; 2]);
    let holding = &report.stages[0].last_ten_seconds.holding;
    let millis = |time: Option<f64>| (time.unwrap() * 1e3).round();
    assert_eq!((millis(holding.outside_cpu), millis(holding.outside_wait)), (10.0, 5.0));
    assert!(report.to_string().contains("; each waits 5.0 ms for a thread"), "{report}");
}
