//! What the handlers of a simulated graph do: send an event on, answer it, or panic.
//!
//! The service itself is over when they are called: the clock was moved by it.

use crate::base::rng::Dice;
use parking_lot::Mutex;
use seda_core::{Address, Context, Handler, Home, Outcome, Responder, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// An event of a simulated graph.
#[derive(Debug)]
pub(crate) struct Job {
    reply: Responder<Answer>,
    /// Which way it goes from the first stage, if that is known.
    way: Option<usize>,
    /// What a trace says that it demands, in nanoseconds.
    demand: u64,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// A later stage had no room.
    Refused,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Answered(Answer),
    Lost,
}

/// Where answers arrive.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    outcomes: Mutex<Vec<(Address, Ended)>>,
}

impl Home<Answer> for Mailbox {
    fn deliver(&self, address: Address, outcome: Outcome<Answer>) {
        let ended = match outcome {
            Outcome::Answered(answer) => Ended::Answered(answer),
            Outcome::Lost(_) => Ended::Lost,
        };
        self.outcomes.lock().push((address, ended));
    }
}

impl Mailbox {
    /// Moves what has arrived to `into`.
    pub(crate) fn collect(&self, into: &mut Vec<(Address, Ended)>) {
        into.append(&mut self.outcomes.lock());
    }
}

/// Pools that something was sent to since they were last looked after.
#[derive(Debug)]
pub(crate) struct Touched {
    /// By pool: whether it is in the list.
    listed: Vec<AtomicBool>,
    list: Mutex<Vec<usize>>,
}

impl Touched {
    pub(crate) fn new(pools: usize) -> Self {
        let listed = (0..pools).map(|_| AtomicBool::new(false)).collect();
        Self { listed, list: Mutex::default() }
    }

    pub(crate) fn touch(&self, pool: usize) {
        if let Some(listed) = self.listed.get(pool).filter(|listed| !listed.load(Ordering::Relaxed))
        {
            listed.store(true, Ordering::Relaxed);
            self.list.lock().push(pool);
        }
    }

    /// Moves those that were touched to `into`, in order of declaration; they no longer are then.
    pub(crate) fn take(&self, into: &mut Vec<usize>) {
        into.append(&mut self.list.lock());
        into.sort_unstable();
        for listed in into.iter().filter_map(|pool| self.listed.get(*pool)) {
            listed.store(false, Ordering::Relaxed);
        }
    }
}

/// What the events in the batch that was just begun demand together, in nanoseconds, as far as a
/// trace says it.
#[derive(Debug, Default)]
pub(crate) struct Foreseen(AtomicU64);

impl Foreseen {
    fn add(&self, demand: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_add(demand), Ordering::Relaxed);
    }

    /// What it is; nothing is foreseen then.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// A way on: with this probability or less, to this stage, whose pools are these.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) until: f64,
    pub(crate) sink: Sink<Job>,
    pub(crate) pools: Vec<usize>,
}

/// The handler of one stage; its workers share the dice.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) ways: Vec<Way>,
    pub(crate) panics: f64,
    pub(crate) dice: Arc<Mutex<Dice>>,
    pub(crate) touched: Arc<Touched>,
    /// Where it says what a trace demands of it; none if its demand is drawn.
    pub(crate) foreseen: Option<Arc<Foreseen>>,
}

impl Job {
    pub(crate) fn new(reply: Responder<Answer>, way: Option<usize>, demand: u64) -> Self {
        Self { reply, way, demand }
    }
}

impl Handler<Job> for Step {
    fn begin(&mut self, job: &Job) {
        if let Some(foreseen) = &self.foreseen {
            foreseen.add(job.demand);
        }
    }

    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        if self.panics > 0.0 && self.dice.lock().unit() < self.panics {
            // As a panic, but without the hook: a million of them are no news on stderr.
            std::panic::resume_unwind(Box::new("a simulated fault"));
        }
        let way = match job.way.take() {
            Some(known) => self.ways.get(known),
            None => self.draw_way(),
        };
        let Some(way) = way else {
            job.reply.respond(Answer::Done);
            return;
        };
        match cx.send(&way.sink, job) {
            Ok(()) => way.pools.iter().for_each(|pool| self.touched.touch(*pool)),
            Err(refused) => refused.into_event().reply.respond(Answer::Refused),
        }
    }
}

impl Step {
    fn draw_way(&self) -> Option<&Way> {
        match self.ways.as_slice() {
            [] => None,
            [only] if only.until >= 1.0 => Some(only),
            ways => {
                let drawn = self.dice.lock().unit();
                ways.iter().find(|way| drawn < way.until)
            }
        }
    }
}
