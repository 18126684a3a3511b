//! The peers side by side: builds them, pins server and generator to a core each, runs the servers
//! in turn, and writes the comparison.
//!
//! After the build `just peers` takes under 20 minutes, `just peers --quick` under 3. Needs two
//! cores, `taskset`, and for the rows of nginx `apt-get install nginx-light`. Writes the tables
//! between the marks of `docs/overload.md`, `docs/overload.svg`, `docs/overload_step.svg`, and
//! pages and JSON into `benches/peers/results/`.

mod document;
mod hello;
mod overload;
mod recovery;
mod restarting;
mod settings;

use clap::Parser;
use settings::Flags;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

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
