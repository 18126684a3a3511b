//! A server with a known demand, and arrivals during its service.

use crate::support::assert_balanced;
use parking_lot::Mutex;
use seda_core::{
    Class, Context, Controller, Graph, GraphConfig, Manual, ManualClock, Responder,
    ResponseReceiver, Route, SendOptions, SloConfig, Source, Stage, StageConfig, Time, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SLO: Duration = Duration::from_millis(200);
pub(crate) const GOLD: Class = Class::new(0);
pub(crate) const BASIC: Class = Class::new(1);

pub(crate) struct Job {
    pub(crate) class: Class,
    /// Its demand as a multiple of the usual one.
    times: u64,
    born: Time,
    reply: Responder<()>,
}

impl Job {
    /// Returns a job of the usual demand.
    pub(crate) fn of(class: Class, born: Time, reply: Responder<()>) -> Self {
        Self { class, times: 1, born, reply }
    }
}

/// The world outside the graph. Its time passes while the handler serves.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) source: Mutex<Option<Source<Job>>>,
    pub(crate) route: Mutex<Option<Route>>,
    /// Route of the expensive jobs, if they have their own.
    pub(crate) expensive_route: Mutex<Option<Route>>,
    streams: Mutex<Vec<Stream>>,
    pub(crate) receivers: Mutex<Vec<ResponseReceiver<()>>>,
    /// Nanoseconds of service per job.
    pub(crate) demand: AtomicU64,
    /// Each n-th job is expensive: it takes a hundred times as long. 0: none.
    pub(crate) expensive_every: AtomicU64,
    /// Jobs declare their cost, in a unit that the graph does not know.
    pub(crate) declares: AtomicBool,
    /// `front` answers nine jobs in ten itself, as a cache does.
    pub(crate) caches: AtomicBool,
    /// From a pressure of 0.5 on, the handler gives cheap answers, at a tenth of the cost.
    pub(crate) degrades: AtomicBool,
    /// Number of cheap answers.
    pub(crate) cheap: AtomicU64,
    /// Response times, by class.
    pub(crate) responses: Mutex<[Vec<Duration>; 2]>,
    /// Requests by class.
    pub(crate) sent: Mutex<[Sent; 2]>,
}

/// The requests of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) offered: u64,
    pub(crate) refused: u64,
}

/// Poisson arrivals of one class.
struct Stream {
    class: Class,
    per_second: f64,
    next: Time,
    random: u64,
}

