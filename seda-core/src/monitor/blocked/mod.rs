//! Samples of what busy workers are blocked in, over the last ten seconds.
//!
//! Blocked time alone does not tell a lock from a sleep or a slow peer. A few looks per second at
//! the system call of each busy worker do (Ahn et al., OSDI 2024: blocked samples). From the looks
//! `lock` estimates the holders of locks.

mod lock;
mod look;

pub(crate) use lock::{LockSamples, PARKED};
pub(crate) use look::BlockedCause;

use self::lock::{is_exclusive, shared_futexes};
use self::look::{BusyWorker, Look};
use crate::config::Stages;
use crate::monitor::Topology;
use crate::platform::{ThreadState, Time};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The age at which a look is forgotten: the longer window of a report.
const MEMORY: Duration = Duration::from_secs(10);
/// The most looks that are kept: 25 per second for ten seconds.
const MOST_LOOKS: usize = 250;
/// The most workers that one look samples. A sample costs about 12 us, so that 25 looks per second
/// cost at most one hundredth of a core.
const MOST_WORKERS: usize = 32;
/// The samples of one stage's busy workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageSamples {
    /// Samples of busy workers.
    pub(crate) busy: u64,
    /// Those that were blocked, by cause.
    pub(crate) blocked: BTreeMap<BlockedCause, u64>,
}

/// All samples since some time.
#[derive(Clone, Debug)]
pub(crate) struct BlockedFigures {
    /// Looks at busy workers.
    pub(crate) looks: u64,
    pub(crate) stages: Stages<StageSamples>,
    /// The locks that were waited for, the most contended one first.
    pub(crate) locks: Vec<LockSamples>,
}

/// The looks of the last ten seconds.
#[derive(Debug, Default)]
pub(crate) struct BlockedSamples {
    looks: VecDeque<Look>,
    /// The worker with which the next look begins, so that a bounded look reaches all in turn.
    next: usize,
}

impl BlockedSamples {
    /// Samples the busy workers of all pools.
    pub(crate) fn look(&mut self, topology: &Topology, now: Time) {
        let mut busy: Vec<_> = topology
            .pools
            .iter()
            .flat_map(|pool| pool.core.workers().into_iter().map(move |worker| (pool, worker)))
            .filter(|(_, worker)| worker.running().is_some())
            .collect();
        if busy.len() > MOST_WORKERS {
            let first = self.next % busy.len();
            busy.rotate_left(first);
            busy.truncate(MOST_WORKERS);
            self.next = self.next.wrapping_add(MOST_WORKERS);
        }
        let workers = busy.into_iter().filter_map(|(pool, worker)| {
            let before = worker.running()?;
            let thread = worker.thread()?;
            let state = ThreadState::of(thread);
            // A worker that has gone on in the meantime may wait for its next event.
            let is_same = worker.running() == Some(before);
            let stage = *pool.stages.get(before.0)?;
            is_same.then_some(BusyWorker { stage, thread, state })
        });
        let workers = workers.collect();
        self.add(now, workers);
    }

    /// Adds one look and forgets the old ones.
    fn add(&mut self, at: Time, workers: Vec<BusyWorker>) {
        self.looks.push_back(Look { at, workers });
        let is_old = |look: &Look| at.since(look.at) > MEMORY;
        while self.looks.len() > MOST_LOOKS || self.looks.front().is_some_and(is_old) {
            self.looks.pop_front();
        }
    }

