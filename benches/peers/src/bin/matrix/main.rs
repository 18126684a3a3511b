//! The overload matrix: seda in two configurations, with nothing set and with an SLO set, in every
//! case of `matrix.toml`. It is compared with a formula for the machine's best goodput, with a
//! hindsight oracle on the same arrivals, and with hand-tuned rivals.
//!
//! `just overload-matrix` takes 70 minutes, `--quick` seven; `--only NAME,...` selects cells.
//! It needs two cores and `taskset`. It writes the tables between the marks of `docs/overload.md`
//! and every run into `benches/peers/results/matrix.json`.
//!
//! Rooms, from top to bottom: `cases`, `measure`, `judge`, `settings`. A file imports from its own
//! room and from lower ones.

mod cases;
mod judge;
mod measure;
mod settings;

use cases::cells::Cells;
use clap::Parser;
use judge::{document, verdict::Row};
use measure::runner::{RunRecord, Runner};
use serde::Serialize;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures seda under overload, row by row, and tells which rows meet their targets.
#[derive(Debug, Parser)]
#[command(name = "overload-matrix")]
struct Flags {
    /// One round, fewer loads and servers, short runs: seven minutes
    #[arg(long)]
    quick: bool,
    /// Run only these cells
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', num_args = 1..)]
    only: Vec<String>,
    /// Rounds of each cell [default: as in the file of cells]
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// File of cells [default: benches/peers/matrix.toml]
    #[arg(long, value_name = "FILE")]
    cells: Option<PathBuf>,
    /// Directory for JSON and Markdown [default: benches/peers/results]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Do not build the servers first
    #[arg(long)]
    no_build: bool,
    /// Do not write docs/; --only implies it
    #[arg(long)]
    keep_docs: bool,
}

/// The JSON file.
#[derive(Serialize)]
struct Results<'a> {
    command: &'a str,
    rows: &'a [Row],
    runs: &'a [RunRecord],
}

fn main() -> ExitCode {
    match measure(&Flags::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        // The same exit code as `seda sweep --assert`.
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the chosen cells; returns true if every row is met.
fn measure(flags: &Flags) -> Result<bool, Box<dyn Error>> {
    // Read and build everything before the first load.
    let default = peers::root().join("benches/peers/matrix.toml");
    let cells = Cells::read(flags.cells.as_ref().unwrap_or(&default))?;
    let chosen = cells.chosen(&flags.only)?;
    if !flags.no_build {
        peers::build()?;
    }
    peers::pin_generator()?;
    let default = peers::root().join("benches/peers/results");
    let results = flags.results.clone().unwrap_or(default);
    fs::create_dir_all(&results)?;
    let settings = cells.settings(flags.quick, flags.rounds);
    let rounds = settings.rounds;
    let mut runner = Runner {
        settings,
        server: cells.server.clone(),
        stop: peers::stop_on_signal()?,
        results: results.clone(),
        records: Vec::new(),
    };
    let command = command(flags);
    let mut rows = Vec::new();
    let total = chosen.len();
    for (number, cell) in (1..).zip(chosen) {
        eprintln!("cell {number} of {total}: {}", cell.name());
        let more = match cell.measure(&mut runner) {
            Ok(rows) => rows,
            Err(error) if runner.stop.is_wanted() => return Err(error),
            // A cell that fails does not stop the others.
            Err(error) => vec![Row::not_run(cell.kind(), cell.name(), &error.to_string())],
        };
        more.iter().for_each(|row| println!("{}", document::line(row)));
        rows.extend(more);
        // Each cell writes all results so far, because a run of an hour may not reach its end.
        let all = Results { command: &command, rows: &rows, runs: &runner.records };
        fs::write(results.join("matrix.json"), serde_json::to_string_pretty(&all)?)?;
        let markdown = document::markdown(&command, rounds, &rows);
        fs::write(results.join("matrix.md"), markdown)?;
    }
    if !flags.keep_docs && flags.only.is_empty() {
        let markdown = document::markdown(&command, rounds, &rows);
        document::write(&peers::root().join("docs/overload.md"), &markdown)?;
    }
    let of = |verdict| rows.iter().filter(|row| row.verdict() == verdict).count();
    let (met, file) = (of("met"), results.join("matrix.json"));
    println!("{met} of {} rows met; {}", rows.len(), file.display());
    Ok(met + of("shown") == rows.len())
}

/// Returns the command that gives these results.
fn command(flags: &Flags) -> String {
    let mut command = "just overload-matrix".to_owned();
    if flags.quick {
        command.push_str(" --quick");
    }
    if !flags.only.is_empty() {
        command.push_str(&format!(" --only {}", flags.only.join(",")));
    }
    if let Some(rounds) = flags.rounds {
        command.push_str(&format!(" --rounds {rounds}"));
    }
    command
}
