//! Holds the bottleneck that a report names against generated graphs whose bottleneck is known.
//!
//! ```sh
//! cargo run --release -p benches --bin diagnose -- --graphs 56 --kinds line,cores
//! ```
//!
//! What limits a graph is known by intervention ([`seda_sim::study::diagnosis`]). The same flags
//! give the same graphs and the same output.

mod exam;
mod table;

use clap::Parser;
use exam::Exam;
use parking_lot::Mutex;
use seda_sim::study::diagnosis::Kind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use table::Table;
use thiserror::Error;

/// Names the bottleneck of generated graphs, and compares it with the truth.
#[derive(Debug, Parser)]
struct Arguments {
    /// Graphs, of all kinds in turn
    #[arg(long, default_value_t = 308)]
    graphs: usize,
    /// The seed of the first graph of each kind; the next one has the next seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The kinds of graphs [default: all]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Threads that simulate
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// The folder of the specs of misses, for `seda sim`
    #[arg(long, value_name = "FOLDER", default_value = "target/tmp/diagnose")]
    specs: PathBuf,
    /// Print every graph with its truth
    #[arg(long)]
    verbose: bool,
}

/// The reason why there is no table.
#[derive(Debug, Error)]
enum DiagnoseError {
    #[error(transparent)]
    Sim(#[from] seda_sim::SimError),
    #[error(transparent)]
    Spec(#[from] seda_sim::SpecError),
    #[error("the specs of misses cannot be written into the folder {path}: {error}; name another one with `--specs`", path = .path.display())]
    Folder { path: PathBuf, error: std::io::Error },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match diagnose(&arguments) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn diagnose(arguments: &Arguments) -> Result<Table, DiagnoseError> {
    let kinds = if arguments.kinds.is_empty() { &Kind::ALL[..] } else { &arguments.kinds };
    let graphs: Vec<(Kind, u64)> = (arguments.seed..)
        .flat_map(|seed| kinds.iter().map(move |kind| (*kind, seed)))
        .take(arguments.graphs)
        .collect();
    // Each thread takes the next graph until there is none.
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                while let Some((kind, seed)) = graphs.get(next.fetch_add(1, Relaxed)) {
                    let exam = Exam::take(*kind, *seed);
                    if let (true, Ok(exam)) = (arguments.verbose, &exam) {
                        println!("{exam}");
                    }
                    ended.lock().push(exam);
                }
            });
        }
    });
    let mut exams = ended.into_inner().into_iter().collect::<Result<Vec<Exam>, _>>()?;
    exams.sort_by_key(|exam| (exam.subject.seed, exam.subject.kind));
    let table = Table::of(exams);
    table.write_misses(&arguments.specs)?;
    Ok(table)
}