    /// Returns the samples since `then`. `waits_for_room` are the stages whose senders wait for
    /// room: their workers park as those that wait for a lock do.
    pub(crate) fn since(&self, then: Time, waits_for_room: &Stages<bool>) -> BlockedFigures {
        let looks: Vec<&Look> = self.looks.iter().filter(|look| look.at >= then).collect();
        let addresses = shared_futexes(&looks);
        let mut stages = waits_for_room.map(|_, _| StageSamples::default());
        for worker in looks.iter().flat_map(|look| &look.workers) {
            let of_stage = &mut stages[worker.stage];
            of_stage.busy += 1;
            if let Some(cause) = worker.blocked_in(&addresses) {
                *of_stage.blocked.entry(cause).or_default() += 1;
            }
        }
        let shared = addresses.iter().map(|address| {
            let waits = |worker: &BusyWorker| worker.waits_on(*address);
            LockSamples::of(*address, &looks, waits, waits_for_room)
        });
        let mut locks: Vec<_> = shared.collect();
        let parks = |worker: &BusyWorker| {
            let is_alone = worker.blocked_in(&addresses) == Some(BlockedCause::Wake);
            is_alone && !waits_for_room[worker.stage]
        };
        if is_exclusive(&looks, parks, waits_for_room) {
            locks.push(LockSamples::of(PARKED, &looks, parks, waits_for_room));
            let parked = stages.iter_mut().zip(waits_for_room).filter(|(_, for_room)| !**for_room);
            parked.for_each(|(stage, _)| stage.parks_for_a_lock());
        }
        locks.sort_by_key(|lock| std::cmp::Reverse(lock.contended));
        BlockedFigures { looks: looks.len() as u64, stages, locks }
    }
}

