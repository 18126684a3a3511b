//! The peers side by side: builds them, pins server and generator to a core each, lets them take
//! turns, and writes the comparison.
//!
//! `just peers --quick` (under 3 minutes behind the build) or `just peers` (under 20). Needs two
//! cores, `taskset`, and nginx for its rows (`apt-get install nginx-light`; without it they are
//! left out). Writes `docs/overload.md` between its marks, `docs/overload.svg`,
//! `docs/overload_step.svg`, and pages and JSON into `benches/peers/results/`.

mod document;
mod hello;
mod overload;
mod recovery;
mod restarting;

use clap::Parser;
use peers::Contestant;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Compares seda with its peers under overload.
#[derive(Debug, Parser)]
#[command(name = "peers")]
struct Flags {
    /// One service time, one round, fewer peers: under 3 minutes
    #[arg(long)]
    quick: bool,
    /// Only these contestants, like "seda,axum-bounded-queue-16"
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    only: Vec<Contestant>,
    /// Rounds of every service time [default: 3 and 2, with --quick 1]
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Do not build anything first
    #[arg(long)]
    no_build: bool,
    /// Leave docs/ as it is
    #[arg(long)]
    keep_docs: bool,
}

fn main() -> ExitCode {
    match compare(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(flags: &Flags) -> Result<(), Box<dyn Error>> {
    if !flags.no_build {
        peers::build()?;
    }
    peers::pin_generator()?;
    let results = peers::root().join("benches/peers/results");
    fs::create_dir_all(&results)?;
    let stop = peers::stop_on_signal()?;
    let mut services = vec![];
    for service in overload::Service::all(flags.quick, flags.rounds) {
        let measured = overload::overload(service, flags, &stop)?;
        write_pages(&results, &measured)?;
        services.push(measured);
    }
    let first = services.first().ok_or("nothing was measured")?;
    let steps = recovery::recovery(first, flags, &stop)?;
    let hello = hello::hello(flags, &stop)?;
    let markdown = document::markdown(flags.quick, &services, &steps, &hello);
    println!("{markdown}");
    fs::write(results.join("overload.md"), &markdown)?;
    if !flags.keep_docs {
        document::write(&peers::root(), &markdown, first, &steps)?;
    }
    println!("pages and JSON: {}", results.display());
    Ok(())
}

fn write_pages(results: &Path, measured: &overload::Overload) -> Result<(), Box<dyn Error>> {
    let name = format!("overload-{}us", measured.service.micros);
    let page = seda_tools::page::compare(&measured.sweeps)?;
    fs::write(results.join(format!("{name}.html")), page)?;
    for sweep in &measured.sweeps {
        let file = results.join(format!("{name}-{}.json", sweep.name));
        fs::write(file, serde_json::to_string_pretty(sweep)?)?;
    }
    Ok(())
}

/// What decides whether an answer is good.
const SLO: Duration = Duration::from_millis(200);

/// The SLOs of every run: the first decides, the others show how much depends on it.
fn slos() -> Vec<Duration> {
    vec![SLO, Duration::from_millis(100), Duration::from_millis(500)]
}

/// When a client gives up.
const DEADLINE: Duration = Duration::from_secs(1);
