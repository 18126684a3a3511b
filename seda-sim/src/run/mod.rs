//! The loop: what comes next, move the clock, act.

use crate::base::time::nanos;
use crate::model::arrivals::{Arrival, Stream, streams};
use crate::model::build::{Built, build};
use crate::model::clients::Clients;
use crate::model::machine::Machine;
use crate::report::SimReport;
use crate::spec::{Spec, SpecError};
use seda_core::control::Mode;
use seda_core::{GraphError, ManualClock, Report, SloConfig, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Ticks that a graph's report spans.
const TICKS_OF_A_REPORT: u32 = 10;

/// Why a spec cannot be simulated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimError {
    /// What is wrong with the spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// What is wrong with its graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// There is nothing that requests could enter.
    #[error("`stage` is empty; a spec needs one at least")]
    NoStage,
}

/// Runs a spec to its end; the same seed gives the same report, to the bit.
///
/// # Errors
/// What is wrong with the spec, by name.
pub fn run(spec: &Spec, seed: u64) -> Result<SimReport, SimError> {
    watch(spec, seed, spec.window, |_seconds, _graph| {})
}

/// As [`run`], and shows the graph's report each time that `every` has passed of the window, with
/// the seconds since the run's beginning. Looking changes nothing.
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

struct Simulation {
    clock: Arc<ManualClock>,
    streams: Vec<Stream>,
    /// The next arrival of each stream.
    arrivals: BinaryHeap<Reverse<Arrival>>,
    clients: Clients,
    machine: Machine,
    entry: Vec<usize>,
    refusal_work: f64,
    tick: u64,
    next_tick: u64,
    events: u64,
}

impl Simulation {
    fn new(spec: &Spec, seed: u64, built: Built) -> Result<Self, SimError> {
        let mut streams = streams(spec, seed)?;
        let arrivals = streams.iter_mut().filter_map(Stream::next).map(Reverse).collect();
        let tick = nanos(tick(spec)).max(1);
        Ok(Self {
            clock: Arc::clone(&built.clock),
            streams,
            arrivals,
            clients: Clients::new(spec, seed, &built),
            entry: built.entry.clone(),
            machine: Machine::new(spec, seed, built),
            refusal_work: nanos(spec.refusal_cpu) as f64,
            tick,
            next_tick: first_tick(nanos(spec.warm_up), tick),
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
        self.run_until(from, false);
        let before = self.machine.work_done(from);
        let every = nanos(every).max(1);
        let mut next = from.saturating_add(every);
        while next < to {
            self.run_until(next, false);
            self.move_to(next);
            look(next as f64 / 1e9, &self.machine.report(next));
            next = next.saturating_add(every);
        }
        self.run_until(to, false);
        let work = self.machine.work_done(to) - before;
        self.move_to(to);
        let graph = self.machine.report(to);
        look(to as f64 / 1e9, &graph);
        self.run_until(to.saturating_add(nanos(spec.cool_down)), true);
        let events = self.events + self.clients.events + self.machine.completed;
        let mut report = self.clients.tally.report(spec, seed, graph);
        report.utilization = work / (spec.window.as_secs_f64() * spec.cores as f64);
        report.events = events;
        report
    }

    /// Runs everything before `end`; with `settling` no longer than requests of the window are
    /// under way.
    fn run_until(&mut self, end: u64, settling: bool) {
        while !settling || self.clients.tally.is_open() {
            let machine = self.machine.next_due().unwrap_or(u64::MAX);
            let arrival = self.arrivals.peek().map_or(u64::MAX, |Reverse(next)| next.at);
            let client = self.clients.next_due().unwrap_or(u64::MAX);
            let now = machine.min(arrival).min(client).min(self.next_tick);
            if now >= end {
                return;
            }
            self.move_to(now);
            // One order for what happens at once: ends, then clients, then arrivals, then ticks.
            if machine == now {
                self.machine.act(now);
            } else if client == now {
                if let Some(taken) = self.clients.act(now) {
                    self.entered(now, taken);
                }
            } else if arrival == now {
                self.arrive(now);
            } else {
                self.events += 1;
                self.machine.tick(now);
                self.next_tick = now.saturating_add(self.tick);
            }
            // Whatever just happened: a victim's client hears of it now and not at the next arrival.
            self.machine.tell_owners();
            self.machine.settle(now);
            self.clients.collect(now);
        }
    }

    fn move_to(&self, now: u64) {
        self.clock.advance_to(Time::from_nanos(now));
    }

    fn arrive(&mut self, now: u64) {
        let Some(Reverse(Arrival { stream, class, demand, .. })) = self.arrivals.pop() else {
            return;
        };
        self.events += 1;
        let next = self.streams.get_mut(stream).and_then(Stream::next);
        self.arrivals.extend(next.map(Reverse));
        let taken = self.clients.start(now, class, demand);
        self.entered(now, taken);
    }

    fn entered(&mut self, now: u64, taken: bool) {
        if taken {
            self.machine.touch(&self.entry);
        } else {
            self.machine.refuse(now, self.refusal_work);
        }
    }
}

/// So that one tick falls on the window's beginning.
fn first_tick(window: u64, tick: u64) -> u64 {
    match window % tick {
        0 => tick,
        rest => rest,
    }
}

/// The controllers' tick. Without controllers it only moves the report's window, which then is
/// the measured one: a simulated day has ten ticks instead of a million.
fn tick(spec: &Spec) -> Duration {
    let mut control = spec.graph.control.clone();
    if spec.graph.slo == SloConfig::default() {
        // Nothing was promised: admission has nothing to do.
        control.admission = Mode::Off;
    }
    let mut off = control.clone();
    off.set_mode(Mode::Off);
    // Stages shed from standing queues at dequeue; of that and of hot pools the tick only tells.
    // No simulated stage defers.
    (off.queue_delay, off.hotspot) = (control.queue_delay, control.hotspot);
    off.outstanding = control.outstanding;
    if control == off {
        (spec.window / TICKS_OF_A_REPORT).max(Duration::from_nanos(1))
    } else {
        control.tick
    }
}
