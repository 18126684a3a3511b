//! A reactor under a flood lets requests gather before it looks again.

use seda_core::Time;
use std::time::Duration;

/// How long requests gather, at least: a flood of 20,000 a second then costs 2,000 wake-ups instead
/// of as many as there are requests. No client notices.
const LEAST: Duration = Duration::from_micros(500);
/// And at most. 40 of those 20,000 come meanwhile, and a wake-up for 40 is next to nothing; a core
/// shared with workers has slices as long as this, so the worst refusal takes no longer.
const MOST: Duration = Duration::from_millis(2);
/// Between the two it is this part of what was promised: it comes on top of all response times.
const OF_PROMISE: u32 = 100;

/// How long requests gather where this response time was promised.
pub(super) fn pause(promised: Option<Duration>) -> Duration {
    promised.map_or(LEAST, |promised| (promised / OF_PROMISE).clamp(LEAST, MOST))
}

/// Refusals that follow each other within this are a flood: then at least two gather.
const FLOOD: Duration = Duration::from_micros(250);

/// Whom a reactor turned away, and when.
///
/// A refusal is cheap but for what surrounds it: the reactor is woken for it, takes the core from
/// a worker, polls, and sleeps again, which is a third of the cost. Network cards have the same
/// trouble and the same cure: under load they are looked at now and then (Mogul and Ramakrishnan,
/// "Eliminating receive livelock", 1996).
#[derive(Debug, Default)]
pub(super) struct WakeupCoalescer {
    refused_total: u64,
    /// When the round ended that turned somebody away.
    at: Option<Time>,
    flood: bool,
}

impl WakeupCoalescer {
    /// A round has ended, at `now`, that began at `begun`; `refused_total` counts all refusals.
    pub(super) fn note(&mut self, refused_total: u64, begun: Time, now: Time) {
        let more = std::mem::replace(&mut self.refused_total, refused_total) < refused_total;
        if more {
            self.flood = self.at.is_some_and(|at| begun.since(at) < FLOOD);
            self.at = Some(now);
        } else {
            self.flood = false;
        }
    }

    /// Whether to let requests gather now.
    pub(super) fn is_flooded(&self) -> bool {
        self.flood
    }

    /// Requests have note_pause_end until `now`: what is there did not just come.
    pub(super) fn note_pause_end(&mut self, now: Time) {
        self.at = self.at.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Time {
        Time::from_nanos(micros * 1_000)
    }

    #[test]
    fn requests_gather_for_a_hundredth_of_what_was_promised() {
        let pauses = [None, Some(10), Some(100), Some(5_000)]
            .map(|promised| pause(promised.map(Duration::from_millis)).as_micros());
        assert_eq!(pauses, [500, 500, 1_000, 2_000]);
    }

    #[test]
    fn refusals_that_follow_each_other_closely_are_a_flood_until_a_round_without() {
        let mut coalescer = WakeupCoalescer::default();
        coalescer.note(1, at(0), at(5));
        assert!(!coalescer.is_flooded());
        coalescer.note(2, at(1_000), at(1_005));
        assert!(!coalescer.is_flooded());
        coalescer.note(3, at(1_200), at(1_210));
        assert!(coalescer.is_flooded());
        coalescer.note_pause_end(at(1_710));
        coalescer.note(9, at(1_715), at(1_740));
        assert!(coalescer.is_flooded());
        coalescer.note(9, at(2_300), at(2_301));
        assert!(!coalescer.is_flooded());
    }
}
