//! The work of `/work`.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Burns so much CPU time of this thread: time in which another thread has the core is not
/// counted, as it would not be for real work. The same code as in `examples/web_server/stages.rs`.
pub fn burn(demand: Duration) {
    let spent = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let end = spent() + demand;
    let mut sum = 0_u64;
    while spent() < end {
        // About 2 us between two looks at the clock, which is a system call.
        (0..2_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_mul(31) ^ n));
    }
}
