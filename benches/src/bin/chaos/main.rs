//! Attacks random graphs on threads: random load, clients that disconnect, panics in all user
//! code, stuck handlers, live changes, ends of every kind. The first count that does not add up
//! ends the run and prints its seed.
//!
//! ```sh
//! cargo run --release -p benches --bin chaos -- --minutes 10 --seed 7
//! ```

mod fate;
mod fault;
mod generation;
mod graph;
mod hosts;
mod load;
mod node;
mod recorder;
mod sums;
mod world;

use benches::process::{Holdings, wait_until};
use benches::rng::{Rng, quiet_panics};
use clap::Parser;
use fault::{FailedGeneration, Fault};
use generation::Generation;
use seda_core::{Clock, MonotonicClock};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use sums::Sums;

/// Attacks seda-core with random graphs on threads.
#[derive(Debug, Parser)]
struct Arguments {
    /// Minutes during which new generations begin
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Seed of the graphs and loads; it does not fix how threads interleave
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run only the generation with this number
    #[arg(long)]
    only: Option<u64>,
}

/// Panics that were not on purpose.
static UNEXPECTED_PANICS: AtomicU64 = AtomicU64::new(0);
/// Time limit of ending threads, on any machine.
const LONG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet_panics(&UNEXPECTED_PANICS);
    recorder::install();
    match run(&arguments) {
        Ok(sums) => {
            println!("{sums}");
            println!("everything adds up");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            println!("{fault}");
            println!("found with --seed {}", arguments.seed);
            ExitCode::FAILURE
        }
    }
}

/// Runs generations until the time is over; the first fault ends the run.
fn run(arguments: &Arguments) -> Result<Sums, FailedGeneration> {
    let before = Holdings::now();
    let clock = MonotonicClock::new();
    println!("before: {before}");
    let mut sums = Sums::default();
    let numbers = arguments.only.map_or(0..=u64::MAX, |only| only..=only);
    for number in numbers {
        if clock.now().as_secs_f64() > arguments.minutes * 60.0 {
            break;
        }
        let seed = Rng(arguments.seed).next_u64().wrapping_add(number);
        let Generation { about, outcome } = generation::run(seed);
        match outcome.and_then(|sums| check(sums, &before)) {
            Ok(more) => sums += more,
            Err(fault) => return Err(FailedGeneration { number, about, fault }),
        }
        let seconds = clock.now().as_secs_f64();
        println!("{seconds:7.1} s, generation {number}: {about}; {}", Holdings::now());
    }
    println!("after: {}", Holdings::now());
    Ok(sums)
}

/// Checks the counts of a generation and that the process holds no more than before.
fn check(sums: Sums, before: &Holdings) -> Result<Sums, Fault> {
    if !sums.add_up() {
        return Err(Fault::Sums(Box::new(sums)));
    }
    if UNEXPECTED_PANICS.load(SeqCst) > 0 {
        return Err(Fault::Panic);
    }
    if !wait_until(LONG, || Holdings::now().threads <= before.threads) {
        return Err(Fault::Threads(Holdings::now()));
    }
    let now = Holdings::now();
    if now.descriptors > before.descriptors {
        return Err(Fault::Descriptors(now));
    }
    Ok(sums)
}
