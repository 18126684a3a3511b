//! The time that a reactor waits for a core which other threads use.

use seda_core::Time;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The shortest window that is judged. The time slices of a shared core are about half as long.
const WINDOW: Duration = Duration::from_millis(5);

/// The wait is long from this part of a window on. Beside one busy worker and at its fair half of a
/// core, a reactor with too little waits for more than twice as much.
const LONG_PART: u32 = 5;

/// The file of the times of its reader on Linux (kernel documentation, `sched-stats`): nanoseconds
/// on a core, nanoseconds that it could run and had none, time slices.
const TIMES: &str = "/proc/thread-self/schedstat";

/// Bytes of the file: three numbers of at most 20 digits.
const TIMES_BYTES: usize = 64;

/// Measures how long the reactor's thread could run and had no core. One window decides about the
/// next. Where the system does not tell the time, no wait is long.
#[derive(Debug)]
pub(super) struct CoreWait {
    times: Option<File>,
    begun: Time,
    /// The wait so far at the begin of the window; `None` in the first one.
    waited: Option<Duration>,
    is_long: bool,
}

impl CoreWait {
    /// Measures this thread from `now` on.
    pub(super) fn of_this_thread(now: Time) -> Self {
        Self { times: File::open(TIMES).ok(), begun: now, waited: None, is_long: false }
    }

    /// Returns true if the reactor has waited long for a core. It reads the file once in a window,
    /// by one system call.
    pub(super) fn is_long(&mut self, now: Time) -> bool {
        if now.since(self.begun) >= WINDOW
            && let Some(waited) = self.times.as_ref().and_then(read_wait)
        {
            self.end_window(now, waited);
        }
        self.is_long
    }

    fn end_window(&mut self, now: Time, waited: Duration) {
        let window = now.since(self.begun);
        let before = self.waited.replace(waited).unwrap_or(waited);
        self.is_long = waited.saturating_sub(before) * LONG_PART > window;
        self.begun = now;
    }
}

/// Reads how long the thread has waited so far.
fn read_wait(times: &File) -> Option<Duration> {
    let mut text = [0; TIMES_BYTES];
    let length = times.read_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(text.get(..length)?).ok()?;
    let nanos = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_fifth_of_a_window_without_a_core_is_long_until_the_end_of_the_next_window() {
        let mut wait = CoreWait { times: None, begun: at(0), waited: None, is_long: false };
        // The thread may have waited before the first window.
        wait.end_window(at(10), millis(9));
        assert!(!wait.is_long(at(10)));
        wait.end_window(at(20), millis(11));
        assert!(!wait.is_long(at(20)), "a fifth is not more than a fifth");
        wait.end_window(at(30), millis(14));
        assert!(wait.is_long(at(30)));
        wait.end_window(at(40), millis(14));
        assert!(!wait.is_long(at(40)));
    }

    #[test]
    fn without_the_times_of_the_system_no_wait_is_long() {
        let mut wait = CoreWait { times: None, begun: at(0), waited: None, is_long: false };
        assert!(!wait.is_long(at(1_000)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_wait_of_this_thread_is_read_again_and_again() {
        let times = File::open(TIMES).unwrap();
        let first = read_wait(&times).unwrap();
        assert!(read_wait(&times).unwrap() >= first);
    }
}
