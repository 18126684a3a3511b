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

/// Requests of the closed loop: enough to keep every worker busy, and fewer than any queue holds.
const WINDOW: u64 = 64;
/// The time between two looks of the closed loop at its answers, short against 64 services.
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
}

impl<'a> Clients<'a> {
    pub(crate) fn new(live: &'a Live, description: &'a Description, seed: u64) -> Self {
        let outcomes = Arc::new(Outcomes::default());
        Self { live, description, outcomes, clock: MonotonicClock::new(), rng: Rng(seed) }
    }

    /// Keeps the graph full, and returns the answers per second after `warm_up`.
    pub(crate) fn saturate(&mut self, warm_up: Duration, length: Duration) -> f64 {
        let began = self.clock.now();
        let (mut sent, mut before) = (0, None);
        loop {
            let now = self.clock.now();
            let answered = self.outcomes.answered.load(SeqCst);
            let (then, count) = match before {
                None if now.since(began) >= warm_up => *before.insert((now, answered)),
                None => (now, answered),
                Some(before) => before,
            };
            if now.since(then) >= length {
                return (answered - count) as f64 / now.since(then).as_secs_f64();
            }
            let ended = answered + self.outcomes.lost.load(SeqCst);
            while sent < ended + WINDOW && self.request() {
                sent += 1;
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
