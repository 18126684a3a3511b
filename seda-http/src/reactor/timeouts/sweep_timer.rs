//! The timer of the sweeps over all connections' time limits.

use seda_core::Time;
use std::time::Duration;

/// The least time between two sweeps, and so the precision of time limits. A sweep over 10,000
/// connections takes 0.1 ms.
const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// Says when a reactor sweeps over its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SweepTimer {
    last_sweep: Time,
    /// [`Time::NEVER`] while no connection has a time limit.
    next_sweep: Time,
}

impl SweepTimer {
    pub(crate) fn new(now: Time) -> Self {
        Self { last_sweep: now, next_sweep: Time::NEVER }
    }

    /// Schedules a sweep for `due`, or for the first moment after it that a sweep is allowed.
    pub(crate) fn schedule(&mut self, due: Time) {
        self.next_sweep = self.next_sweep.min(due.max(self.last_sweep.after(SWEEP_EVERY)));
    }

    /// Returns true if a sweep is due, and begins it: the caller schedules every connection anew.
    pub(crate) fn begin_if_due(&mut self, now: Time) -> bool {
        let is_due = self.next_sweep <= now;
        if is_due {
            *self = Self::new(now);
        }
        is_due
    }

    /// Returns the time of the next sweep.
    pub(crate) fn next_sweep(&self) -> Time {
        self.next_sweep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_sweep_follows_its_due_time_but_not_the_last_sweep_too_closely() {
        let mut timer = SweepTimer::new(at(0));
        assert!(!timer.begin_if_due(at(10_000)), "no limit is scheduled");
        timer.schedule(at(1_000));
        timer.schedule(at(100));
        assert_eq!(timer.next_sweep(), at(250));
        assert!(!timer.begin_if_due(at(249)));
        assert!(timer.begin_if_due(at(300)));
        assert_eq!(timer.next_sweep(), Time::NEVER);
        timer.schedule(at(1_000));
        assert_eq!(timer.next_sweep(), at(1_000));
    }
}
