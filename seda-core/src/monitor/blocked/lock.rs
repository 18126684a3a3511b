//! The locks behind blocked workers, and their holders, estimated from looks.
//!
//! A lock is a futex for which several threads wait, or a way of waiting that excludes itself. Its
//! holder is busy in a stage that uses the lock, and does not wait while others do (Zhou et al.,
//! OSDI 2018: wait-for graphs).

use super::look::{BusyWorker, Look};
use crate::config::Stages;
use crate::platform::{BlockingCall, ThreadId, ThreadState};
use std::collections::BTreeMap;

/// The number of different threads that must wait on a futex before it counts as a lock. A thread
/// that waits for a message, or for a lock that parks each thread by itself, waits on its own.
const SHARED: usize = 2;
/// The address of locks that park each thread by itself. No futex is there.
pub(crate) const PARKED: u64 = 0;
/// The rounds in which the holders of a lock are estimated. Each of them needs as many steps as
/// there are looks, and the tenth changes nothing that a reader would see.
const ROUNDS: usize = 20;
/// The least chance that a candidate does not hold the lock, which keeps the odds finite.
const LEAST_CHANCE: f64 = 1e-3;
/// Looks at which all workers would wait if they waited by chance. From this number on it is no
/// chance if they never do.
const EXPECTED: f64 = 10.0;
/// The part of these looks at which all may wait all the same: a lock changes hands.
const BETWEEN_HOLDERS: f64 = 0.2;

/// The samples of one lock.
#[derive(Clone, Debug)]
pub(crate) struct LockSamples {
    /// Its futex, or [`PARKED`].
    pub(crate) address: u64,
    /// Looks at which a worker waited for it.
    pub(crate) contended: u64,
    /// Samples of waiting workers, by stage.
    pub(crate) waiting: Stages<u64>,
    /// Looks at which a stage's worker probably held it while others waited, by stage.
    pub(crate) holding: Stages<f64>,
}

impl LockSamples {
    pub(super) fn of<T>(
        address: u64,
        looks: &[&Look],
        waits: impl Fn(&BusyWorker) -> bool,
        stages: &Stages<T>,
    ) -> Self {
        // A stage uses the lock if one of its workers has waited for it.
        let mut waiting = stages.map(|_, _| 0);
        for worker in looks.iter().flat_map(|look| &look.workers) {
            waiting[worker.stage] += u64::from(waits(worker));
        }
        let contended: Vec<&&Look> =
            looks.iter().filter(|look| look.workers.iter().any(&waits)).collect();
        // The holder is busy in such a stage and does not wait.
        let candidates = contended.iter().map(|look| {
            let mut count = stages.map(|_, _| 0);
            let others = look.workers.iter().filter(|worker| !waits(worker));
            let others = others.filter(|worker| waiting[worker.stage] > 0);
            others.for_each(|worker| count[worker.stage] += 1);
            count
        });
        let candidates: Vec<Stages<u64>> = candidates.collect();
        let holding = holders(&candidates, stages);
        Self { address, contended: contended.len() as u64, waiting, holding }
    }
}

/// Returns at how many looks each stage held a lock, by expectation maximization.
///
/// `candidates` are the numbers of workers that may hold it, look by look. A candidate holds the
/// lock with the chance of its stage: the part of such appearances at which it held the lock. As
/// exactly one of several holds it, each counts by the odds of its chance. A look with one
/// candidate leaves no choice and settles the others.
fn holders<T>(candidates: &[Stages<u64>], stages: &Stages<T>) -> Stages<f64> {
    let mut seen = stages.map(|_, _| 0.0);
    for count in candidates {
        seen.iter_mut().zip(count).for_each(|(seen, count)| *seen += *count as f64);
    }
    let mut odds = stages.map(|_, _| 1.0);
    let mut held = stages.map(|_, _| 0.0);
    for _ in 0..ROUNDS {
        held = stages.map(|_, _| 0.0);
        for count in candidates {
            let weights = count.map(|stage, count| *count as f64 * odds[stage]);
            let all: f64 = weights.iter().sum();
            if all > 0.0 {
                held.iter_mut().zip(&weights).for_each(|(held, weight)| *held += weight / all);
            }
        }
        odds = held.map(|stage, held| {
            let chance = held / f64::max(seen[stage], 1.0);
            chance / (1.0 - chance).max(LEAST_CHANCE)
        });
    }
    held
}

/// Returns whether the waits exclude each other, as those for one lock do: while some workers of
/// the stages wait, another of them does not, although by chance all would wait now and then.
pub(super) fn is_exclusive<T>(
    looks: &[&Look],
    waits: impl Fn(&BusyWorker) -> bool,
    stages: &Stages<T>,
) -> bool {
    let mut waiting = stages.map(|_, _| 0_u64);
    let mut busy = stages.map(|_, _| 0_u64);
    for worker in looks.iter().flat_map(|look| &look.workers) {
        busy[worker.stage] += 1;
        waiting[worker.stage] += u64::from(waits(worker));
    }
    let (mut expected, mut all_wait) = (0.0, 0.0);
    for look in looks {
        let users = look.workers.iter().filter(|worker| waiting[worker.stage] > 0);
        let users: Vec<&BusyWorker> = users.collect();
        // A worker that is alone waits for no other one.
        if users.len() < SHARED {
            continue;
        }
        let chances = users
            .iter()
            .map(|worker| waiting[worker.stage] as f64 / busy[worker.stage].max(1) as f64);
        expected += chances.product::<f64>();
        all_wait += f64::from(users.iter().all(|worker| waits(worker)));
    }
    expected >= EXPECTED && all_wait <= BETWEEN_HOLDERS * expected
}

/// Returns the futexes on which several threads have waited.
pub(super) fn shared_futexes(looks: &[&Look]) -> Vec<u64> {
    let mut waiters: BTreeMap<u64, Vec<ThreadId>> = BTreeMap::new();
    for worker in looks.iter().flat_map(|look| &look.workers) {
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