impl StageSamples {
    /// Counts the waits of single threads as waits for a lock.
    fn parks_for_a_lock(&mut self) {
        if let Some(samples) = self.blocked.remove(&BlockedCause::Wake) {
            self.blocked.insert(BlockedCause::Lock(PARKED), samples);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Position, StageIndex};
    use crate::platform::{BlockingCall, ThreadId};

    const LOCK: u64 = 0x7f00;

    /// The stages `read`, `write` and `meta`; none waits for room.
    fn stages() -> Stages<bool> {
        [false; 3].into_iter().collect()
    }

    fn worker(stage: usize, thread: u32, state: ThreadState) -> BusyWorker {
        let stage = StageIndex::declared(stage);
        BusyWorker { stage, thread: ThreadId::numbered(thread), state: Some(state) }
    }

    fn waits(address: u64) -> ThreadState {
        ThreadState::Blocked(BlockingCall::Futex(address))
    }

    fn figures(samples: &BlockedSamples) -> BlockedFigures {
        samples.since(Time::from_nanos(0), &stages())
    }

    #[test]
    fn the_holder_of_a_lock_is_the_user_that_does_not_wait_for_it() {
        let mut samples = BlockedSamples::default();
        for n in 0..20 {
            // `write` mostly holds the lock that `read` waits for; `meta` never uses it.
            let (read, write) = match n % 5 {
                0 => (ThreadState::Runs, waits(LOCK)),
                _ => (waits(LOCK), ThreadState::Runs),
            };
            let meta = ThreadState::Runs;
            let busy = vec![worker(0, 1, read), worker(1, 2, write), worker(2, 3, meta)];
            samples.add(Time::from_nanos(n), busy);
        }
        let seen = figures(&samples);
        let [lock] = &seen.locks[..] else { panic!("one lock is seen: {seen:?}") };
        assert_eq!((lock.address, lock.contended), (LOCK, 20));
        assert_eq!(lock.waiting.iter().copied().collect::<Vec<_>>(), [16, 4, 0]);
        assert_eq!(lock.holding.iter().copied().collect::<Vec<_>>(), [4.0, 16.0, 0.0]);
        let read = &seen.stages[StageIndex::declared(0)];
        assert_eq!((read.busy, read.blocked[&BlockedCause::Lock(LOCK)]), (20, 16));
    }

    #[test]
    fn a_futex_of_one_thread_is_no_lock() {
        let mut samples = BlockedSamples::default();
        for n in 0..10 {
            let busy = vec![worker(0, 1, waits(0x10)), worker(0, 2, waits(0x20))];
            samples.add(Time::from_nanos(n), busy);
        }
        let seen = figures(&samples);
        assert!(seen.locks.is_empty(), "{seen:?}");
        assert_eq!(seen.stages[StageIndex::declared(0)].blocked[&BlockedCause::Wake], 20);
    }

    #[test]
    fn looks_older_than_ten_seconds_are_forgotten() {
        let mut samples = BlockedSamples::default();
        let sleep = ThreadState::Blocked(BlockingCall::Sleep);
        samples.add(Time::from_nanos(0), vec![worker(0, 1, sleep)]);
        samples.add(Time::from_nanos(11_000_000_000), vec![worker(1, 2, sleep)]);
        let seen = figures(&samples);
        assert_eq!(seen.looks, 1);
        assert_eq!(seen.stages[StageIndex::declared(0)], StageSamples::default());
        assert_eq!(seen.stages[StageIndex::declared(1)].blocked[&BlockedCause::Sleep], 1);
    }

    #[test]
    fn a_state_that_the_kernel_hides_is_an_unknown_cause() {
        let mut samples = BlockedSamples::default();
        let hidden = BusyWorker { state: None, ..worker(2, 3, ThreadState::Runs) };
        samples.add(Time::from_nanos(0), vec![hidden]);
        let meta = &figures(&samples).stages[StageIndex::declared(2)];
        assert_eq!((meta.busy, meta.blocked[&BlockedCause::Unknown]), (1, 1));
    }

    #[test]
    fn work_outside_of_a_lock_makes_no_holder() {
        let mut samples = BlockedSamples::default();
        for n in 0..40 {
            // Two workers of `read` wait for `write`, which holds the lock nearly all the time. At
            // every other look a third worker of `read` computes outside of the lock.
            let (first, write) = match n % 10 {
                0 => (ThreadState::Runs, waits(LOCK)),
                _ => (waits(LOCK), ThreadState::Runs),
            };
            let mut busy =
                vec![worker(0, 1, first), worker(0, 2, waits(LOCK)), worker(1, 4, write)];
            busy.extend((n % 2 == 1).then(|| worker(0, 3, ThreadState::Runs)));
            samples.add(Time::from_nanos(n), busy);
        }
        let lock = &figures(&samples).locks[0];
        let [read, write, _] = lock.holding.iter().copied().collect::<Vec<_>>()[..] else {
            panic!("three stages: {lock:?}")
        };
        assert!((read - 4.0).abs() < 2.0 && (write - 36.0).abs() < 2.0, "{read} {write}");
    }

    /// Looks at four workers of two stages, each of which waits on a futex of its own, or not.
    fn parked(holder: impl Fn(u64) -> Option<u32>) -> BlockedSamples {
        let mut samples = BlockedSamples::default();
        for n in 0..100 {
            let state = |thread: u32| match holder(n) {
                Some(holder) if holder == thread => ThreadState::Runs,
                _ => waits(u64::from(thread) * 0x10),
            };
            let busy = (0..4).map(|thread| worker((thread / 2) as usize, thread, state(thread)));
            samples.add(Time::from_nanos(n), busy.collect());
        }
        samples
    }

    #[test]
    fn a_lock_that_parks_each_thread_by_itself_is_seen_by_exclusion() {
        // Threads 2 and 3 are those of `write`, and hold the lock at three of four looks.
        let samples = parked(|n| Some(if n % 4 == 0 { 0 } else { 2 + (n % 2) as u32 }));
        let seen = figures(&samples);
        let [lock] = &seen.locks[..] else { panic!("one lock is seen: {seen:?}") };
        assert_eq!((lock.address, lock.contended), (PARKED, 100));
        let read = &seen.stages[StageIndex::declared(0)];
        assert_eq!(read.blocked[&BlockedCause::Lock(PARKED)], 175);
        assert_eq!(lock.holding.iter().copied().collect::<Vec<_>>(), [25.0, 75.0, 0.0]);
    }

    #[test]
    fn workers_that_all_wait_for_messages_wait_for_no_lock() {
        let seen = figures(&parked(|n| (n % 3 == 0).then_some(0)));
        assert!(seen.locks.is_empty(), "{seen:?}");
    }

    #[test]
    fn a_wait_for_room_is_no_wait_for_a_lock() {
        let samples = parked(|n| Some((n % 4) as u32));
        let waits_for_room = [true, true, false].into_iter().collect();
        assert!(samples.since(Time::from_nanos(0), &waits_for_room).locks.is_empty());
    }
}
