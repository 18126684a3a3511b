//! The program `seda`: flags in, words and an exit code out.

mod compare;
mod input;
mod load;
mod progress;
mod request;
mod rig;
mod signals;
mod sim;
mod step;
mod sweep;

use clap::{Parser, Subcommand};
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what was asked.
    Well,
    /// It did, and what was found is not what was wanted: an `--assert` does not hold, or nothing
    /// was answered at all.
    NotAsWanted,
    /// The load was not the one asked for.
    ScheduleNotKept,
    /// Ctrl-C.
    Interrupted,
}

impl Ending {
    fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Ending::Well => 0,
            Ending::NotAsWanted => 1,
            Ending::ScheduleNotKept => 3,
            // As shells report a program that SIGINT ended.
            Ending::Interrupted => 130,
        })
    }
}

/// What went wrong before or instead of a result; exit code 2.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(error.to_string())
    }
}

impl Failed {
    fn new(words: impl fmt::Display) -> Self {
        Failed(words.to_string())
    }
}

/// Benchmarks how a server behaves under load, and beyond what it can take.
#[derive(Debug, Parser)]
#[command(name = "seda", version, after_help = EXIT_CODES)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 well, 1 not as wanted (an --assert does not hold, nothing \
    was answered), 2 wrong input, 3 the generator could not keep its schedule, 130 Ctrl-C.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends requests on a schedule and says what became of them
    Load(load::LoadFlags),
    /// Finds the capacity, then sweeps from half of it to many times of it
    Sweep(sweep::SweepFlags),
    /// Drives a profile of rates and says how long recovery takes
    Step(step::StepFlags),
    /// Lays sweeps over each other
    Compare(compare::CompareFlags),
    /// Simulates a graph of stages under virtual time
    Sim(sim::SimFlags),
}

/// Runs the program with the words it was called with.
pub fn run(words: impl IntoIterator<Item = String>) -> ExitCode {
    let flags = match Flags::try_parse_from(words) {
        Ok(flags) => flags,
        Err(error) if error.use_stderr() => {
            let words = error.to_string();
            // The first paragraph says it; the rest would be the whole usage.
            let first = words.split("\n\n").next().unwrap_or_default();
            eprintln!("{} (--help lists the flags)", first.replace("\n", " ").trim());
            return ExitCode::from(2);
        }
        Err(help) => {
            say(&help);
            return ExitCode::SUCCESS;
        }
    };
    let ending = match flags.command {
        Command::Load(flags) => load::load(&flags),
        Command::Sweep(flags) => sweep::sweep(&flags),
        Command::Step(flags) => step::step(&flags),
        Command::Compare(flags) => compare::compare(&flags),
        Command::Sim(flags) => sim::sim(&flags),
    };
    match ending {
        Ok(ending) => ending.code(),
        Err(Failed(words)) => {
            eprintln!("error: {words}");
            ExitCode::from(2)
        }
    }
}

/// Says a result on standard output. A reader that has gone (`| head`) has seen what it wanted:
/// that is no reason to panic, as `println!` does, nor to lose the files that are still to write.
fn say(words: &dyn fmt::Display) {
    let mut out = io::stdout().lock();
    let _ = write!(out, "{words}").and_then(|()| out.flush());
}
