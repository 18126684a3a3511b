//! `seda sim`.

use super::input;
use super::load::write_json;
use super::{Ending, Failed, say};
use crate::experiment::sim::SimRig;
use crate::experiment::sweep::{self, Assertion, Rest, SweepPlan};
use crate::load::arrivals::Process;
use crate::page;
use clap::Args;
use seda_core::{Clock, MonotonicClock, Time};
use seda_sim::{Capacity, Spec};
use std::fmt::Display;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a spec states no SLO a sweep needs one, to tell good answers from late ones: what `seda
/// sweep` is run with most often.
const SLO: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SimFlags {
    /// What to simulate, as TOML
    #[arg(value_name = "SPEC.toml", required_unless_present = "from_report")]
    spec: Option<PathBuf>,
    /// Simulates a graph that was measured, instead: what its /_seda/report said, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "spec")]
    from_report: Option<PathBuf>,
    /// Cores of the simulated machine [default: the spec's; of --from-report, this machine's]
    #[arg(long, value_name = "N")]
    cores: Option<usize>,
    /// Writes the spec as TOML, to be edited and run again: with --from-report the way to a "what if"
    #[arg(long, value_name = "FILE")]
    spec_out: Option<PathBuf>,
    /// Runs it at multiples of its capacity
    #[arg(long)]
    sweep: bool,
    /// The multiples
    #[arg(long, value_name = "X,...", value_delimiter = ',', value_parser = input::factor,
        default_value = "0.5,0.8,0.9,1.0,1.2,1.5,2,5,10", requires = "sweep")]
    at: Vec<f64>,
    /// Rounds, each drawn anew; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sweep",
        value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Another seed than the spec's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What the sweep has to show, like 'goodput@5x>=0.97'; exit code 1 if it does not
    #[arg(long = "assert", value_name = "FIGURE@LOAD>=VALUE", requires = "sweep")]
    assertions: Vec<Assertion>,
    /// The report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A page with the plots of a sweep
    #[arg(long, value_name = "FILE", requires = "sweep")]
    html: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  seda sim examples/lab/mm1.toml
  seda sim examples/lab/congestion_collapse.toml --sweep --html collapse.html
  curl http://127.0.0.1:8080/_seda/report > report.json
  seda sim --from-report report.json --spec-out measured.toml";

/// Carries the command out.
pub(super) fn sim(flags: &SimFlags) -> Result<Ending, Failed> {
    for (flag, file) in
        [("--json", &flags.json), ("--html", &flags.html), ("--spec-out", &flags.spec_out)]
    {
        if let Some(file) = file {
            input::check_writable(flag, file)?;
        }
    }
    let spec = flags.spec()?;
    if let Some(file) = &flags.spec_out {
        input::write("--spec-out", file, &spec.to_toml()?)?;
    }
    let seed = flags.seed.unwrap_or(spec.seed);
    if flags.sweep {
        return sweep(flags, spec, seed);
    }
    let clock = MonotonicClock::new();
    let report = seda_sim::run(&spec, seed)?;
    let seconds = clock.now().nanos_since(Time::ZERO) as f64 / 1e9;
    eprintln!(
        "{} events in {seconds:.2} s: {:.0} events/s",
        report.events,
        report.events as f64 / seconds
    );
    say(&format_args!("{report}\n"));
    if let Some(file) = &flags.json {
        write_json("--json", file, &report)?;
    }
    Ok(Ending::Well)
}

impl SimFlags {
    fn spec(&self) -> Result<Spec, Failed> {
        let mut spec = match (&self.from_report, &self.spec) {
            (Some(file), _) => self.measured(file)?,
            (None, Some(file)) => Spec::read(file)?,
            (None, None) => {
                return Err(Failed::new("name a SPEC.toml, or a report with --from-report"));
            }
        };
        spec.cores = self.cores.unwrap_or(spec.cores);
        spec.check()?;
        Ok(spec)
    }

    /// The spec of a report.
    fn measured(&self, file: &Path) -> Result<Spec, Failed> {
        let failed = |words: &dyn Display| {
            Failed::new(format_args!("--from-report {}: {words}", file.display()))
        };
        let json = input::read("--from-report", file)?;
        let report: seda_core::Report = serde_json::from_slice(&json).map_err(|error| {
            failed(&format_args!(
                "{error}; it has to be what a server's /_seda/report gave, as JSON"
            ))
        })?;
        let here = || std::thread::available_parallelism().map_or(1, NonZero::get);
        Spec::from_report(&report, self.cores.unwrap_or_else(here)).map_err(|error| failed(&error))
    }
}

fn sweep(flags: &SimFlags, mut spec: Spec, seed: u64) -> Result<Ending, Failed> {
    let slo = *spec.slo.get_or_insert(SLO);
    let capacity = Capacity::of(&spec);
    let mut multiples = flags.at.clone();
    multiples.sort_by(f64::total_cmp);
    multiples.dedup();
    flags.assertions.iter().try_for_each(|assertion| assertion.check(&multiples))?;
    let plan = SweepPlan {
        name: spec.name.clone(),
        url: format!("sim:{}", spec.name),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        multiples,
        repeat: flags.repeat,
        process: Process::Poisson,
        duration: spec.window,
        warm_up: spec.warm_up,
        cool_down: spec.cool_down,
        slos: vec![slo],
        deadline: spec.client.gives_up_after.unwrap_or(spec.cool_down),
        capacity: Some(capacity.per_second),
        // Each simulated load starts with a server of its own.
        rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
    };
    say(&format_args!(
        "capacity by the laws: {:.1}/s, limited by {}\n",
        capacity.per_second, capacity.limit
    ));
    let cores = spec.cores as u64;
    let mut report = sweep::sweep(&plan, &mut SimRig::new(spec, seed))?;
    report.cores = cores;
    say(&format_args!("{report}\n"));
    if let Some(file) = &flags.json {
        write_json("--json", file, &report)?;
    }
    if let Some(file) = &flags.html {
        input::write("--html", file, &page::sweep(&report)?)?;
    }
    let verdicts: Vec<_> = flags.assertions.iter().map(|each| each.holds(&report)).collect();
    verdicts.iter().for_each(|verdict| say(&format_args!("{}\n", verdict.words)));
    let hold = verdicts.iter().all(|verdict| verdict.holds);
    Ok(if hold { Ending::Well } else { Ending::NotAsWanted })
}
