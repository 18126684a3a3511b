//! Events and handlers of a simulated graph. A handler sends its event on, answers it, or panics.
//!
//! A handler is called after the service: the clock has moved by the service time already.

use super::inside::Counted;
use super::outside::WayOut;
use crate::base::rng::Rng;
use parking_lot::Mutex;
use seda_core::{Context, Handler, Outcome, ReplyAddress, ReplySink, Responder, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// An event of a simulated graph.
#[derive(Debug)]
pub(crate) struct Job {
    reply: Responder<Answer>,
    /// The index of its edge from the first stage, if that is known at the entry. An index behind
    /// the last edge means that the first stage answers.
    route: Option<usize>,
    /// Its demand by a trace, in nanoseconds.
    demand: u64,
    /// Counts it as inside the graph, if a demand depends on that.
    _counted: Option<Counted>,
}

/// The answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// A later stage refused the event.
    Refused,
}

/// How an attempt ended in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    Answered(Answer),
    Lost,
}

/// Receives the ends of attempts until the clients collect them.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    ends: Mutex<Vec<(ReplyAddress, AttemptEnd)>>,
}

impl ReplySink<Answer> for Mailbox {
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<Answer>) {
        let end = match outcome {
            Outcome::Answered(answer) => AttemptEnd::Answered(answer),
            Outcome::Lost(_) => AttemptEnd::Lost,
        };
        self.ends.lock().push((address, end));
    }
}

impl Mailbox {
    /// Moves everything received to `into`.
    pub(crate) fn collect(&self, into: &mut Vec<(ReplyAddress, AttemptEnd)>) {
        into.append(&mut self.ends.lock());
    }
}

/// The pools that may have new events.
#[derive(Debug)]
pub(crate) struct TouchedPools {
    /// By pool: whether it is in `list`.
    is_listed: Vec<AtomicBool>,
    list: Mutex<Vec<usize>>,
}

impl TouchedPools {
    /// Returns the empty set of `pools` pools.
    pub(crate) fn new(pools: usize) -> Self {
        let is_listed = (0..pools).map(|_| AtomicBool::new(false)).collect();
        Self { is_listed, list: Mutex::default() }
    }

    /// Adds a pool.
    pub(crate) fn touch(&self, pool: usize) {
        debug_assert!(pool < self.is_listed.len(), "an unknown pool");
        if let Some(is_listed) = self.is_listed.get(pool)
            && !is_listed.load(Ordering::Relaxed)
        {
            is_listed.store(true, Ordering::Relaxed);
            self.list.lock().push(pool);
        }
    }

    /// Moves all pools to `into`, sorted by index.
    pub(crate) fn take(&self, into: &mut Vec<usize>) {
        into.append(&mut self.list.lock());
        into.sort_unstable();
        for is_listed in into.iter().filter_map(|pool| self.is_listed.get(*pool)) {
            is_listed.store(false, Ordering::Relaxed);
        }
    }
}

/// The demand by a trace of all events in the batch that is being begun, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct TracedDemand(AtomicU64);

impl TracedDemand {
    fn add(&self, demand: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_add(demand), Ordering::Relaxed);
    }

    /// Returns the demand and sets it to 0.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// An edge to another stage.
#[derive(Clone)]
pub(crate) struct Edge {
    /// Cumulative probability: that an event takes this edge or an earlier one.
    pub(crate) until: f64,
    pub(crate) sink: Sink<Job>,
    /// The pools of the other stage.
    pub(crate) pools: Vec<usize>,
}

/// The handler of a simulated stage. All its workers share one stream of random numbers.
#[derive(Clone)]
pub(crate) struct StageHandler {
    pub(crate) edges: Vec<Edge>,
    /// The probability that an event makes it panic.
    pub(crate) panics: f64,
    pub(crate) rng: Arc<Mutex<Rng>>,
    pub(crate) touched: Arc<TouchedPools>,
    /// Receives the demand of each event that is begun; `None` unless the stage takes its demands
    /// from a trace.
    pub(crate) traced: Option<Arc<TracedDemand>>,
    /// The way outside, behind the service; `None` unless the stage defers its events.
    pub(crate) outside: Option<WayOut>,
}

impl Job {
    pub(crate) fn new(
        reply: Responder<Answer>,
        route: Option<usize>,
        demand: u64,
        counted: Option<Counted>,
    ) -> Self {
        Self { reply, route, demand, _counted: counted }
    }

    /// Ends the event with an answer to its client.
    pub(crate) fn answer(self, answer: Answer) {
        self.reply.respond(answer);
    }
}

impl Handler<Job> for StageHandler {
    fn begin(&mut self, job: &Job) {
        if let Some(traced) = &self.traced {
            traced.add(job.demand);
        }
    }

    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        if self.panics > 0.0 && self.rng.lock().unit() < self.panics {
            // A panic without the panic hook: a million messages on stderr would help no user.
            std::panic::resume_unwind(Box::new("a simulated fault"));
        }
        let edge = match job.route.take() {
            Some(known) => self.edges.get(known),
            None => self.draw_edge(),
        };
        if let Some(outside) = &self.outside {
            match cx.defer() {
                Ok(pending) => outside.leave(pending, job, edge.cloned()),
                // The stage has as many events outside as it may.
                Err(_) => job.answer(Answer::Refused),
            }
            return;
        }
        let Some(edge) = edge else {
            job.answer(Answer::Done);
            return;
        };
        match cx.send(&edge.sink, job) {
            Ok(()) => edge.pools.iter().for_each(|pool| self.touched.touch(*pool)),
            Err(refused) => refused.into_event().answer(Answer::Refused),
        }
    }
}

impl StageHandler {
    /// Draws the edge that an event takes; `None` if it is answered here.
    fn draw_edge(&self) -> Option<&Edge> {
        match self.edges.as_slice() {
            [] => None,
            [only] if only.until >= 1.0 => Some(only),
            edges => {
                let drawn = self.rng.lock().unit();
                edges.iter().find(|edge| drawn < edge.until)
            }
        }
    }
}
