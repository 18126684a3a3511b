//! Split turns, for a simulation that steps real workers with simulated service times.
//!
//! The feature `simulation` adds them: `begin` takes a batch, the simulation moves its clock by the
//! service time, `complete` runs the handler. Without the feature a turn is always whole.

use crate::worker::{BatchInHand, Turn, Worker};
use std::time::Duration;

/// The result of [`Worker::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A batch is in hand, to be completed.
    Batch {
        /// Its stage, by number in order of declaration. Each replica with a queue has a number.
        stage: usize,
        /// Events in hand; zero if all events that were taken were shed.
        events: usize,
    },
    /// As [`Turn::Idle`].
    Idle(Option<crate::Time>),
    /// As [`Turn::Retired`].
    Retired,
}

impl Worker {
    /// Does the first half of a [turn](Worker::turn): takes a batch at the clock's present moment
    /// and keeps it in hand. The driver of the clock then moves it by the batch's service time and
    /// calls [`Worker::complete`].
    ///
    /// Each event of a batch counts with the batch's mean service time, because all of them end
    /// together. An event whose client has gone is not begun. An event that has begun is handled,
    /// even if its client goes meanwhile.
    ///
    /// If a batch is in hand already, it returns that batch and does nothing.
    pub fn begin(&mut self) -> Begun {
        let in_hand = match self.in_hand {
            Some(in_hand) => in_hand,
            None => match self.begin_chosen() {
                Ok(in_hand) => in_hand,
                Err(Turn::Retired) => return Begun::Retired,
                Err(Turn::Idle(until)) => return Begun::Idle(until),
                Err(Turn::Ran(_)) => return Begun::Idle(None),
            },
        };
        let stage = self.stages.get(in_hand.chosen.place).map_or(0, |own| own.runner.stage());
        Begun::Batch { stage, events: in_hand.events }
    }

    fn begin_chosen(&mut self) -> Result<BatchInHand, Turn> {
        let chosen = self.choose()?;
        let own = self.stages.get_mut(chosen.place).ok_or(Turn::Idle(None))?;
        let begun = own.runner.begin(&mut self.cx, chosen.place, chosen.others, chosen.now);
        let in_hand = BatchInHand { chosen, events: begun.ok_or(Turn::Idle(None))? };
        self.in_hand = Some(in_hand);
        Ok(in_hand)
    }

    /// Does the second half of a turn: runs the handler over the batch in hand and publishes its
    /// sends, at the clock's present moment. Returns how many events were begun; 0 without a batch.
    pub fn complete(&mut self) -> usize {
        self.complete_in_hand()
    }

    /// Adds to the time that the worker has spent on a core, and waiting for one. The kernel cannot
    /// measure simulated service, so after the first call, even with zeros, its figures for this
    /// worker are not read.
    pub fn credit(&self, cpu: Duration, run_queue: Duration) {
        self.cx.worker_stats().credit(cpu, run_queue);
    }
}
