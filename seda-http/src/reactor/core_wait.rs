//! The time that a reactor waits for a core which other threads use.

use seda_core::Time;
use std::time::Duration;

/// The shortest window that is judged. The time slices of a shared core are about half as long.
const WINDOW: Duration = Duration::from_millis(5);

/// The wait is long from this part of a window on. Beside one busy worker and at its fair half of a
/// core, a reactor with too little waits for more than twice as much.
const LONG_PART: u32 = 5;

/// A pause ends late by this part of it on a free core: the slack of the kernel's timers is 50 µs.
const SLACK_PART: u32 = 10;

/// Measures how long a reactor could run and had no core: what is left of the time of a window
/// after its sleeps and its CPU time. One window decides about the next.
#[derive(Debug)]
pub(super) struct CoreWait {
    begun: Time,
    /// The CPU time of the thread at the begin of the window.
    cpu: Duration,
    asleep: Duration,
    is_long: bool,
}

impl CoreWait {
    pub(super) fn new(now: Time) -> Self {
        // In the first window the thread has run for as long as it has lived, so it is no wait.
        Self { begun: now, cpu: Duration::ZERO, asleep: Duration::ZERO, is_long: false }
    }

    /// Takes in a sleep from `begun` to `ended`. A pause was to last for `pause`; the rest of it is
    /// a wait.
    pub(super) fn note_sleep(&mut self, begun: Time, ended: Time, pause: Option<Duration>) {
        let slept = ended.since(begun);
        let meant = pause.map_or(slept, |pause| slept.min(pause + pause / SLACK_PART));
        self.asleep += meant;
    }

    /// Returns true if the reactor has waited long for a core. `cpu` returns the CPU time of its
    /// thread, and is asked once in a window.
    pub(super) fn is_long(&mut self, now: Time, cpu: impl FnOnce() -> Duration) -> bool {
        let window = now.since(self.begun);
        if window >= WINDOW {
            let cpu = cpu();
            let ran = cpu.saturating_sub(self.cpu);
            let waited = window.saturating_sub(ran).saturating_sub(self.asleep);
            let is_long = waited * LONG_PART > window;
            *self = Self { begun: now, cpu, asleep: Duration::ZERO, is_long };
        }
        self.is_long
    }
}

/// Returns the CPU time of this thread so far. Without a clock of it no wait is seen: the result is
/// [`Duration::MAX`].
pub(super) fn thread_cpu_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or(Duration::MAX)
    }
    #[cfg(not(unix))]
    Duration::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(at: u64) -> Time {
        Time::from_nanos(at * 1_000_000)
    }

    #[test]
    fn a_reactor_that_runs_or_sleeps_does_not_wait() {
        let mut wait = CoreWait::new(at(0));
        wait.note_sleep(at(0), at(4), None);
        assert!(!wait.is_long(at(10), || millis(6)));
    }

    #[test]
    fn a_fifth_of_a_window_without_a_core_is_long_until_the_end_of_the_next_window() {
        let mut wait = CoreWait::new(at(0));
        assert!(!wait.is_long(at(10), || millis(8)));
        assert!(wait.is_long(at(20), || millis(15)));
        assert!(wait.is_long(at(24), || millis(19)), "the window has not ended");
        assert!(!wait.is_long(at(30), || millis(25)));
    }

    #[test]
    fn a_pause_that_ends_late_is_a_wait_and_a_late_event_is_none() {
        let mut wait = CoreWait::new(at(0));
        wait.note_sleep(at(0), at(6), Some(millis(2)));
        assert!(wait.is_long(at(10), || millis(4)));
        wait.note_sleep(at(10), at(16), None);
        assert!(!wait.is_long(at(20), || millis(8)));
    }
}
