//! What the handlers of a simulated graph do: send an event on, answer it, or panic.
//!
//! The service itself is over when they are called: the clock was moved by it.

use crate::dice::Dice;
use parking_lot::Mutex;
use seda_core::{Address, Context, Home, Outcome, Responder, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An event of a simulated graph.
#[derive(Debug)]
pub(crate) struct Job {
    reply: Responder<Answer>,
    /// Which way it goes from the first stage, if that is known.
    way: Option<usize>,
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
    pools: Vec<AtomicBool>,
}

impl Touched {
    pub(crate) fn new(pools: usize) -> Self {
        Self { pools: (0..pools).map(|_| AtomicBool::new(false)).collect() }
    }

    pub(crate) fn touch(&self, pool: usize) {
        if let Some(touched) = self.pools.get(pool) {
            touched.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the pool was touched; it no longer is then.
    pub(crate) fn take(&self, pool: usize) -> bool {
        self.pools.get(pool).is_some_and(|touched| {
            touched.load(Ordering::Relaxed) && touched.swap(false, Ordering::Relaxed)
        })
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
}

impl Job {
    pub(crate) fn new(reply: Responder<Answer>, way: Option<usize>) -> Self {
        Self { reply, way }
    }
}

impl Step {
    pub(crate) fn handle(&self, mut job: Job, cx: &mut Context) {
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
