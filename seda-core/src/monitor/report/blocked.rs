//! What workers were blocked in, and the locks that they waited for.
//!
//! The source are samples of the system calls of busy workers, 25 times per second while some of
//! them block, over the last ten seconds (Linux).

use crate::config::{StageIndex, Stages};
use crate::monitor::blocked::{self, BlockedFigures, LockSamples, StageSamples};
use crate::monitor::report::{Holding, Report, StageReport};
use crate::monitor::{Monitor, Topology};
use crate::platform::descriptor_target;
use serde::{Deserialize, Serialize};

/// A stage waits for room if it does so for at least this part of its busy time.
const FOR_ROOM: f64 = 0.05;

/// What the workers of a stage were blocked in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BlockedIn {
    /// The kind of the wait.
    pub wait: BlockedWait,
    /// The thing waited for in words, as far as it is known: `lock at 7f00beef`, `descriptor 7
    /// (socket)`, `a sleep`.
    pub object: String,
    /// The stage with workers that hold the lock most of the time; `None` if that is unknown, or
    /// for another wait.
    pub holder: Option<String>,
    /// The number of samples of this wait in the last ten seconds.
    pub samples: u64,
    /// The share of the samples of the stage's busy workers, 0 to 1.
    pub share: f64,
}

/// The kind of a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockedWait {
    /// A lock, or a condition that several threads wait for.
    Lock,
    /// A sleep.
    Sleep,
    /// A read, a write or a poll of a descriptor.
    Descriptor,
    /// A message or a condition of another thread.
    Message,
    /// A page that is read from a file or from swap.
    Page,
    /// Anything else, or the kernel does not tell: procfs is missing or closed.
    #[default]
    Unknown,
}

/// A lock that workers waited for in the last ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LockReport {
    /// `lock at 7f00beef`, or `lock` if each thread waits at an address of its own. Then the lock
    /// follows from waits that exclude each other, and may be several locks.
    pub object: String,
    /// Looks at busy workers, in equal distances.
    pub looks: u64,
    /// The number of looks at which a worker waited for the lock.
    pub contended: u64,
    /// The stages that use the lock, the one that holds it longest first.
    pub users: Vec<LockUser>,
}

/// A stage that uses a lock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LockUser {
    /// The stage.
    pub stage: String,
    /// Samples of its workers that waited for the lock.
    pub waiting: u64,
    /// The number of contended looks at which one of its workers held the lock, as estimated: the
    /// holder is busy in a stage that uses the lock, and does not wait for it.
    pub holding: f64,
}

impl Report {
    /// Fills in what workers were blocked in, and the locks.
    pub(super) fn fill_blocked(&mut self, topology: &Topology, monitor: &Monitor) {
        let then = monitor.seconds.last_ten().map_or(monitor.first.at, |window| window.start.at);
        let waits_for_room: Stages<bool> = self.stages.iter().map(waits_for_room).collect();
        if waits_for_room.len() != topology.stages.len() {
            return;
        }
        let figures = monitor.blocked.since(then, &waits_for_room);
        let names = Names { topology };
        for (samples, stage) in figures.stages.iter().zip(&mut self.stages) {
            stage.blocked_in = names.blocked_in(samples, &figures);
            let share = |is: fn(&BlockedIn) -> bool| -> u64 {
                stage.blocked_in.iter().filter(|blocked| is(blocked)).map(|b| b.samples).sum()
            };
            let locked = share(|blocked| blocked.wait == BlockedWait::Lock);
            let blocked = share(|_| true).max(1);
            let part = locked as f64 / blocked as f64;
            take_lock_wait(&mut stage.last_ten_seconds.holding, part);
            take_lock_wait(&mut stage.last_second.holding, part);
        }
        self.locks = figures.locks.iter().map(|lock| names.lock(lock, figures.looks)).collect();
    }
}

/// Moves this part of the blocked time to the wait for locks.
fn take_lock_wait(holding: &mut Holding, part: f64) {
    if let Some(blocked) = &mut holding.blocked {
        holding.lock_wait = *blocked * part;
        *blocked -= holding.lock_wait;
    }
}

fn waits_for_room(stage: &StageReport) -> bool {
    let holding = &stage.last_ten_seconds.holding;
    holding.total.is_some_and(|total| holding.room_wait > FOR_ROOM * total)
}

/// The names of stages.
struct Names<'a> {
    topology: &'a Topology,
}

impl Names<'_> {
    fn of(&self, stage: StageIndex) -> String {
        self.topology.stages[stage].core.name().to_string()
    }

    fn blocked_in(&self, samples: &StageSamples, figures: &BlockedFigures) -> Vec<BlockedIn> {
        let causes = samples.blocked.iter().map(|(cause, count)| {
            let lock = figures.locks.iter().find(|lock| lock.is_cause(*cause));
            let (wait, object) = match lock {
                Some(lock) => (BlockedWait::Lock, words_of_lock(lock.address)),
                None => words(*cause),
            };
            BlockedIn {
                wait,
                object,
                holder: lock.and_then(LockSamples::holder).map(|stage| self.of(stage)),
                samples: *count,
                share: *count as f64 / samples.busy.max(1) as f64,
            }
        });
        let mut causes: Vec<_> = causes.collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.samples));
        causes
    }

    fn lock(&self, lock: &LockSamples, looks: u64) -> LockReport {
        let users = lock.waiting.entries().filter(|(_, waiting)| **waiting > 0);
        let mut users: Vec<_> = users
            .map(|(stage, waiting)| LockUser {
                stage: self.of(stage),
                waiting: *waiting,
                holding: lock.holding[stage],
            })
            .collect();
        users.sort_by(|a, b| b.holding.total_cmp(&a.holding));
        let object = words_of_lock(lock.address);
        LockReport { object, looks, contended: lock.contended, users }
    }
}

fn words_of_lock(address: Option<u64>) -> String {
    address.map_or("lock".to_owned(), |address| format!("lock at {address:x}"))
}

fn words(cause: blocked::BlockedIn) -> (BlockedWait, String) {
    use blocked::BlockedIn as Cause;
    match cause {
        Cause::Lock(address) => (BlockedWait::Lock, words_of_lock(Some(address))),
        Cause::Wake => (BlockedWait::Message, "another thread's message".to_owned()),
        Cause::Sleep => (BlockedWait::Sleep, "a sleep".to_owned()),
        Cause::Io(descriptor) => {
            let target = descriptor_target(descriptor);
            let target = target.map(|target| format!(" ({target})")).unwrap_or_default();
            (BlockedWait::Descriptor, format!("descriptor {descriptor}{target}"))
        }
        Cause::Poll => (BlockedWait::Descriptor, "a poll of descriptors".to_owned()),
        Cause::Fault => (BlockedWait::Page, "a page fault".to_owned()),
        Cause::Other => (BlockedWait::Unknown, "another system call".to_owned()),
        Cause::Unknown => (BlockedWait::Unknown, "an unknown cause".to_owned()),
    }
}
