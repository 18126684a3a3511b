//! Fewer wake-ups under a flood: the reactor pauses, so that requests arrive in groups.

use seda_core::Time;
use std::time::Duration;

/// The shortest pause. A flood of 20,000 requests a second then costs 2,000 wake-ups a second, and
/// no client notices the delay.
const PAUSE_LEAST: Duration = Duration::from_micros(500);

/// The longest pause, also without an SLO. 40 of those 20,000 requests arrive in it, so the wake-up
/// costs little per request. A core shared with workers has time slices of this length, so the
/// slowest refusal is not delayed further.
const PAUSE_MOST: Duration = Duration::from_millis(2);

/// The pause is this fraction of the SLO, because it adds to every response time.
const SLO_FRACTION: u32 = 100;

/// Refusals that follow each other within this part of the pause are a flood: a pause groups at
/// least two.
const FLOOD_PART: u32 = 2;

/// Returns the pause for the shortest response-time SLO; `None` without one.
pub(super) fn pause(slo: Option<Duration>) -> Duration {
    slo.map_or(PAUSE_MOST, |slo| (slo / SLO_FRACTION).clamp(PAUSE_LEAST, PAUSE_MOST))
}

/// Detects a flood of refusals.
///
/// A refusal itself is cheap. Waking the reactor, taking a core from a worker, the poll and the
/// next sleep are a third of its cost. Network cards have the same problem and the same remedy:
/// under load they are polled now and then (Mogul and Ramakrishnan, "Eliminating receive
/// livelock", 1996).
#[derive(Debug, Default)]
pub(super) struct WakeupCoalescer {
    refused_total: u64,
    /// The end of the last round with a refusal.
    last_refusal: Option<Time>,
    is_flooded: bool,
}

impl WakeupCoalescer {
    /// Takes in a round from `begun` to `now`. `refused_total` counts all refusals so far; `pause`
    /// returns the time that the reactor would pause, and is asked only after a refusal.
    pub(super) fn note_round(
        &mut self,
        refused_total: u64,
        begun: Time,
        now: Time,
        pause: impl FnOnce() -> Duration,
    ) {
        if refused_total > self.refused_total {
            let flood = pause() / FLOOD_PART;
            self.is_flooded = self.last_refusal.is_some_and(|last| begun.since(last) < flood);
            self.last_refusal = Some(now);
        } else {
            self.is_flooded = false;
        }
        self.refused_total = refused_total;
    }

    /// Returns true if the reactor should pause before it looks at its sockets again.
    pub(super) fn is_flooded(&self) -> bool {
        self.is_flooded
    }

    /// Takes in that a pause ended at `now`: the time until the next refusal counts from there.
    pub(super) fn note_pause_end(&mut self, now: Time) {
        self.last_refusal = self.last_refusal.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Time {
        Time::from_nanos(micros * 1_000)
    }

    #[test]
    fn the_pause_is_a_hundredth_of_the_slo_within_its_bounds() {
        let pauses = [None, Some(10), Some(100), Some(5_000)]
            .map(|slo| pause(slo.map(Duration::from_millis)).as_micros());
        assert_eq!(pauses, [2_000, 500, 1_000, 2_000]);
    }

    #[test]
    fn a_shorter_pause_needs_closer_refusals() {
        let mut coalescer = WakeupCoalescer::default();
        coalescer.note_round(1, at(0), at(5), || PAUSE_LEAST);
        coalescer.note_round(2, at(300), at(305), || PAUSE_LEAST);
        assert!(!coalescer.is_flooded());
        coalescer.note_round(3, at(500), at(505), || PAUSE_LEAST);
        assert!(coalescer.is_flooded());
    }

    #[test]
    fn close_refusals_are_a_flood_until_a_round_without_one() {
        let mut coalescer = WakeupCoalescer::default();
        coalescer.note_round(1, at(0), at(5), || PAUSE_MOST);
        assert!(!coalescer.is_flooded());
        coalescer.note_round(2, at(1_100), at(1_105), || PAUSE_MOST);
        assert!(!coalescer.is_flooded());
        coalescer.note_round(3, at(2_000), at(2_010), || PAUSE_MOST);
        assert!(coalescer.is_flooded());
        coalescer.note_pause_end(at(4_010));
        coalescer.note_round(9, at(4_015), at(4_040), || PAUSE_MOST);
        assert!(coalescer.is_flooded());
        coalescer.note_round(9, at(4_300), at(4_301), || PAUSE_MOST);
        assert!(!coalescer.is_flooded());
    }
}
