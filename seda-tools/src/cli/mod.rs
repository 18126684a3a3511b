//! The program `seda`: parses flags, runs a command, prints its result, and returns an exit code.
//!
//! This room may import all others. Behaviour that a library user could want belongs in those.

mod compare;
mod error;
mod exit;
mod input;
mod lab;
mod load;
mod output;
mod plan;
mod progress;
mod request;
mod rig;
mod signals;
mod sim;
mod step;
mod sweep;
mod top;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Benchmarks a server under load, and beyond its capacity.
#[derive(Debug, Parser)]
#[command(name = "seda", version, after_help = EXIT_CODES)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 not as wanted (an --assert does not hold, \
    nothing was answered, a plan misses its SLO), 2 wrong input, 3 the generator could not keep its schedule, 130 Ctrl-C.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends requests on a schedule and reports their outcomes
    Load(load::LoadFlags),
    /// Finds the capacity, then runs loads from half of it to many times of it
    Sweep(sweep::SweepFlags),
    /// Runs a profile of rates and reports how long recovery takes
    Step(step::StepFlags),
    /// Compares sweeps
    Compare(compare::CompareFlags),
    /// Shows the graph of a running server, or a saved history, in the terminal
    Top(top::TopFlags),
    /// Simulates a graph of stages under virtual time
    Sim(sim::SimFlags),
    /// Predicts what a change of a running server would do, from its report
    Plan(plan::PlanFlags),
    /// Maps the triggers after which a server stays down, in simulation
    Lab(lab::LabFlags),
}

/// Runs the program with its command line, program name included.
pub fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let flags = match Flags::try_parse_from(arguments) {
        Ok(flags) => flags,
        Err(error) if error.use_stderr() => return report_usage_error(&error),
        Err(help) => {
            output::print(&help);
            return ExitCode::SUCCESS;
        }
    };
    let exit = match flags.command {
        Command::Load(flags) => load::load(&flags),
        Command::Sweep(flags) => sweep::sweep(&flags),
        Command::Step(flags) => step::step(&flags),
        Command::Compare(flags) => compare::compare(&flags),
        Command::Top(flags) => top::top(&flags),
        Command::Sim(flags) => sim::sim(&flags),
        Command::Plan(flags) => plan::plan(&flags),
        Command::Lab(flags) => lab::lab(&flags),
    };
    match exit {
        Ok(exit) => exit.code(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the first paragraph of the error in one line; the others are the usage.
fn report_usage_error(error: &clap::Error) -> ExitCode {
    let message = error.to_string();
    let first = message.split("\n\n").next().unwrap_or(&message);
    eprintln!("{} (--help lists the flags)", first.replace('\n', " ").trim());
    ExitCode::from(2)
}
