//! The exact size of the heap.

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;

/// Counts blocks and bytes exactly.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Blocks and bytes that are allocated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    blocks: usize,
    bytes: usize,
}

impl Live {
    pub(crate) fn now() -> Self {
        let stats = ALLOCATOR.stats();
        Self {
            blocks: stats.allocations.saturating_sub(stats.deallocations),
            bytes: stats.bytes_allocated.saturating_sub(stats.bytes_deallocated),
        }
    }
}
