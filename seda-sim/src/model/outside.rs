//! Deferred events: outside of all workers until a moment.

use crate::base::rng::Rng;
use crate::spec::Demand;
use parking_lot::Mutex;
use seda_core::{Clock, ManualClock, Time};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The events of one stage that are outside.
pub(crate) struct Outside {
    clock: Arc<ManualClock>,
    demand: Demand,
    state: Mutex<OutsideState>,
}

struct OutsideState {
    rng: Rng,
    /// The number of the next event. Events that end together do so in the order of their numbers.
    next_number: u64,
    away: BinaryHeap<Due>,
}

/// Lets a deferred event go on.
pub(crate) type Return = Box<dyn FnOnce() + Send>;

/// A deferred event that comes back at a moment, in nanoseconds.
struct Due {
    at: u64,
    number: u64,
    comes_back: Return,
}

impl Outside {
    /// Returns the outside of a stage without events.
    pub(crate) fn new(clock: &Arc<ManualClock>, demand: &Demand, rng: Rng) -> Self {
        Self {
            clock: Arc::clone(clock),
            demand: demand.clone(),
            state: Mutex::new(OutsideState { rng, next_number: 0, away: BinaryHeap::new() }),
        }
    }

    /// Takes an event over until its time outside is over.
    pub(super) fn begin(&self, comes_back: Return) {
        let now = self.clock.now().nanos_since(Time::ZERO);
        let mut state = self.state.lock();
        let at = now.saturating_add(self.demand.draw(&mut state.rng).round() as u64);
        let number = state.next_number;
        state.next_number += 1;
        state.away.push(Due { at, number, comes_back });
    }

    /// Returns the time at which the next event comes back.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.state.lock().away.peek().map(|due| due.at)
    }

    /// Sends on, or answers, one event that comes back at `now`.
    pub(crate) fn act(&self, now: u64) {
        let mut state = self.state.lock();
        if state.away.peek().is_none_or(|due| due.at > now) {
            return;
        }
        let due = state.away.pop();
        drop(state);
        if let Some(due) = due {
            (due.comes_back)();
        }
    }
}

impl Ord for Due {
    /// The event that comes back first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}
