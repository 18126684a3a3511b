//! The program `seda`: parses flags, runs a command, prints its result, and returns an exit code.
//!
//! This room may import all others. Behaviour that a library user could want belongs in those.

mod compare;
mod error;
mod exit;
mod input;
mod lab;
mod limits;
mod load;
mod output;
mod plan;
mod progress;
mod request;
mod rig;
mod shell;
mod signals;
mod sim;
mod step;
mod sweep;
#[cfg(feature = "top")]
mod top;

use crate::h1::redacted;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use error::CliError;
use exit::Exit;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// Benchmarks a server under load, and beyond its capacity.
#[derive(Debug, Parser)]
#[command(name = "seda", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 not as wanted (an --assert does not hold, \
    no answer, or no right one, a plan misses its SLO), 2 wrong input, 3 the generator could not keep its schedule, 130 Ctrl-C.";

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
    #[cfg(feature = "top")]
    Top(top::TopFlags),
    /// Simulates a graph of stages under virtual time
    Sim(sim::SimFlags),
    /// Predicts what a change of a running server would do, from its report
    Plan(plan::PlanFlags),
    /// Maps the triggers after which a server stays down, in simulation
    Lab(lab::LabFlags),
    /// Prints the completions for a shell
    Completions(shell::CompletionFlags),
    /// Prints the manual page
    Man,
}

/// Runs the program with its command line, program name included.
pub fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let exit = match Flags::try_parse_from(arguments) {
        Ok(flags) => run_command(flags.command),
        Err(error) if is_help(&error) => output::print(&help(&error)).map(|()| Exit::Success),
        Err(error) => return report_usage_error(&error),
    };
    match exit {
        Ok(exit) => exit.code(),
        Err(error) => {
            output::tell(&format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run_command(command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Load(flags) => load::load(&flags),
        Command::Sweep(flags) => sweep::sweep(&flags),
        Command::Step(flags) => step::step(&flags),
        Command::Compare(flags) => compare::compare(&flags),
        #[cfg(feature = "top")]
        Command::Top(flags) => top::top(&flags),
        Command::Sim(flags) => sim::sim(&flags),
        Command::Plan(flags) => plan::plan(&flags),
        Command::Lab(flags) => lab::lab(&flags),
        Command::Completions(flags) => shell::completions(&flags, Flags::command()),
        Command::Man => shell::man(Flags::command()),
    }
}

/// Returns true if help is the answer: asked for, or to the bare name of the program.
fn is_help(error: &clap::Error) -> bool {
    !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// Returns the help: with colours on a terminal, unless NO_COLOR is set (no-color.org).
fn help(error: &clap::Error) -> String {
    let help = error.render();
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !is_plain { help.ansi().to_string() } else { help.to_string() }
}

/// Prints the error and the tips in one line, without passwords; the rest is the usage.
fn report_usage_error(error: &clap::Error) -> ExitCode {
    let mut message = error.to_string();
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(value)) = error.get(kind) {
            message = message.replace(value.as_str(), &redacted(value));
        }
    }
    let paragraphs = message.split("\n\n").enumerate();
    let told = paragraphs.filter(|(index, text)| *index == 0 || text.trim().starts_with("tip:"));
    let told: Vec<&str> = told.flat_map(|(_, text)| text.split_whitespace()).collect();
    output::tell(&format_args!("{} (--help lists the flags)", told.join(" ")));
    ExitCode::from(2)
}
