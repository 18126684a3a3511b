//! Samples of what busy workers are blocked in, over the last ten seconds.
//!
//! Blocked time alone does not tell a lock from a sleep or a slow peer. A few looks per second at
//! the system call of each busy worker do (Ahn et al., OSDI 2024: blocked samples). Of a lock that
//! several threads wait for, the looks also tell the holder: it is busy in a stage that uses the
//! lock, and does not wait while others do (Zhou et al., OSDI 2018: wait-for graphs).

use crate::config::{StageIndex, Stages};
use crate::monitor::Topology;
use crate::platform::{BlockingCall, ThreadId, ThreadState, Time};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The age at which a look is forgotten: the longer window of a report.
const MEMORY: Duration = Duration::from_secs(10);
/// The most looks that are kept: 25 per second for ten seconds.
const MOST_LOOKS: usize = 250;
/// The most workers that one look samples. A sample costs about 12 us, so that 25 looks per second
/// cost at most one hundredth of a core.
const MOST_WORKERS: usize = 32;
/// The number of different threads that must wait on a futex before it counts as a lock. A thread
/// that waits for a message, or for a lock that parks each thread by itself, waits on its own.
const SHARED: usize = 2;

/// A busy worker at one look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BusyWorker {
    pub(crate) stage: StageIndex,
    pub(crate) thread: ThreadId,
    /// `None` if the kernel does not tell.
    pub(crate) state: Option<ThreadState>,
}

/// All busy workers at one time.
#[derive(Debug)]
struct Look {
    at: Time,
    workers: Vec<BusyWorker>,
}

/// The cause for which a worker is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BlockedIn {
    /// A lock for which several threads wait; its futex's address.
    Lock(u64),
    /// A futex on which one thread alone waits: a message, a condition, or a lock that parks each
    /// thread by itself.
    Wake,
    Sleep,
    /// A read or a write; its descriptor.
    Io(i32),
    Poll,
    Fault,
    Other,
    /// The kernel does not tell.
    Unknown,
}

/// The samples of one stage's busy workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageSamples {
    /// Samples of busy workers.
    pub(crate) busy: u64,
    /// Those that were blocked, by cause.
    pub(crate) blocked: BTreeMap<BlockedIn, u64>,
}

/// The samples of one lock.
#[derive(Clone, Debug)]
pub(crate) struct LockSamples {
    pub(crate) address: u64,
    /// Looks at which a worker waited for it.
    pub(crate) contended: u64,
    /// Samples of waiting workers, by stage.
    pub(crate) waiting: Stages<u64>,
    /// Looks at which a stage's worker probably held it, by stage. Among several candidates of one
    /// look each counts in part.
    pub(crate) holding: Stages<f64>,
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

    /// Returns the samples since `then` of a graph with as many stages as `stages`.
    pub(crate) fn since<T>(&self, then: Time, stages: &Stages<T>) -> BlockedFigures {
        let looks = || self.looks.iter().filter(|look| look.at >= then);
        let locks = shared_futexes(looks());
        let mut samples = stages.map(|_, _| StageSamples::default());
        for worker in looks().flat_map(|look| &look.workers) {
            let of_stage = &mut samples[worker.stage];
            of_stage.busy += 1;
            if let Some(cause) = worker.blocked_in(&locks) {
                *of_stage.blocked.entry(cause).or_default() += 1;
            }
        }
        let mut locks: Vec<_> =
            locks.into_iter().map(|address| LockSamples::of(address, looks(), stages)).collect();
        locks.sort_by_key(|lock| std::cmp::Reverse(lock.contended));
        BlockedFigures { looks: looks().count() as u64, stages: samples, locks }
    }
}

impl BusyWorker {
    fn waits_on(&self, address: u64) -> bool {
        self.state == Some(ThreadState::Blocked(BlockingCall::Futex(address)))
    }

    /// Returns the cause for which the worker is blocked; `None` if it is not.
    fn blocked_in(&self, locks: &[u64]) -> Option<BlockedIn> {
        let Some(state) = self.state else { return Some(BlockedIn::Unknown) };
        let ThreadState::Blocked(call) = state else { return None };
        Some(match call {
            BlockingCall::Futex(address) if locks.contains(&address) => BlockedIn::Lock(address),
            BlockingCall::Futex(_) => BlockedIn::Wake,
            BlockingCall::Sleep => BlockedIn::Sleep,
            BlockingCall::Io(descriptor) => BlockedIn::Io(descriptor),
            BlockingCall::Poll => BlockedIn::Poll,
            BlockingCall::Fault => BlockedIn::Fault,
            BlockingCall::Other => BlockedIn::Other,
        })
    }
}

impl LockSamples {
    fn of<'a, T>(
        address: u64,
        looks: impl Iterator<Item = &'a Look> + Clone,
        stages: &Stages<T>,
    ) -> Self {
        // A stage uses the lock if one of its workers has waited for it.
        let mut waiting = stages.map(|_, _| 0);
        for worker in looks.clone().flat_map(|look| &look.workers) {
            waiting[worker.stage] += u64::from(worker.waits_on(address));
        }
        // The holder is busy in such a stage and does not wait.
        let mut holding = stages.map(|_, _| 0.0);
        let mut contended = 0;
        for look in looks {
            if !look.workers.iter().any(|worker| worker.waits_on(address)) {
                continue;
            }
            contended += 1;
            let is_candidate =
                |worker: &&BusyWorker| waiting[worker.stage] > 0 && !worker.waits_on(address);
            let candidates: Vec<_> = look.workers.iter().filter(is_candidate).collect();
            for candidate in &candidates {
                holding[candidate.stage] += 1.0 / candidates.len() as f64;
            }
        }
        Self { address, contended, waiting, holding }
    }
}

/// Returns the futexes on which several threads have waited.
fn shared_futexes<'a>(looks: impl Iterator<Item = &'a Look>) -> Vec<u64> {
    let mut waiters: BTreeMap<u64, Vec<ThreadId>> = BTreeMap::new();
    for worker in looks.flat_map(|look| &look.workers) {
        if let Some(ThreadState::Blocked(BlockingCall::Futex(address))) = worker.state {
            let threads = waiters.entry(address).or_default();
            if !threads.contains(&worker.thread) {
                threads.push(worker.thread);
            }
        }
    }
    waiters.retain(|_, threads| threads.len() >= SHARED);
    waiters.into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Position;

    const LOCK: u64 = 0x7f00;

    fn stages() -> Stages<()> {
        ["read", "write", "meta"].into_iter().map(|_| ()).collect()
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
        assert_eq!((read.busy, read.blocked[&BlockedIn::Lock(LOCK)]), (20, 16));
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
        assert_eq!(seen.stages[StageIndex::declared(0)].blocked[&BlockedIn::Wake], 20);
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
        assert_eq!(seen.stages[StageIndex::declared(1)].blocked[&BlockedIn::Sleep], 1);
    }

    #[test]
    fn a_state_that_the_kernel_hides_is_an_unknown_cause() {
        let mut samples = BlockedSamples::default();
        let hidden = BusyWorker { state: None, ..worker(2, 3, ThreadState::Runs) };
        samples.add(Time::from_nanos(0), vec![hidden]);
        let meta = &figures(&samples).stages[StageIndex::declared(2)];
        assert_eq!((meta.busy, meta.blocked[&BlockedIn::Unknown]), (1, 1));
    }
}
