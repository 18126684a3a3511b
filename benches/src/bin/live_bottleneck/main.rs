//! Graphs on threads with a known bottleneck: what does a report name?
//!
//! Of each graph the rate at which it is full is measured, and again with each change made: half a
//! stage's demand, twice a pool, a wider bound, a cured replica. The change that gains most is the
//! truth; changes that gain four fifths of it are as right. Then the graph runs at 0.3, 0.9 and 1.5
//! of its full rate for thirteen seconds, and the reports near the end are judged.
//!
//! ```sh
//! cargo run --release -p benches --bin live_bottleneck -- --seed 7
//! cargo run --release -p benches --bin live_bottleneck -- --only lock,cap --verbose
//! ```

mod change;
mod description;
mod fault;
mod graph;
mod job;
mod kind;
mod load;
mod look;
mod named;
mod node;
mod remote;
mod score;
mod truth;
mod work;

use clap::Parser;
use description::Description;
use fault::Fault;
use graph::Settings;
use kind::Kind;
use look::{Case, Level, Look};
use parking_lot::Mutex;
use score::Score;
use std::process::ExitCode;
use std::time::Duration;
use truth::Truth;

/// Judges the bottlenecks that reports name, on graphs on threads with a known one.
#[derive(Debug, Parser)]
struct Arguments {
    /// Kinds of graphs, separated by commas; default: all
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Seed of the graphs' demands; it does not fix how threads interleave
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Graphs of each kind; each round has other demands
    #[arg(long, default_value_t = 1)]
    rounds: u64,
    /// Looks at each run, 300 ms apart
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    looks: u32,
    /// An SLO in milliseconds; without it nothing is set
    #[arg(long)]
    slo: Option<u64>,
    /// Graphs that run side by side, if they need little of a core
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Print the changes' gains and the last report of each run
    #[arg(long)]
    verbose: bool,
}

impl Arguments {
    fn settings(&self) -> Settings {
        self.slo.map_or(Settings::Nothing, |slo| Settings::Slo(Duration::from_millis(slo)))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(score) => {
            score.print();
            ExitCode::SUCCESS
        }
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Score, Fault> {
    let kinds = chosen(&arguments.only)?;
    let mut results = Vec::new();
    for round in 0..arguments.rounds {
        let seed = arguments.seed.wrapping_add(round.wrapping_mul(1_000_003));
        let (heavy, light): (Vec<Kind>, Vec<Kind>) = kinds.iter().partition(|kind| kind.is_heavy);
        results.extend(side_by_side(&light, arguments, seed)?);
        for kind in heavy {
            results.push((kind, diagnose(kind, arguments, seed)?));
        }
    }
    let mut score = Score::default();
    for kind in kinds {
        let of_kind = results.iter().filter(|(other, _)| other.name == kind.name);
        of_kind.for_each(|(_, looks)| score.add(kind.name, looks.clone()));
    }
    Ok(score)
}

/// Returns the kinds of these names; all without names.
fn chosen(names: &[String]) -> Result<Vec<Kind>, Fault> {
    if names.is_empty() {
        return Ok(Kind::ALL.to_vec());
    }
    let find = |name: &String| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name == name);
        kind.ok_or_else(|| Fault::UnknownKind(name.clone(), Kind::ALL.map(|k| k.name).join(", ")))
    };
    names.iter().map(find).collect()
}

/// Diagnoses graphs that need little of a core, `jobs` at a time.
fn side_by_side(
    kinds: &[Kind],
    arguments: &Arguments,
    seed: u64,
) -> Result<Vec<(Kind, Vec<Look>)>, Fault> {
    let left = Mutex::new(kinds.iter().copied());
    let results = Mutex::new(Vec::new());
    let job = || -> Result<(), Fault> {
        loop {
            let Some(kind) = left.lock().next() else { return Ok(()) };
            let looks = diagnose(kind, arguments, seed)?;
            results.lock().push((kind, looks));
        }
    };
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..arguments.jobs.max(1)).map(|_| scope.spawn(job)).collect();
        jobs.into_iter().try_for_each(|job| job.join().unwrap_or(Err(Fault::Panic)))
    })?;
    Ok(results.into_inner())
}

/// Finds the truth about one graph, and judges its reports at all loads.
fn diagnose(kind: Kind, arguments: &Arguments, seed: u64) -> Result<Vec<Look>, Fault> {
    let description = kind.describe(seed);
    let truth = Truth::find(&description, seed)?;
    print_truth(kind, &description, &truth, arguments.verbose);
    let case = Case {
        kind,
        description: &description,
        truth: &truth,
        settings: arguments.settings(),
        seed,
        looks: arguments.looks,
        is_verbose: arguments.verbose,
    };
    let mut looks = Vec::new();
    if kind.is_heavy {
        for level in Level::ALL {
            looks.extend(case.run(level)?);
        }
        return Ok(looks);
    }
    // Three copies of a graph that needs little of a core do not disturb each other.
    std::thread::scope(|scope| {
        let case = &case;
        let runs = Level::ALL.map(|level| scope.spawn(move || case.run(level)));
        for run in runs {
            looks.extend(run.join().unwrap_or(Err(Fault::Panic))?);
        }
        Ok(looks)
    })
}

fn print_truth(kind: Kind, description: &Description, truth: &Truth, is_verbose: bool) {
    let most = if is_verbose { usize::MAX } else { 3 };
    let gains = truth.gains.iter().take(most);
    let gains: Vec<String> = gains
        .map(|(change, gain)| format!("{} {:+.0} %", change.words(description), gain * 100.0))
        .collect();
    let stages: Vec<&str> = truth.stages.iter().map(String::as_str).collect();
    println!(
        "{}: full at {:.0}/s; true: {}; {}",
        kind.name,
        truth.rate,
        stages.join(", "),
        gains.join(", ")
    );
}
