//! The load: a closed loop that keeps a graph full, and an open one at a given rate.

use crate::description::Description;
use crate::graph::Live;
use crate::job::{Answer, Job};
use benches::rng::Rng;
use seda_core::{
    Class, Clock, MonotonicClock, Outcome, ReplyAddress, ReplySink, Responder, SendOptions,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Requests of the closed loop: enough to keep the workers of a full stage busy, and few enough to
/// gather there soon.
const WINDOW: u64 = 24;
/// The time between two looks of the closed loop at its answers, short against 24 services.
const POLL: Duration = Duration::from_millis(1);

/// The outcomes of the requests of one load.
#[derive(Debug, Default)]
struct Outcomes {
    answered: AtomicU64,
    lost: AtomicU64,
}

impl ReplySink<()> for Outcomes {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<()>) {
        let count = match outcome {
            Outcome::Answered(()) => &self.answered,
            Outcome::Lost(_) => &self.lost,
        };
        count.fetch_add(1, SeqCst);
    }
}

/// The clients of one graph.
pub(crate) struct Clients<'a> {
    live: &'a Live,
    description: &'a Description,
    outcomes: Arc<Outcomes>,
    clock: MonotonicClock,
    rng: Rng,
    /// Requests of the closed loop.
    sent: u64,
}

impl<'a> Clients<'a> {
    pub(crate) fn new(live: &'a Live, description: &'a Description, seed: u64) -> Self {
        let outcomes = Arc::new(Outcomes::default());
        let (clock, rng) = (MonotonicClock::new(), Rng(seed));
        Self { live, description, outcomes, clock, rng, sent: 0 }
    }

    /// Keeps the graph full for `length`, and returns the answers per second.
    pub(crate) fn saturate(&mut self, length: Duration) -> f64 {
        let (began, before) = (self.clock.now(), self.outcomes.answered.load(SeqCst));
        loop {
            let elapsed = self.clock.now().since(began);
            let answered = self.outcomes.answered.load(SeqCst);
            if elapsed >= length {
                return (answered - before) as f64 / elapsed.as_secs_f64();
            }
            let ended = answered + self.outcomes.lost.load(SeqCst);
            while self.sent < ended + WINDOW && self.request() {
                self.sent += 1;
            }
            std::thread::park_timeout(POLL);
        }
    }

    /// Sends requests at `rate`, with exponential gaps, for `length`.
    pub(crate) fn offer(&mut self, rate: f64, length: Duration) {
        let end = self.clock.now().after(length);
        let mut due = self.clock.now();
        while due < end {
            let left = due.since(self.clock.now());
            if !left.is_zero() {
                std::thread::park_timeout(left);
                continue;
            }
            self.request();
            let gap = -(1.0 - self.draw()).ln() / rate;
            due = due.after(Duration::from_secs_f64(gap));
        }
    }

    /// Makes one request; false if it is refused.
    fn request(&mut self) -> bool {
        let is_second_class = self.draw() < self.description.second_class;
        let is_hot = self.draw() < self.description.hot_key;
        let key = if is_hot { 0 } else { self.rng.next_u64() };
        let seed = self.rng.next_u64();
        let class = Class::new(u8::from(is_second_class));
        let options = SendOptions { class, ..SendOptions::default() };
        let home: Arc<dyn ReplySink<()>> = Arc::<Outcomes>::clone(&self.outcomes);
        let event =
            |reply: Responder<()>| Job::new(key, is_second_class, seed, Some(Answer::new(reply)));
        self.live.entry.request_to(home, ReplyAddress::default(), options, event).is_ok()
    }

    fn draw(&mut self) -> f64 {
        self.rng.below(1 << 20) as f64 / f64::from(1 << 20)
    }
}
