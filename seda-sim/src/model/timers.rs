//! Events that enter stages beside the requests.

use super::job::Job;
use super::reply::Reply;
use crate::base::rng::{Purpose, Rng};
use crate::spec::TimerSpec;
use seda_core::Source;

/// A timer that sends events to a stage.
pub(crate) struct Timer {
    rng: Rng,
    /// Mean nanoseconds between two events.
    mean: f64,
    /// The time of the next event, in nanoseconds.
    next: f64,
    source: Source<Job>,
    pools: Vec<usize>,
}

impl Timer {
    /// Returns a timer that sends to `source`, a stage that runs in `pools`; `None` at rate 0.
    pub(crate) fn new(
        spec: &TimerSpec,
        number: usize,
        seed: u64,
        source: Source<Job>,
        pools: Vec<usize>,
    ) -> Option<Self> {
        let mut rng = Rng::new(seed, Purpose::Timer(number));
        let mean = 1e9 / spec.rate;
        let next = mean * rng.exponential();
        mean.is_finite().then_some(Self { rng, mean, next, source, pools })
    }

    /// Returns the time of the next event.
    pub(crate) fn next_due(&self) -> u64 {
        self.next as u64
    }

    /// Sends the event that is due; returns the pools of its stage. A stage that is full refuses
    /// it, and nothing waits for it.
    pub(crate) fn act(&mut self) -> &[usize] {
        self.next += self.mean * self.rng.exponential();
        match self.source.send(Job::new(Reply::None, None, 0, None)) {
            Ok(()) => &self.pools,
            Err(_) => &[],
        }
    }
}
