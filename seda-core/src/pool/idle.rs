//! The list of a pool's idle workers, and the wake-up of one of them.
//!
//! The steps S1 to S6 and W1 to W7 are those of the parking protocol in [`crate::pool`].

use crate::platform::Time;
use crate::platform::sync::{
    Arc, AtomicBool, AtomicUsize, CachePadded, Flaw, Mutex, Ordering, fence, is_seeded,
};
use crate::pool::park::Unpark;
use std::fmt;

/// The idle workers of one pool.
#[derive(Default)]
pub(crate) struct IdleWorkers {
    /// Length of `list`. Written under its lock, read by senders without it.
    count: CachePadded<AtomicUsize>,
    /// True while a woken worker has not arrived; until then no other worker is woken.
    waking: AtomicBool,
    /// Idle workers, the most recent last.
    list: Mutex<Vec<IdleWorker>>,
}

struct IdleWorker {
    /// Number of the worker within its pool.
    number: usize,
    unpark: Arc<dyn Unpark>,
    /// Moment at which the worker stops parking without a wake-up.
    until: Time,
}

impl IdleWorkers {
    /// Wakes one idle worker, unless there is none or another wake-up is under way.
    pub(crate) fn wake_one(&self) {
        // S2: the events of S1 become visible before the count is read.
        if !is_seeded(Flaw::NoFenceInWake) {
            fence(Ordering::SeqCst);
        }
        // S3: without idle workers, the event is found by a busy one.
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        // S4: a worker that is being woken looks at the queues when it arrives.
        if self.waking.swap(true, Ordering::SeqCst) {
            return;
        }
        match self.pop() {
            // S6: unpark it outside the lock.
            Some(worker) => worker.unpark(),
            None if is_seeded(Flaw::LateCallOff) => self.waking.store(false, Ordering::SeqCst),
            None => {}
        }
    }

    /// Wakes all idle workers, to retire, to stop or to finish their handlers. They stay on the
    /// list until each leaves it.
    pub(crate) fn wake_all(&self) {
        // Outside the lock: a host may give its worker a turn at once, which leaves the list.
        let idle: Vec<_> = self.list.lock().iter().map(|idle| Arc::clone(&idle.unpark)).collect();
        idle.iter().for_each(|unpark| unpark.unpark());
    }

    /// Adds the worker `number` to the idle ones; it parks until `until` at most. The worker must
    /// look at its queues once more before it parks (W3).
    pub(crate) fn enter(&self, number: usize, unpark: Arc<dyn Unpark>, until: Time) {
        // W1: the worker becomes visible to senders.
        let mut list = self.list.lock();
        debug_assert!(
            list.iter().all(|idle| idle.number != number),
            "worker {number} is idle already"
        );
        list.push(IdleWorker { number, unpark, until });
        self.count.store(list.len(), Ordering::SeqCst);
        drop(list);
        // W2: … before it looks at the queues once more.
        if !is_seeded(Flaw::NoFenceInEnter) {
            fence(Ordering::SeqCst);
        }
    }

    /// Takes the worker `number` off the idle ones, after a wake-up, a timeout or a look that
    /// found work. The worker must call this before it looks for work again.
    pub(crate) fn leave(&self, number: usize) {
        // W5: a worker that is not on the list was taken off by a sender: its wake-up arrived.
        let mut list = self.list.lock();
        match list.iter().position(|idle| idle.number == number) {
            Some(position) => drop(list.swap_remove(position)),
            None => self.waking.store(false, Ordering::SeqCst),
        }
        self.count.store(list.len(), Ordering::SeqCst);
        drop(list);
        // W6: later senders wake again before this worker looks at the queues.
        fence(Ordering::SeqCst);
    }

    /// True if an idle worker stops parking by itself at `due` or before.
    pub(crate) fn wakes_by(&self, due: Time) -> bool {
        self.list.lock().iter().any(|idle| idle.until <= due)
    }

    /// Number of idle workers. A hint: exact only under the list's lock.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// S5: takes the most recently idle worker off the list. Its caches are warm, and the others
    /// can retire.
    fn pop(&self) -> Option<Arc<dyn Unpark>> {
        let mut list = self.list.lock();
        let worker = list.pop();
        // An empty list cancels the wake-up before the lock is free. Cancelled later, a worker
        // could enter and park in between, while another sender relied on this wake-up.
        if worker.is_none() && !is_seeded(Flaw::LateCallOff) {
            self.waking.store(false, Ordering::SeqCst);
        }
        self.count.store(list.len(), Ordering::SeqCst);
        worker.map(|idle| idle.unpark)
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
    fn a_burst_wakes_one_worker_until_that_worker_has_arrived() {
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
    fn a_worker_that_left_by_itself_consumes_no_wake_up() {
        let (idle, counter) = (IdleWorkers::default(), Arc::new(Counter::default()));
        idle.enter(0, counter.clone(), Time::NEVER);
        idle.leave(0);
        idle.wake_one();
        idle.enter(0, counter.clone(), Time::NEVER);
        idle.wake_one();
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }
}
