//! Graphs on threads, attacked: random load, clients that vanish, panics in all user code, stuck
//! handlers, live changes, ends of every kind. Whatever does not add up ends the run with its seed.
//!
//! ```sh
//! cargo run --release -p benches --bin chaos -- --minutes 10 --seed 7
//! ```

mod fate;
mod generation;
mod graph;
mod hosts;
mod load;
mod node;
mod recorder;
mod sums;
mod world;

use benches::process::{Holdings, wait_until};
use benches::rng::{Dice, quiet_panics};
use clap::Parser;
use seda_core::{Clock, MonotonicClock};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use sums::Sums;

/// Attacks seda-core with random graphs on threads.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long new generations are begun.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// What the graphs follow from; how threads interleave does not.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs only the generation of this number.
    #[arg(long)]
    only: Option<u64>,
}

/// Panics that nobody meant.
static STRANGE_PANICS: AtomicU64 = AtomicU64::new(0);
/// Threads that are to end do so within this, on any machine.
const LONG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    quiet_panics(&STRANGE_PANICS);
    recorder::install();
    match run(&arguments) {
        Ok(sums) => {
            println!("{sums}");
            println!("everything adds up");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            println!("{fault}");
            println!("does not add up: --seed {}", arguments.seed);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Sums, String> {
    let (before, clock) = (Holdings::now(), MonotonicClock::new());
    println!("before: {before}");
    let mut sums = Sums::default();
    let numbers = arguments.only.map_or(0..=u64::MAX, |only| only..=only);
    for number in numbers {
        if clock.now().as_secs_f64() > arguments.minutes * 60.0 {
            break;
        }
        let seed = Dice(arguments.seed).roll().wrapping_add(number);
        let generation = generation::run(seed);
        let (about, came) = generation.map_err(|fault| format!("generation {number}: {fault}"))?;
        came.check().map_err(|fault| format!("generation {number}, {about}: {fault}"))?;
        sums += came;
        if STRANGE_PANICS.load(SeqCst) > 0 {
            return Err(format!("generation {number}, {about}: a panic that nobody meant"));
        }
        if !wait_until(LONG, || Holdings::now().threads <= before.threads) {
            return Err(format!("generation {number}, {about}: {}", Holdings::now()));
        }
        let now = Holdings::now();
        println!("{:7.1} s, generation {number}: {about}; {now}", clock.now().as_secs_f64());
        if now.descriptors > before.descriptors {
            return Err(format!("generation {number}, {about}: descriptors are left open"));
        }
    }
    println!("after: {}", Holdings::now());
    Ok(sums)
}
