//! `seda sim`.

use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::output::{self, Text};
use crate::experiment::plan;
use crate::experiment::sim::SimRig;
use crate::experiment::sweep::{self, Assertion, Pause, SweepPlan};
use crate::load::arrivals::Process;
use crate::page;
use clap::Args;
use seda_core::{Clock, MonotonicClock, Time};
use seda_sim::{Capacity, Spec};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The SLO of a sweep if the spec states none: the default of `seda sweep`.
const SLO: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SimFlags {
    /// The spec to simulate, as TOML
    #[arg(value_name = "SPEC.toml", required_unless_present = "from_report")]
    spec: Option<PathBuf>,
    /// Simulate a measured graph instead: the JSON of its /_seda/report
    #[arg(long, value_name = "FILE", conflicts_with = "spec")]
    from_report: Option<PathBuf>,
    /// Cores of the simulated machine [default: those of the spec, or of the report]
    #[arg(long, value_name = "N")]
    cores: Option<usize>,
    /// Write the spec as TOML, to be edited and simulated again: with --from-report, the way to any
    /// "what if" that `seda plan` has no flag for
    #[arg(long, value_name = "FILE")]
    spec_out: Option<PathBuf>,
    /// Simulate multiples of the capacity
    #[arg(long)]
    sweep: bool,
    /// The multiples
    #[arg(long, value_name = "X,...", value_delimiter = ',', value_parser = input::factor,
        default_value = "0.5,0.8,0.9,1.0,1.2,1.5,2,5,10", requires = "sweep")]
    at: Vec<f64>,
    /// Rounds with different arrivals; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sweep",
        value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// The seed, instead of the spec's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A condition on the sweep, like 'goodput@5x>=0.97'; exit code 1 if it does not hold
    #[arg(long = "assert", value_name = "FIGURE@LOAD>=VALUE", requires = "sweep")]
    assertions: Vec<Assertion>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page with the plots of a sweep
    #[arg(long, value_name = "FILE", requires = "sweep")]
    html: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  seda sim examples/lab/mm1.toml
  seda sim examples/lab/congestion_collapse.toml --sweep --html collapse.html
  curl http://127.0.0.1:8080/_seda/report > report.json
  seda sim --from-report report.json --spec-out measured.toml";

/// Runs the command.
pub(super) fn sim(flags: &SimFlags) -> Result<Exit, CliError> {
    output::check_writable([
        ("--json", &flags.json),
        ("--html", &flags.html),
        ("--spec-out", &flags.spec_out),
    ])?;
    let spec = flags.spec()?;
    if let Some(file) = &flags.spec_out {
        output::write("--spec-out", file, &spec.to_toml()?)?;
    }
    let seed = flags.seed.unwrap_or(spec.seed);
    if flags.sweep { sweep(flags, spec, seed) } else { simulate(flags, &spec, seed) }
}

/// Simulates the spec once.
fn simulate(flags: &SimFlags, spec: &Spec, seed: u64) -> Result<Exit, CliError> {
    let clock = MonotonicClock::new();
    let report = seda_sim::run(spec, seed)?;
    let seconds = clock.now().nanos_since(Time::ZERO) as f64 / 1e9;
    output::tell(&format_args!(
        "{} events in {seconds:.2} s: {:.0} events/s",
        report.events,
        report.events as f64 / seconds
    ));
    Text::beside(flags.json.as_ref()).print(&format_args!("{report}\n"))?;
    output::write_json(flags.json.as_ref(), &report)?;
    Ok(Exit::Success)
}

impl SimFlags {
    fn spec(&self) -> Result<Spec, CliError> {
        let mut spec = match (&self.from_report, &self.spec) {
            (Some(file), _) => self.measured(file)?,
            (None, Some(file)) => Spec::read(file)?,
            (None, None) => return Err(CliError::NoSpec),
        };
        spec.cores = self.cores.unwrap_or(spec.cores);
        spec.check()?;
        Ok(spec)
    }

    /// Returns the spec of a measured report.
    fn measured(&self, file: &Path) -> Result<Spec, CliError> {
        let json = output::read("--from-report", file)?;
        let report: seda_core::Report = serde_json::from_slice(&json)
            .map_err(|source| CliError::NotAReport { file: file.to_owned(), source })?;
        let cores = self.cores.unwrap_or_else(|| plan::cores(&report));
        Spec::from_report(&report, cores)
            .map_err(|source| CliError::ReportSpec { file: file.to_owned(), source })
    }
}

/// Simulates multiples of the capacity.
fn sweep(flags: &SimFlags, mut spec: Spec, seed: u64) -> Result<Exit, CliError> {
    let slo = *spec.slo.get_or_insert(SLO);
    let capacity = Capacity::of(&spec);
    let multiples = input::ascending(&flags.at);
    flags.assertions.iter().try_for_each(|assertion| assertion.check(&multiples))?;
    let plan = SweepPlan {
        name: spec.name.clone(),
        url: format!("sim:{}", spec.name),
        command: input::command_line(),
        multiples,
        repeat: flags.repeat,
        process: Process::Poisson,
        duration: spec.window,
        warm_up: spec.warm_up,
        cool_down: spec.cool_down,
        slos: vec![slo],
        deadline: spec.client.gives_up_after.unwrap_or(spec.cool_down),
        capacity: Some(capacity.per_second),
        // Each simulated load has a new server.
        pause: Pause { least: Duration::ZERO, most: Duration::ZERO },
    };
    let text = Text::beside(flags.json.as_ref());
    text.print(&format_args!(
        "capacity by the laws: {:.1}/s, limited by {}\n",
        capacity.per_second, capacity.limit
    ))?;
    let cores = spec.cores as u64;
    let mut report = sweep::sweep(&plan, &mut SimRig::new(spec, seed))?;
    report.cores = cores;
    text.print(&format_args!("{report}\n"))?;
    output::write_json(flags.json.as_ref(), &report)?;
    if let Some(file) = &flags.html {
        output::write("--html", file, &page::sweep(&report)?)?;
    }
    let hold = text.all_hold(&super::sweep::check(&flags.assertions, &report))?;
    Ok(if hold { Exit::Success } else { Exit::NotAsWanted })
}
