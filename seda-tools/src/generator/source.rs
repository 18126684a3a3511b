//! Which request is to start next, and when: on a schedule, or as clients come round again.

use seda_core::Time;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// One request that is to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: Time,
    /// Which of the workload's targets.
    pub(crate) target: u32,
    pub(crate) client: Option<u32>,
}

/// Where arrivals come from.
pub(crate) enum Source {
    Open(Schedule),
    Closed(Clients),
}

impl Source {
    /// When the next request is to start; `None` if nothing is known of any.
    pub(crate) fn next_at(&self) -> Option<Time> {
        match self {
            Source::Open(schedule) => schedule.next.map(|arrival| arrival.at),
            Source::Closed(clients) => clients.ready.front().map(|(at, _)| *at),
        }
    }

    /// The next request, if it is due.
    pub(crate) fn take(&mut self, now: Time) -> Option<Arrival> {
        self.next_at().filter(|at| *at <= now)?;
        match self {
            Source::Open(schedule) => schedule.take(),
            Source::Closed(clients) => clients.take(),
        }
    }

    /// A client's request has ended.
    pub(crate) fn ended(&mut self, client: u32, now: Time) {
        if let Source::Closed(clients) = self {
            clients.come_round(client, now);
        }
    }

    /// Nothing is to start any more.
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

/// An open loop: requests start when they are scheduled, whatever became of those before.
pub(crate) struct Schedule {
    next: Option<Arrival>,
    rest: Box<dyn Iterator<Item = (u64, u32)> + Send>,
}

impl Schedule {
    /// Of pairs of nanoseconds and target, ascending.
    pub(crate) fn new(rest: impl Iterator<Item = (u64, u32)> + Send + 'static) -> Self {
        let mut schedule = Self { next: None, rest: Box::new(rest) };
        schedule.take();
        schedule
    }

    fn take(&mut self) -> Option<Arrival> {
        let following = self.rest.next().map(|(nanos, target)| Arrival {
            at: Time::from_nanos(nanos),
            target,
            client: None,
        });
        std::mem::replace(&mut self.next, following)
    }
}

/// A closed loop: each client asks, waits for the end, thinks, asks again.
pub(crate) struct Clients {
    /// Those who think, in the order in which they will have thought: thinking takes all the same.
    ready: VecDeque<(Time, u32)>,
    think: Duration,
    end: Time,
    targets: Box<dyn Iterator<Item = u32> + Send>,
}

impl Clients {
    /// The clients of the given numbers begin one after the other within one time of thinking, so
    /// that they are not in step.
    pub(crate) fn new(
        numbers: impl ExactSizeIterator<Item = u32>,
        think: Duration,
        end: Time,
        targets: impl Iterator<Item = u32> + Send + 'static,
    ) -> Self {
        let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX).max(1);
        let first = |(index, number)| (Time::ZERO.after(think * index / count), number);
        Self {
            ready: (0..).zip(numbers).map(first).collect(),
            think,
            end,
            targets: Box::new(targets),
        }
    }

    fn take(&mut self) -> Option<Arrival> {
        let (at, client) = self.ready.pop_front()?;
        let target = self.targets.next()?;
        Some(Arrival { at, target, client: Some(client) })
    }

    fn come_round(&mut self, client: u32, now: Time) {
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
    fn a_schedule_gives_what_is_due_and_nothing_else() {
        let mut source = Source::Open(Schedule::new([(0, 7), (MILLI, 8)].into_iter()));
        let first = source.take(Time::ZERO).unwrap();
        assert_eq!((first.at, first.target), (Time::ZERO, 7));
        assert_eq!((source.take(Time::ZERO), source.next_at()), (None, Some(at(1))));
        assert_eq!(source.take(at(5)).unwrap().target, 8);
        assert_eq!((source.take(at(5)), source.next_at()), (None, None));
    }

    #[test]
    fn a_client_comes_round_when_it_has_thought_and_not_after_the_end() {
        let clients = Clients::new(0..2, Duration::from_millis(20), at(50), std::iter::repeat(3));
        let mut source = Source::Closed(clients);
        let (first, second) = (source.take(at(10)).unwrap(), source.take(at(10)).unwrap());
        assert_eq!((first.at, first.client), (at(0), Some(0)));
        assert_eq!((second.at, second.client), (at(10), Some(1)));
        assert_eq!(source.next_at(), None, "both are waiting for their answers");
        source.ended(1, at(25));
        source.ended(0, at(31));
        assert_eq!(source.take(at(45)).unwrap().client, Some(1));
        assert_eq!(source.next_at(), None, "the other would come round after the end");
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
