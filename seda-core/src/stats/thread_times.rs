//! The time that events outside spend on threads.

/// The least share of its time that an event is taken to spend on a thread: it keeps the number of
/// events that would fill the threads finite.
const LEAST_SHARE: f64 = 1e-9;

/// The utilization of the threads by the events outside at most, as that of a pool's workers: with
/// a place more than the threads need, a thread finds the next event at once.
const UTILIZATION: f64 = 0.8;

/// Sums over events that were outside and have told the time that they ran, in nanoseconds. 64 bits
/// would last for days only with ten thousand events outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadTimes {
    pub(crate) events: u64,
    /// From the taking to the completion.
    pub(crate) outside: u128,
    /// Of it, the time on a thread.
    pub(crate) running: u128,
    /// Of it, the time in which the event could have run and no thread was free.
    pub(crate) waiting: u128,
}

impl ThreadTimes {
    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.outside = self.outside.saturating_add(other.outside);
        self.running = self.running.saturating_add(other.running);
        self.waiting = self.waiting.saturating_add(other.waiting);
    }

    /// Returns the part that was added after `then`.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            events: self.events.saturating_sub(then.events),
            outside: self.outside.saturating_sub(then.outside),
            running: self.running.saturating_sub(then.running),
            waiting: self.waiting.saturating_sub(then.waiting),
        }
    }

    /// Returns the time spent waiting for a thread, in nanoseconds.
    pub(crate) fn waiting_nanos(self) -> u64 {
        u64::try_from(self.waiting).unwrap_or(u64::MAX)
    }

    /// Returns how many events outside keep `threads` threads busy if none of them waits for a
    /// thread; `None` without events.
    fn filling(self, threads: usize) -> Option<f64> {
        self.per_running(self.outside.saturating_sub(self.waiting), threads)
    }

    /// Returns how many places for events outside are of use with `threads` threads; `None` without
    /// events.
    pub(crate) fn places_of_use(self, threads: usize) -> Option<f64> {
        self.filling(threads).map(|events| (events / UTILIZATION).ceil())
    }

    /// Returns how many events outside were served at once by `threads` busy threads, with those
    /// that waited for one; `None` without events.
    pub(crate) fn served_at_once(self, threads: usize) -> Option<f64> {
        self.per_running(self.outside, threads)
    }

    fn per_running(self, nanos: u128, threads: usize) -> Option<f64> {
        if self.events == 0 {
            return None;
        }
        let share = self.running as f64 / nanos.max(1) as f64;
        // An event cannot run for longer than it is outside.
        Some(threads as f64 / share.clamp(LEAST_SHARE, 1.0))
    }

    /// Returns the mean time on a thread, in seconds; `None` without events.
    pub(crate) fn mean_running_seconds(self) -> Option<f64> {
        (self.events > 0).then(|| self.running as f64 / self.events as f64 / 1e9)
    }

    /// Returns the mean time spent waiting for a thread, in seconds; `None` without events.
    pub(crate) fn mean_waiting_seconds(self) -> Option<f64> {
        (self.events > 0).then(|| self.waiting as f64 / self.events as f64 / 1e9)
    }

    /// Returns the part of the time on a thread; `None` without events.
    pub(crate) fn running_share(self) -> Option<f64> {
        (self.events > 0).then(|| part(self.running, self.outside))
    }

    /// Returns the part of the time spent waiting for a thread; `None` without events.
    pub(crate) fn waiting_share(self) -> Option<f64> {
        (self.events > 0).then(|| part(self.waiting, self.outside))
    }
}

fn part(nanos: u128, whole: u128) -> f64 {
    (nanos as f64 / whole.max(1) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_compute_fill_the_threads_with_as_many_however_long_they_waited() {
        // Two threads; each event computes for 10 ms and waits for a thread for 30 ms.
        let times = ThreadTimes { events: 10, outside: 400, running: 100, waiting: 300 };
        assert_eq!(times.filling(2), Some(2.0));
        assert_eq!(times.places_of_use(2), Some(3.0));
        assert_eq!(times.served_at_once(2), Some(8.0));
        assert_eq!((times.running_share(), times.waiting_share()), (Some(0.25), Some(0.75)));
    }

    #[test]
    fn events_that_sleep_fill_the_threads_with_many() {
        let times = ThreadTimes { events: 1, outside: 20_000, running: 50, waiting: 0 };
        assert_eq!(times.filling(1), Some(400.0));
        assert_eq!(times.served_at_once(2), Some(800.0));
        assert_eq!(ThreadTimes::default().filling(1), None);
    }

    #[test]
    fn a_sum_since_an_earlier_one_has_the_events_in_between() {
        let mut sum = ThreadTimes { events: 1, outside: 5, running: 2, waiting: 1 };
        let then = sum;
        sum.add(ThreadTimes { events: 2, outside: 10, running: 4, waiting: 0 });
        assert_eq!(sum.since(then), ThreadTimes { events: 2, outside: 10, running: 4, waiting: 0 });
    }
}
