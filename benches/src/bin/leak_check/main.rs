//! Starts, loads and ends a graph again and again, in all the ways there are: whatever a graph
//! takes it must give back, to the last block of memory.
//!
//! ```sh
//! cargo run --release -p benches --bin leak_check -- --iterations 1000
//! ```
//!
//! Under valgrind, where only its own count tells: `valgrind --leak-check=full
//! target/release/leak_check --iterations 20`.

mod life;

use benches::process::{Holdings, wait_until};
use benches::rng::quiet_panics;
use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Counts blocks and bytes, exactly.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is made once and kept: call sites of tracing, parking_lot's table of threads, thread-local
/// buffers. Each of the lives is lived four times before it counts.
const WARM_UP: u64 = 4 * life::KINDS;
/// The heap's own tolerance, and not ours: which arena a thread gets, and what an arena keeps of
/// what it was given back, differs from run to run. A leak of one block in each of a thousand
/// iterations would show in the exact count.
const RSS_TOLERANCE_KIB: u64 = 8 * 1024;
/// Threads that have ended are gone within this, on any machine.
const LONG: Duration = Duration::from_secs(60);

static STRANGE_PANICS: AtomicU64 = AtomicU64::new(0);

/// Checks that graphs give everything back.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many graphs are started and ended, behind the warm-up.
    #[arg(long, default_value_t = 1_000)]
    iterations: u64,
}

/// Blocks and bytes that are allocated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Live {
    blocks: usize,
    bytes: usize,
}

impl Live {
    fn now() -> Self {
        let stats = ALLOCATOR.stats();
        Self {
            blocks: stats.allocations.saturating_sub(stats.deallocations),
            bytes: stats.bytes_allocated.saturating_sub(stats.bytes_deallocated),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet_panics(&STRANGE_PANICS);
    match run(arguments.iterations) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(iterations: u64) -> Result<(), String> {
    let first = Holdings::now();
    println!("at first:     {first}");
    for n in 0..WARM_UP {
        life::live(n)?;
        settle(n, first.threads)?;
    }
    let (warm, live) = (Holdings::now(), Live::now());
    println!("warmed up:    {warm}; {live:?}");
    for n in 0..iterations {
        life::live(n)?;
        settle(n, first.threads)?;
        let now = Live::now();
        if now != live {
            return Err(format!("iteration {n}, {}: {now:?}", life::about(n)));
        }
    }
    let last = Holdings::now();
    println!("after {iterations}: {last}; {:?}", Live::now());
    if STRANGE_PANICS.load(SeqCst) > 0 {
        return Err("a panic that nobody meant".to_owned());
    }
    if last.descriptors > first.descriptors || last.rss_kib > warm.rss_kib + RSS_TOLERANCE_KIB {
        return Err("descriptors or memory have grown".to_owned());
    }
    Ok(())
}

/// Waits for threads that have said that they end.
fn settle(n: u64, threads: usize) -> Result<(), String> {
    if wait_until(LONG, || Holdings::now().threads <= threads) {
        return Ok(());
    }
    Err(format!("iteration {n}, {}: {}", life::about(n), Holdings::now()))
}
