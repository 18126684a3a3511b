//! The work of an event: CPU time, sleep, memory, a lock.

use crate::description::{Demand, LockKind};
use rustix::time::{ClockId, clock_gettime};
use std::hint::{black_box, spin_loop};
use std::time::Duration;

/// A block of memory that the allocator takes from the kernel and gives back each time.
const BLOCK: usize = 256 << 10;

/// A lock under which a part of the work is done.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "the lock whose holder the graph's report names")]
pub(crate) enum Lock {
    Std(std::sync::Mutex<()>),
    ParkingLot(parking_lot::Mutex<()>),
}

impl Lock {
    #[expect(clippy::disallowed_types, reason = "as above")]
    pub(crate) fn new(kind: LockKind) -> Self {
        match kind {
            LockKind::Std => Self::Std(std::sync::Mutex::new(())),
            LockKind::ParkingLot => Self::ParkingLot(parking_lot::Mutex::new(())),
        }
    }

    fn hold(&self, work: impl FnOnce()) {
        match self {
            Self::Std(lock) => {
                let _held = lock.lock();
                work();
            }
            Self::ParkingLot(lock) => {
                let _held = lock.lock();
                work();
            }
        }
    }
}

/// Does the work, with the lock of the demand if it needs one.
pub(crate) fn work(demand: Demand, lock: Option<&Lock>) {
    burn(demand.cpu);
    allocate(demand.alloc);
    sleep(demand.sleep);
    if let (Some(hold), Some(lock)) = (demand.hold, lock) {
        lock.hold(|| {
            burn(hold.cpu);
            sleep(hold.sleep);
        });
    }
}

/// Computes until the thread has used this many milliseconds of CPU time.
fn burn(millis: f64) {
    if millis > 0.0 {
        let end = cpu_millis() + millis;
        while cpu_millis() < end {
            (0..200).for_each(|_| spin_loop());
        }
    }
}

/// Allocates, fills and frees memory until the thread has used this much CPU time.
fn allocate(millis: f64) {
    if millis > 0.0 {
        let end = cpu_millis() + millis;
        while cpu_millis() < end {
            drop(black_box(vec![1_u8; BLOCK]));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a handler that blocks is what is diagnosed")]
fn sleep(millis: f64) {
    if millis > 0.0 {
        std::thread::sleep(Duration::from_secs_f64(millis / 1e3));
    }
}

/// Returns the CPU time of this thread in milliseconds.
fn cpu_millis() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
