//! The overload matrix: seda in one configuration, defaults and an SLO, in every case of
//! `matrix.toml`, beside what a formula says the machine could do, and hand-tuned rivals.
//!
//! `just overload-matrix` (an hour at most), `--quick` (six minutes), `--only NAME,...`. Needs two
//! cores and `taskset`. Writes `docs/overload.md` between its marks, and every run into
//! `benches/peers/results/matrix.json`.

mod cases;
mod judge;
mod measure;
mod settings;

use cases::cells::Cells;
use clap::Parser;
use judge::{document, verdict::Row};
use measure::runner::{Bench, Recorded};
use serde::Serialize;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures seda under overload, row by row, and says which rows it meets.
#[derive(Debug, Parser)]
#[command(name = "overload-matrix")]
struct Flags {
    /// One round, fewer loads, short runs: six minutes
    #[arg(long)]
    quick: bool,
    /// Only these cells
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', num_args = 1..)]
    only: Vec<String>,
    /// Rounds of each cell [default: the file's]
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// The file with the cells [default: benches/peers/matrix.toml]
    #[arg(long, value_name = "FILE")]
    cells: Option<PathBuf>,
    /// Where JSON and Markdown go [default: benches/peers/results]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Do not build anything first
    #[arg(long)]
    no_build: bool,
    /// Leave docs/ as it is; so does --only
    #[arg(long)]
    keep_docs: bool,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Results<'a> {
    command: &'a str,
    rows: &'a [Row],
    runs: &'a [Recorded],
}

fn main() -> ExitCode {
    match measure(&Flags::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        // As `seda sweep --assert`.
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every row is met.
fn measure(flags: &Flags) -> Result<bool, Box<dyn Error>> {
    let default = peers::root().join("benches/peers/matrix.toml");
    let cells = Cells::read(flags.cells.as_ref().unwrap_or(&default))?;
    let chosen = cells.chosen(&flags.only)?;
    if !flags.no_build {
        peers::build()?;
    }
    peers::pin_generator()?;
    let usual = peers::root().join("benches/peers/results");
    let results = flags.results.clone().unwrap_or(usual);
    fs::create_dir_all(&results)?;
    let settings = cells.settings(flags.quick, flags.rounds);
    let rounds = settings.rounds;
    let mut bench = Bench {
        settings,
        server: cells.server.clone(),
        quick: flags.quick,
        stop: peers::stop_on_signal()?,
        runs: Vec::new(),
    };
    let command = command(flags);
    let mut rows = Vec::new();
    let cells_in_all = chosen.len();
    for (number, cell) in (1..).zip(chosen) {
        eprintln!("cell {number} of {cells_in_all}: {}", cell.name());
        let more = match cell.measure(&mut bench) {
            Ok(rows) => rows,
            Err(error) if bench.stop.is_wanted() => return Err(error),
            // The others can be measured all the same.
            Err(error) => vec![Row::not_run(cell.kind(), cell.name(), &error.to_string())],
        };
        more.iter().for_each(|row| println!("{}", document::line(row)));
        rows.extend(more);
        // An hour is long: what is there is there, whatever comes.
        let all = Results { command: &command, rows: &rows, runs: &bench.runs };
        fs::write(results.join("matrix.json"), serde_json::to_string_pretty(&all)?)?;
        let markdown = document::markdown(&command, rounds, &rows);
        fs::write(results.join("matrix.md"), markdown)?;
    }
    if !flags.keep_docs && flags.only.is_empty() {
        let markdown = document::markdown(&command, rounds, &rows);
        document::write(&peers::root().join("docs/overload.md"), &markdown)?;
    }
    let met = rows.iter().filter(|row| row.verdict() == "met").count();
    println!("{met} of {} rows met; {}", rows.len(), results.join("matrix.json").display());
    Ok(met == rows.len())
}

/// What was typed.
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
