//! The idle workers of a pool, and how one of them is woken.
//!
//! Protocol. A sender publishes its events (the stage's depth is raised under the stage's lock),
//! then looks whether anyone is idle. A worker that found nothing enters itself here, then looks
//! at the depths once more, then parks. With a full fence between each pair of steps at least one
//! of the two sees the other, so no event waits beside a parked worker.
//!
//! One wake-up at a time: while a woken worker is on its way no other is woken; it looks at the
//! queues when it arrives and passes the wake-up on if there is more than it can take. A burst
//! therefore costs its sender one wake-up (2 to 5 µs each), not one per event.

use crate::platform::Time;
use crate::platform::sync::{
    Arc, AtomicBool, AtomicUsize, CachePadded, Flaw, Mutex, Ordering, fence, is_seeded,
};
use crate::pool::park::Unpark;
use std::fmt;

#[derive(Default)]
pub(crate) struct IdleWorkers {
    count: CachePadded<AtomicUsize>,
    waking: AtomicBool,
    parked: Mutex<Vec<Parked>>,
}

struct Parked {
    worker: usize,
    unpark: Arc<dyn Unpark>,
    /// When it gets up by itself.
    until: Time,
}

impl IdleWorkers {
    /// Wakes one idle worker, if there is one and none is being woken already.
    pub(crate) fn wake_one(&self) {
        if !is_seeded(Flaw::NoFenceInWake) {
            fence(Ordering::SeqCst);
        }
        if self.count.load(Ordering::Relaxed) == 0 || self.waking.swap(true, Ordering::SeqCst) {
            return;
        }
        // The most recently parked: its caches are warm, and the others can retire.
        match self.pop() {
            Some(worker) => worker.unpark(),
            None if is_seeded(Flaw::LateCallOff) => self.waking.store(false, Ordering::SeqCst),
            None => {}
        }
    }

    /// Wakes all, to retire or to stop.
    pub(crate) fn wake_all(&self) {
        for parked in self.parked.lock().iter() {
            parked.unpark.unpark();
        }
    }

    /// Enters `worker` as idle, to get up by itself at `until`; it must look at its queues once
    /// more before it parks.
    pub(crate) fn enter(&self, worker: usize, unpark: Arc<dyn Unpark>, until: Time) {
        let mut parked = self.parked.lock();
        parked.push(Parked { worker, unpark, until });
        self.count.store(parked.len(), Ordering::SeqCst);
        drop(parked);
        if !is_seeded(Flaw::NoFenceInEnter) {
            fence(Ordering::SeqCst);
        }
    }

    /// Ends the idleness of `worker`, however it came about; to be called before it looks for
    /// work again.
    pub(crate) fn leave(&self, worker: usize) {
        let mut parked = self.parked.lock();
        let place = parked.iter().position(|parked| parked.worker == worker);
        match place {
            Some(place) => drop(parked.swap_remove(place)),
            // A sender took it off the list: its wake-up has arrived.
            None => self.waking.store(false, Ordering::SeqCst),
        }
        self.count.store(parked.len(), Ordering::SeqCst);
        drop(parked);
        fence(Ordering::SeqCst);
    }

    /// Whether a worker gets up by itself at `due` or before.
    pub(crate) fn gets_up_by(&self, due: Time) -> bool {
        self.parked.lock().iter().any(|parked| parked.until <= due)
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn pop(&self) -> Option<Arc<dyn Unpark>> {
        let mut parked = self.parked.lock();
        let worker = parked.pop();
        // Called off before anyone can enter: who enters later may be meant by a wake-up that is
        // not sent because of this one.
        if worker.is_none() && !is_seeded(Flaw::LateCallOff) {
            self.waking.store(false, Ordering::SeqCst);
        }
        self.count.store(parked.len(), Ordering::SeqCst);
        worker.map(|parked| parked.unpark)
    }
}

impl fmt::Debug for IdleWorkers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdleWorkers").field("count", &self.count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Unpark for Counter {
        fn unpark(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_burst_wakes_one_worker_until_it_has_arrived() {
        let (idle, counter) = (IdleWorkers::default(), Arc::new(Counter::default()));
        idle.enter(0, counter.clone(), Time::NEVER);
        idle.enter(1, counter.clone(), Time::NEVER);
        idle.wake_one();
        idle.wake_one();
        assert_eq!((counter.0.load(Ordering::SeqCst), idle.count()), (1, 1));
        idle.leave(1);
        idle.wake_one();
        assert_eq!((counter.0.load(Ordering::SeqCst), idle.count()), (2, 0));
    }

    #[test]
    fn a_worker_that_left_by_itself_does_not_eat_a_wake_up() {
        let (idle, counter) = (IdleWorkers::default(), Arc::new(Counter::default()));
        idle.enter(0, counter.clone(), Time::NEVER);
        idle.leave(0);
        idle.wake_one();
        idle.enter(0, counter.clone(), Time::NEVER);
        idle.wake_one();
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }
}
