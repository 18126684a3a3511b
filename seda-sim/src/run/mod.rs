//! The loop of a simulation: find the next event, move the clock to it, act.
//!
//! Imports everything below. State that is not about the order of events does not belong here.

mod ticks;

use self::ticks::Ticks;
use crate::base::time::nanos;
use crate::model::arrivals::{Arrival, Stream, streams};
use crate::model::build::{Built, build};
use crate::model::clients::Clients;
use crate::model::error::SimError;
use crate::model::machine::Machine;
use crate::model::outside::Outside;
use crate::model::timers::Timer;
use crate::report::SimReport;
use crate::spec::Spec;
use seda_core::{ManualClock, Report, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

/// Runs a spec to its end. The same spec and seed give the same report, to the bit.
///
/// ```
/// use seda_sim::Spec;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec: Spec = r#"
///     window = "10s"
///     arrivals = { rate = 70.0 }
///     [[stage]]
///     name = "serve"
///     capacity = 1000
///     demand = { kind = "exponential", mean = "10ms" }
/// "#.parse()?;
/// assert_eq!(seda_sim::run(&spec, 1)?, seda_sim::run(&spec, 1)?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The spec is invalid: the error names the key, the value and the values that are allowed.
pub fn run(spec: &Spec, seed: u64) -> Result<SimReport, SimError> {
    watch(spec, seed, spec.window, |_seconds, _graph| {})
}

/// Runs a spec as [`run`] does. Each time that `every` has passed in the window, `look` is called
/// with the seconds since the beginning of the run and the graph's report. Looking does not change
/// the run.
///
/// # Errors
/// As [`run`].
pub fn watch(
    spec: &Spec,
    seed: u64,
    every: Duration,
    look: impl FnMut(f64, &Report),
) -> Result<SimReport, SimError> {
    spec.check()?;
    let built = build(spec, seed)?;
    Ok(Simulation::new(spec, seed, built)?.run(spec, seed, every, look))
}

/// The state of a run. All times are in nanoseconds.
struct Simulation {
    clock: Arc<ManualClock>,
    streams: Vec<Stream>,
    /// The next arrival of each stream.
    arrivals: BinaryHeap<Reverse<Arrival>>,
    clients: Clients,
    machine: Machine,
    /// The deferred events of each stage that defers.
    outside: Vec<Arc<Outside>>,
    timers: Vec<Timer>,
    /// The pools of the first stage.
    entry: Vec<usize>,
    /// Core time of a request outside the stages, and of a refusal in addition.
    entry_work: f64,
    refusal_work: f64,
    ticks: Ticks,
    /// Arrivals and ticks so far.
    events: u64,
}

impl Simulation {
    fn new(spec: &Spec, seed: u64, mut built: Built) -> Result<Self, SimError> {
        let mut streams = streams(spec, seed)?;
        let arrivals = streams.iter_mut().filter_map(Stream::next).map(Reverse).collect();
        Ok(Self {
            clock: Arc::clone(&built.clock),
            streams,
            arrivals,
            clients: Clients::new(spec, seed, &built),
            entry: built.entry.clone(),
            outside: built.outside.clone(),
            timers: std::mem::take(&mut built.timers),
            machine: Machine::new(spec, seed, built),
            entry_work: nanos(spec.arrivals.cpu) as f64,
            refusal_work: nanos(spec.refusal_cpu) as f64,
            ticks: Ticks::new(spec),
            events: 0,
        })
    }

    fn run(
        mut self,
        spec: &Spec,
        seed: u64,
        every: Duration,
        mut look: impl FnMut(f64, &Report),
    ) -> SimReport {
        let from = nanos(spec.warm_up);
        let to = from.saturating_add(nanos(spec.window));
        // The warm-up.
        self.run_until(from, false);
        let work_before = self.machine.work_done(from);
        // The window, in steps between two looks.
        let every = nanos(every).max(1);
        let mut next = from.saturating_add(every);
        while next < to {
            self.run_until(next, false);
            self.move_to(next);
            look(next as f64 / 1e9, &self.machine.report(next));
            next = next.saturating_add(every);
        }
        self.run_until(to, false);
        let work = self.machine.work_done(to) - work_before;
        self.move_to(to);
        let graph = self.machine.report(to);
        look(to as f64 / 1e9, &graph);
        // The cool-down, until the requests of the window have ended.
        self.run_until(to.saturating_add(nanos(spec.cool_down)), true);
        let events = self.events + self.clients.events + self.machine.completed;
        let mut report = self.clients.tally.report(spec, seed, graph);
        report.utilization = work / (spec.window.as_secs_f64() * spec.cores as f64);
        report.events = events;
        report
    }

    /// Runs all events before `end`. With `settling`, stops early when no request of the window is
    /// under way.
    fn run_until(&mut self, end: u64, settling: bool) {
        while !settling || self.clients.tally.is_open() {
            // The next event of all parts.
            let machine = self.machine.next_due().unwrap_or(u64::MAX);
            let arrival = self.arrivals.peek().map_or(u64::MAX, |Reverse(next)| next.at);
            let client = self.clients.next_due().unwrap_or(u64::MAX);
            let beside = self.next_beside();
            let now = machine.min(arrival).min(client).min(beside).min(self.ticks.next());
            if now >= end {
                return;
            }
            self.move_to(now);
            // Events at the same time have a fixed order: services, those beside them, clients,
            // arrivals, ticks.
            if machine == now {
                self.machine.act(now);
            } else if beside == now {
                self.act_beside(now);
            } else if client == now {
                if let Some(is_accepted) = self.clients.act(now) {
                    self.enter(now, is_accepted);
                }
            } else if arrival == now {
                self.arrive(now);
            } else {
                self.events += 1;
                self.machine.tick(now);
                self.ticks.tick(now);
            }
            // Every event may evict others: their clients are told now, not at the next arrival.
            self.machine.tell_owners();
            self.machine.settle(now);
            self.clients.collect(now);
            self.ticks.follow(&mut self.machine);
        }
    }

    /// Returns the time at which the next deferred event comes back, or a timer sends.
    fn next_beside(&self) -> u64 {
        let outside = self.outside.iter().filter_map(|outside| outside.next_due());
        outside.chain(self.timers.iter().map(Timer::next_due)).min().unwrap_or(u64::MAX)
    }

    /// Lets one deferred event of each stage come back, and each timer send, if that is due.
    fn act_beside(&mut self, now: u64) {
        self.events += 1;
        self.outside.iter().for_each(|outside| outside.act(now));
        for timer in self.timers.iter_mut().filter(|timer| timer.next_due() <= now) {
            self.machine.touch(timer.act());
        }
    }

    fn move_to(&self, now: u64) {
        self.clock.advance_to(Time::from_nanos(now));
    }

    /// Starts the request of the next arrival, and draws the arrival after it.
    fn arrive(&mut self, now: u64) {
        let Some(Reverse(arrival)) = self.arrivals.pop() else {
            debug_assert!(false, "an arrival that is due is in the heap");
            return;
        };
        self.events += 1;
        let next = self.streams.get_mut(arrival.stream).and_then(Stream::next);
        self.arrivals.extend(next.map(Reverse));
        let is_accepted = self.clients.start(now, arrival.class, arrival.demand);
        self.enter(now, is_accepted);
    }

    /// Charges the cores with a request, and makes the machine look at the entry or charges the
    /// refusal.
    fn enter(&mut self, now: u64, is_accepted: bool) {
        self.machine.charge(now, self.entry_work);
        if is_accepted {
            self.machine.touch(&self.entry);
        } else {
            self.machine.charge(now, self.refusal_work);
        }
    }
}
