//! Starts, loads and ends a graph again and again, in every way. A graph must give back everything
//! it takes, to the last block of memory.
//!
//! ```sh
//! cargo run --release -p benches --bin leak_check -- --iterations 1000
//! ```
//!
//! Under valgrind its own count decides: `valgrind --leak-check=full
//! target/release/leak_check --iterations 20`.

mod fault;
mod heap;
mod life;

use benches::process::{Holdings, wait_until};
use benches::rng::quiet_panics;
use clap::Parser;
use fault::{FailedLife, Fault};
use heap::Live;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Lives before the count starts, four of each kind. They create the objects that stay for good:
/// call sites of tracing, the thread table of parking_lot, thread-local buffers.
const WARM_UP: u64 = 4 * life::KINDS;
/// Growth of resident memory that is the heap's own: the arena of a thread, and the freed memory
/// that an arena keeps, differ from run to run. A leak of one block per iteration would show in the
/// exact count.
const RSS_TOLERANCE_KIB: u64 = 8 * 1024;
/// Time limit of ending threads, on any machine.
const LONG: Duration = Duration::from_secs(60);

/// Panics that were not on purpose.
static UNEXPECTED_PANICS: AtomicU64 = AtomicU64::new(0);

/// Checks that graphs give everything back.
#[derive(Debug, Parser)]
struct Arguments {
    /// Number of graphs to start and end after the warm-up
    #[arg(long, default_value_t = 1_000)]
    iterations: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet_panics(&UNEXPECTED_PANICS);
    let first = Holdings::now();
    println!("at first:     {first}");
    let ended = warm_up(&first).and_then(|()| run(arguments.iterations, &first));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            println!("{failed}");
            ExitCode::FAILURE
        }
    }
}

fn warm_up(first: &Holdings) -> Result<(), FailedLife> {
    (0..WARM_UP).try_for_each(|number| in_life(number, live(number, first)))
}

/// Lives the counted lives: none may change the heap.
fn run(iterations: u64, first: &Holdings) -> Result<(), FailedLife> {
    let warm = Holdings::now();
    let heap = Live::now();
    println!("warmed up:    {warm}; {heap:?}");
    for number in 0..iterations {
        in_life(number, live(number, first))?;
        in_life(number, check_heap(heap))?;
    }
    let last = Holdings::now();
    println!("after {iterations}: {last}; {:?}", Live::now());
    in_life(iterations, check_end(first, &warm, last))
}

/// Names the life in which a fault was found.
fn in_life(number: u64, outcome: Result<(), Fault>) -> Result<(), FailedLife> {
    outcome.map_err(|fault| FailedLife { number, about: life::about(number), fault })
}

/// Lives one life and waits for its threads to end.
fn live(number: u64, first: &Holdings) -> Result<(), Fault> {
    life::live(number)?;
    if wait_until(LONG, || Holdings::now().threads <= first.threads) {
        return Ok(());
    }
    Err(Fault::Threads(Holdings::now()))
}

fn check_heap(expected: Live) -> Result<(), Fault> {
    let now = Live::now();
    if now == expected { Ok(()) } else { Err(Fault::Heap(now)) }
}

fn check_end(first: &Holdings, warm: &Holdings, last: Holdings) -> Result<(), Fault> {
    if UNEXPECTED_PANICS.load(SeqCst) > 0 {
        return Err(Fault::Panic);
    }
    if last.descriptors > first.descriptors || last.rss_kib > warm.rss_kib + RSS_TOLERANCE_KIB {
        return Err(Fault::Grown(last));
    }
    Ok(())
}
