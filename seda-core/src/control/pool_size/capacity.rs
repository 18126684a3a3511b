//! What a pool serves while all of its workers are busy.

use crate::control::pool_size::observation::PoolObservation;

/// The time over which the capacity is averaged, in seconds: ten ticks.
const AVERAGED_SECONDS: f64 = 1.0;

/// Events served per second, and the number of ended events that this was measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Throughput {
    pub(super) per_second: f64,
    pub(super) events: f64,
}

/// The capacity of a pool at its present size: events ended per second of busy time, times the
/// workers.
///
/// The throughput itself would be too low while workers were idle for part of a tick, and zero
/// before the first event has ended. A growth that is compared with it would seem to help.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Capacity {
    workers: usize,
    /// Events ended and seconds of busy time, of all workers, at this size; recent ones count most.
    ended: f64,
    busy_seconds: f64,
    /// Events in service now. Each may be about to end.
    in_service: usize,
}

impl Capacity {
    /// Adds a tick. The capacity of another size is another one.
    pub(super) fn add(&mut self, seen: &PoolObservation) {
        if self.workers != seen.workers {
            *self = Self { workers: seen.workers, ..Self::default() };
        }
        let kept = 1.0 - (seen.seconds / AVERAGED_SECONDS).min(1.0);
        self.ended = self.ended * kept + seen.completed as f64;
        let busy = seen.utilization * seen.workers as f64 * seen.seconds;
        self.busy_seconds = self.busy_seconds * kept + busy;
        self.in_service = seen.busy;
    }

    /// Returns what all workers serve. Where fewer events ended than are in service, it is an upper
    /// bound: as if these ended now.
    pub(super) fn throughput(&self) -> Throughput {
        let most = self.ended.max(self.in_service as f64);
        let busy = self.busy_seconds;
        let per_second = if busy > 0.0 { most / busy * self.workers as f64 } else { 0.0 };
        Throughput { per_second, events: self.ended }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(workers: usize, completed: u64, utilization: f64) -> PoolObservation {
        PoolObservation { seconds: 0.1, workers, completed, utilization, ..Default::default() }
    }

    #[test]
    fn it_is_what_busy_workers_serve_however_idle_they_were() {
        let mut capacity = Capacity::default();
        capacity.add(&tick(4, 10, 0.25));
        assert_eq!(capacity.throughput().per_second.round(), 400.0);
        capacity.add(&tick(4, 40, 1.0));
        assert_eq!(capacity.throughput().per_second.round(), 400.0);
    }

    #[test]
    fn before_the_first_event_has_ended_it_is_bounded_by_those_in_service() {
        let mut capacity = Capacity::default();
        capacity.add(&PoolObservation { busy: 1, ..tick(1, 0, 1.0) });
        assert_eq!(capacity.throughput().per_second.round(), 10.0);
    }

    #[test]
    fn another_size_starts_over() {
        let mut capacity = Capacity::default();
        capacity.add(&tick(1, 100, 1.0));
        capacity.add(&tick(2, 10, 1.0));
        assert_eq!(capacity.throughput().per_second.round(), 100.0);
    }
}
