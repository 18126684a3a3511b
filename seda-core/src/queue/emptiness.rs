//! The times in which a queue was empty.

use crate::platform::Time;

/// The times in which a queue was empty. A queue that empties now and then absorbs bursts; one that
/// never does only delays events.
#[derive(Debug, Default)]
pub(super) struct Emptiness {
    /// When the queue last became empty.
    since: Time,
    /// Until when it was empty; before `since` while it is.
    until: Time,
    /// Nanoseconds in which it was empty, up to `until`.
    nanos: u64,
}

impl Emptiness {
    /// The queue becomes empty at `now`.
    pub(super) fn begin(&mut self, now: Time) {
        self.since = now;
    }

    /// The empty queue is filled at `now`.
    #[inline]
    pub(super) fn end(&mut self, now: Time) {
        self.nanos += now.nanos_since(self.since);
        (self.since, self.until) = (now, now);
    }

    /// Returns until when the queue was empty.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Returns the nanoseconds in which the queue was empty; `is_empty` says whether it is.
    pub(super) fn nanos(&self, is_empty: bool, now: Time) -> u64 {
        self.nanos + if is_empty { now.nanos_since(self.since) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_times_add_up_and_the_last_one_ends_when_the_queue_is_filled() {
        let at = Time::from_nanos;
        let mut times = Emptiness::default();
        times.end(at(10));
        assert_eq!((times.nanos(false, at(15)), times.until()), (10, at(10)));
        times.begin(at(20));
        assert_eq!(times.nanos(true, at(25)), 15);
        times.end(at(30));
        assert_eq!((times.nanos(false, at(99)), times.until()), (20, at(30)));
    }
}