impl Stream {
    fn new(class: Class, per_second: f64) -> Self {
        Self { class, per_second, next: Time::ZERO, random: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Draws the next arrival: xorshift64*, and the inverse of the exponential distribution.
    fn pass(&mut self) {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let uniform = (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64;
        let gap = -(1.0 - uniform / (1_u64 << 53) as f64).ln() / self.per_second;
        self.next = self.next.after(Duration::from_secs_f64(gap));
    }
}

impl World {
    pub(crate) fn now(&self) -> Time {
        use seda_core::Clock;
        self.clock.now()
    }

    /// Advances the clock to `end` and sends the arrivals until then.
    fn pass_until(&self, end: Time) {
        loop {
            let due = {
                let mut streams = self.streams.lock();
                let next = streams.iter_mut().min_by_key(|stream| stream.next);
                next.filter(|next| next.next <= end).map(|next| {
                    let due = (next.next, next.class);
                    next.pass();
                    due
                })
            };
            let Some((at, class)) = due else { break };
            self.clock.advance(at.since(self.now()));
            self.send(class);
        }
        self.clock.advance(end.since(self.now()));
    }

    pub(crate) fn send(&self, class: Class) {
        let count = self.sent.lock()[class.index()].offered;
        let every = self.expensive_every.load(Ordering::Relaxed);
        let times = if every > 0 && count.is_multiple_of(every) { 100 } else { 1 };
        let cost = self.declares.load(Ordering::Relaxed).then_some(7 * times as u32);
        let expensive_route = self.expensive_route.lock().filter(|_| times > 1);
        let route = expensive_route.or(*self.route.lock());
        let terms = SendOptions { class, route, cost, ..SendOptions::default() };
        let source = self.source.lock().clone().unwrap().with_options(terms);
        let born = self.now();
        let request = source.request(|reply| Job { class, times, born, reply });
        let sent = &mut self.sent.lock()[class.index()];
        sent.offered += 1;
        match request {
            Ok(receiver) => self.receivers.lock().push(receiver),
            Err(_) => sent.refused += 1,
        }
    }

    pub(crate) fn offer(&self, class: Class, per_second: f64) {
        let mut streams = self.streams.lock();
        streams.retain(|stream| stream.class != class);
        let mut stream = Stream::new(class, per_second);
        stream.next = self.now();
        stream.pass();
        streams.push(stream);
    }

    /// Ends all arrivals.
    pub(crate) fn stop_offering(&self) {
        self.streams.lock().clear();
    }

    pub(crate) fn set_demand(&self, demand: Duration) {
        self.demand.store(demand.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, class: Class) -> Sent {
        self.sent.lock()[class.index()]
    }

    pub(crate) fn slowest(&self, class: Class) -> Duration {
        self.responses.lock()[class.index()].iter().max().copied().unwrap_or_default()
    }

    /// Returns the share of answers after the SLO.
    pub(crate) fn late(&self, class: Class) -> f64 {
        let responses = &self.responses.lock()[class.index()];
        let late = responses.iter().filter(|response| **response > SLO).count();
        late as f64 / responses.len().max(1) as f64
    }

    pub(crate) fn answered(&self, class: Class) -> u64 {
        self.responses.lock()[class.index()].len() as u64
    }
}

/// A graph in which `front` sends every job to `work`. One worker runs both.
pub(crate) struct Plant {
    pub(crate) world: Arc<World>,
    pub(crate) graph: Manual,
    pub(crate) next_tick: Time,
    tick: Duration,
}

pub(crate) fn plant(demand: Duration, config: GraphConfig, routed: bool) -> Plant {
    plant_with(demand, config, routed, |_graph, _work| {})
}

pub(crate) fn plant_with(
    demand: Duration,
    config: GraphConfig,
    routed: bool,
    more: impl Fn(&mut Graph, Stage<Job>),
) -> Plant {
    let world = Arc::new(World {
        clock: Arc::new(ManualClock::new()),
        source: Mutex::default(),
        route: Mutex::default(),
        expensive_route: Mutex::default(),
        streams: Mutex::default(),
        receivers: Mutex::default(),
        demand: AtomicU64::new(demand.as_nanos() as u64),
        expensive_every: AtomicU64::new(0),
        declares: AtomicBool::new(false),
        caches: AtomicBool::new(false),
        degrades: AtomicBool::new(false),
        cheap: AtomicU64::new(0),
        responses: Mutex::default(),
        sent: Mutex::default(),
    });
    let mut graph = Graph::new("plant");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    let front = graph.stage::<Job>("front", 4_096);
    let work = graph.stage::<Job>("work", 4_096);
    let pool = graph.pool("pool", WorkerRange::exactly(1));
    let outside = Arc::clone(&world);
    graph
        .attach_each_in(&pool, front, |wire| {
            let work = wire.sink(work);
            let mut count = 0;
            move |job: Job, cx: &mut Context| {
                count += 1;
                if outside.caches.load(Ordering::Relaxed) && count % 10 > 0 {
                    outside.responses.lock()[job.class.index()].push(Duration::ZERO);
                    return job.reply.respond(());
                }
                cx.send(&work, job).unwrap_or_else(seda_core::Refused::give_up);
            }
        })
        .unwrap();
    let outside = Arc::clone(&world);
    graph
        .attach_each_in(&pool, work, |_wire| {
            move |job: Job, cx: &mut Context| {
                let cheap = outside.degrades.load(Ordering::Relaxed) && cx.pressure() >= 0.5;
                outside.cheap.fetch_add(u64::from(cheap), Ordering::Relaxed);
                let usual = outside.demand.load(Ordering::Relaxed) / if cheap { 10 } else { 1 };
                let demand = Duration::from_nanos(usual * job.times);
                outside.pass_until(outside.now().after(demand));
                outside.responses.lock()[job.class.index()].push(outside.now().since(job.born));
                job.reply.respond(());
            }
        })
        .unwrap();
    // `front` passes arrivals on between two jobs.
    graph.configure(work, StageConfig { batch: Some(1), ..StageConfig::default() }).unwrap();
    *world.source.lock() = Some(graph.source(front).unwrap());
    *world.route.lock() = routed.then(|| graph.route([work.id()]).unwrap());
    let tick = config.control.tick;
    graph.apply(config).unwrap();
    more(&mut graph, work);
    let graph = graph.start_manual(Arc::clone(&world.clock) as Arc<dyn seda_core::Clock>).unwrap();
    Plant { world, graph, next_tick: Time::ZERO.after(tick), tick }
}

pub(crate) fn with_slo(p99: Duration) -> GraphConfig {
    GraphConfig { slo: SloConfig::new(p99), ..GraphConfig::default() }
}

impl Plant {
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.world.now().after(time);
        while self.world.now() < end {
            if self.world.now() >= self.next_tick {
                self.graph.tick();
                self.next_tick = self.next_tick.after(self.tick).max(self.world.now());
            }
            if self.graph.step() == 0 {
                let next = self.world.streams.lock().iter().map(|stream| stream.next).min();
                let next = next.unwrap_or(end).min(end).min(self.next_tick);
                self.world.pass_until(next);
            }
        }
    }

    /// Stops the arrivals, lets all jobs end, and checks that no request is open.
    pub(crate) fn end(mut self) -> Arc<World> {
        self.world.streams.lock().clear();
        self.run(Duration::from_secs(10));
        let report = self.graph.report();
        assert_balanced(&report);
        assert_eq!(report.requests.open, 0);
        for stage in &report.stages {
            assert_eq!(stage.gate.as_ref().map_or(0, |gate| gate.bound), 0, "{}", stage.name);
        }
        self.world
    }

    pub(crate) fn limit(&self) -> usize {
        self.graph.report().stages[1].gate.as_ref().and_then(|gate| gate.limit).unwrap()
    }

    pub(crate) fn decisions(&self) -> Vec<String> {
        let journal = self.graph.report().journal;
        let entries = journal.iter().filter(|entry| entry.controller == Controller::Admission);
        entries.map(|entry| entry.action.clone()).collect()
    }
}
