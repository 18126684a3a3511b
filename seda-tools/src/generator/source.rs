//! The next request and its start: on a schedule, or after the think time of a client.

use seda_core::Time;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// A request that is to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: Time,
    /// The index of the request in the workload's targets.
    pub(crate) target: u32,
    pub(crate) client: Option<u32>,
}

/// The source of arrivals.
pub(crate) enum Source {
    Open(Schedule),
    Closed(Clients),
}

impl Source {
    /// Returns when the next request is to start; `None` if no start is known.
    pub(crate) fn next_at(&self) -> Option<Time> {
        match self {
            Source::Open(schedule) => schedule.next.map(|arrival| arrival.at),
            Source::Closed(clients) => clients.ready.front().map(|(at, _)| *at),
        }
    }

    /// Takes the next request; `None` if it is not due.
    pub(crate) fn take(&mut self, now: Time) -> Option<Arrival> {
        self.next_at().filter(|at| *at <= now)?;
        match self {
            Source::Open(schedule) => schedule.take(),
            Source::Closed(clients) => clients.take(),
        }
    }

    /// Schedules the next request of a client, after the end of the last one.
    pub(crate) fn ended(&mut self, client: u32, now: Time) {
        if let Source::Closed(clients) = self {
            clients.schedule_next(client, now);
        }
    }

    /// Drops the requests that would start at `end` or later.
    pub(crate) fn end_at(&mut self, end: Time) {
        match self {
            Source::Open(schedule) => {
                schedule.end = end;
                schedule.next = schedule.next.filter(|arrival| arrival.at < end);
            }
            Source::Closed(clients) => {
                clients.end = clients.end.min(end);
                clients.ready.retain(|(at, _)| *at < end);
            }
        }
    }

    /// Drops all requests that have not started.
    pub(crate) fn stop(&mut self) {
        match self {
            Source::Open(schedule) => schedule.next = None,
            Source::Closed(clients) => {
                clients.end = Time::ZERO;
                clients.ready.clear();
            }
        }
    }
}

/// An open loop: requests start on schedule, independent of earlier answers.
pub(crate) struct Schedule {
    next: Option<Arrival>,
    /// No request starts then or later.
    end: Time,
    rest: Box<dyn Iterator<Item = (u64, u32)> + Send>,
}

impl Schedule {
    /// Makes a schedule of pairs of nanoseconds and target, sorted by time.
    pub(crate) fn new(rest: impl Iterator<Item = (u64, u32)> + Send + 'static) -> Self {
        let mut schedule = Self { next: None, end: Time::NEVER, rest: Box::new(rest) };
        schedule.take();
        schedule
    }

    fn take(&mut self) -> Option<Arrival> {
        let following = self.rest.next().map(|(nanos, target)| Arrival {
            at: Time::from_nanos(nanos),
            target,
            client: None,
        });
        let following = following.filter(|arrival| arrival.at < self.end);
        std::mem::replace(&mut self.next, following)
    }
}

/// A closed loop: each client asks, waits for the end, thinks, and asks again.
pub(crate) struct Clients {
    /// Thinking clients with the end of their think time, soonest first: all think for the same
    /// time.
    ready: VecDeque<(Time, u32)>,
    think: Duration,
    end: Time,
    targets: Box<dyn Iterator<Item = u32> + Send>,
}

impl Clients {
    /// Makes a source for the clients `numbers`. Their first requests are spread over one think
    /// time, so that the clients are not synchronised.
    pub(crate) fn new(
        numbers: impl ExactSizeIterator<Item = u32>,
        think: Duration,
        end: Time,
        targets: impl Iterator<Item = u32> + Send + 'static,
    ) -> Self {
        // Clients are numbered by 32 bits.
        let count = (numbers.len() as u32).max(1);
        let starts = (0..).map(|index| Time::ZERO.after(think * index / count));
        Self { ready: starts.zip(numbers).collect(), think, end, targets: Box::new(targets) }
    }

    fn take(&mut self) -> Option<Arrival> {
        let (at, client) = self.ready.pop_front()?;
        let target = self.targets.next()?;
        Some(Arrival { at, target, client: Some(client) })
    }

    fn schedule_next(&mut self, client: u32, now: Time) {
        let at = now.after(self.think);
        if at < self.end {
            self.ready.push_back((at, client));
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").field("next_at", &self.next_at()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * MILLI)
    }

    #[test]
    fn a_schedule_gives_only_requests_that_are_due() {
        let mut source = Source::Open(Schedule::new([(0, 7), (MILLI, 8)].into_iter()));
        let first = source.take(Time::ZERO).unwrap();
        assert_eq!((first.at, first.target), (Time::ZERO, 7));
        assert_eq!((source.take(Time::ZERO), source.next_at()), (None, Some(at(1))));
        assert_eq!(source.take(at(5)).unwrap().target, 8);
        assert_eq!((source.take(at(5)), source.next_at()), (None, None));
    }

    #[test]
    fn a_client_asks_again_after_its_think_time_and_not_after_the_end() {
        let clients = Clients::new(0..2, Duration::from_millis(20), at(50), std::iter::repeat(3));
        let mut source = Source::Closed(clients);
        let (first, second) = (source.take(at(10)).unwrap(), source.take(at(10)).unwrap());
        assert_eq!((first.at, first.client), (at(0), Some(0)));
        assert_eq!((second.at, second.client), (at(10), Some(1)));
        assert_eq!(source.next_at(), None, "both are waiting for their answers");
        source.ended(1, at(25));
        source.ended(0, at(31));
        assert_eq!(source.take(at(45)).unwrap().client, Some(1));
        assert_eq!(source.next_at(), None, "the other would start after the end");
    }

    #[test]
    fn an_earlier_end_drops_what_would_start_then_or_later() {
        let times = [(0, 0), (MILLI, 1), (2 * MILLI, 2), (3 * MILLI, 3)];
        let mut open = Source::Open(Schedule::new(times.into_iter()));
        open.take(at(0));
        open.end_at(at(2));
        assert_eq!(open.take(at(9)).unwrap().target, 1);
        assert_eq!((open.take(at(9)), open.next_at()), (None, None));
        let clients = Clients::new(0..2, Duration::from_millis(20), at(50), std::iter::repeat(0));
        let mut closed = Source::Closed(clients);
        closed.end_at(at(10));
        assert_eq!(closed.take(at(10)).unwrap().client, Some(0));
        closed.ended(0, at(5));
        assert_eq!(closed.next_at(), None);
    }

    #[test]
    fn a_stopped_source_starts_nothing() {
        let mut open = Source::Open(Schedule::new([(0, 0), (1, 0)].into_iter()));
        let clients = Clients::new(0..2, Duration::ZERO, at(50), std::iter::repeat(0));
        let mut closed = Source::Closed(clients);
        closed.take(at(1));
        for source in [&mut open, &mut closed] {
            source.stop();
            source.ended(0, at(2));
            assert_eq!(source.next_at(), None);
        }
    }
}
