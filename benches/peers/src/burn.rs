//! The work of `/work`.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Uses `demand` of this thread's CPU time. Time in which another thread has the core does not
/// count, as with real work. The same code as in `examples/web_server/stages.rs`.
pub fn burn(demand: Duration) {
    let end = thread_cpu_time() + demand;
    let mut sum = 0_u64;
    while thread_cpu_time() < end {
        // Reading the clock is a system call, so about 2 us pass between two readings.
        (0..2_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_mul(31) ^ n));
    }
}

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
