//! Events outside: their handler has deferred them, and no worker waits for them.

use super::job::{Answer, Edge, Job};
use crate::base::rng::Rng;
use crate::spec::Demand;
use parking_lot::Mutex;
use seda_core::Pending;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The way out of one stage: the time that its events are outside.
#[derive(Clone)]
pub(crate) struct WayOut {
    demand: Demand,
    rng: Arc<Mutex<Rng>>,
    /// The pools of the stage.
    pools: Vec<usize>,
    leaving: Leaving,
}

/// The events that handlers have deferred since the machine looked last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving(Arc<Mutex<Vec<Deferred>>>);

/// The events outside. All times are in nanoseconds.
#[derive(Debug)]
pub(crate) struct Outside {
    leaving: Leaving,
    /// By the time of their return, and by a number that keeps their order.
    events: BTreeMap<(u64, u64), Deferred>,
    /// The number of the next event.
    next_number: u64,
}

/// An event outside.
pub(crate) struct Deferred {
    pending: Pending,
    job: Job,
    /// The edge that it takes at its return; `None` if it is answered then.
    edge: Option<Edge>,
    length: u64,
    pools: Vec<usize>,
}

impl WayOut {
    pub(crate) fn new(demand: Demand, rng: Rng, pools: Vec<usize>, leaving: Leaving) -> Self {
        Self { demand, rng: Arc::new(Mutex::new(rng)), pools, leaving }
    }

    /// Sends a deferred event outside, for a drawn time.
    pub(crate) fn leave(&self, pending: Pending, job: Job, edge: Option<Edge>) {
        let length = self.demand.draw(&mut self.rng.lock()).round() as u64;
        let deferred = Deferred { pending, job, edge, length, pools: self.pools.clone() };
        self.leaving.0.lock().push(deferred);
    }
}

impl Outside {
    pub(crate) fn new(leaving: Leaving) -> Self {
        Self { leaving, events: BTreeMap::new(), next_number: 0 }
    }

    /// Takes over the events that handlers have deferred at `now`.
    pub(crate) fn take_leaving(&mut self, now: u64) {
        for deferred in self.leaving.0.lock().drain(..) {
            let at = (now.saturating_add(deferred.length), self.next_number);
            self.events.insert(at, deferred);
            self.next_number += 1;
        }
    }

    /// Returns the time at which the next event returns.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets the events that are due at `now` go on: each is sent over its edge, or answered.
    /// `touch` is called with the pools that may have work then.
    pub(crate) fn act(&mut self, now: u64, mut touch: impl FnMut(&[usize])) {
        while let Some(first) = self.events.first_entry()
            && first.key().0 <= now
        {
            let Deferred { mut pending, job, edge, pools, .. } = first.remove();
            match edge {
                None => job.answer(Answer::Done),
                Some(edge) => match pending.send(&edge.sink, job) {
                    Ok(()) => touch(&edge.pools),
                    Err(refused) => refused.into_event().answer(Answer::Refused),
                },
            }
            pending.complete();
            // The event's place is free, and its workers may take another one.
            touch(&pools);
        }
    }
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deferred").field("job", &self.job).finish_non_exhaustive()
    }
}
