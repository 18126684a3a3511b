//! `seda sim`.

use super::input;
use super::load::write_json;
use super::{Ending, Failed, say};
use crate::arrivals::Process;
use crate::page;
use crate::sim::SimRig;
use crate::sweep::{self, Assertion, Rest, SweepPlan};
use clap::Args;
use seda_sim::{Capacity, Spec};
use std::path::PathBuf;
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
    /// Cores of the machine of --from-report [default: this machine's]
    #[arg(long, value_name = "N", requires = "from_report")]
    cores: Option<usize>,
    /// Runs it at multiples of its capacity
    #[arg(long)]
    sweep: bool,
    /// The multiples
    #[arg(long, value_name = "X,...", value_delimiter = ',', value_parser = input::factor,
        default_value = "0.5,0.8,0.9,1.0,1.2,1.5,2,5,10", requires = "sweep")]
    at: Vec<f64>,
    /// Rounds, each drawn anew; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 1, requires = "sweep")]
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
  seda sim examples/lab/congestion_collapse.toml --sweep --html collapse.html";

/// Carries the command out.
pub(super) fn sim(flags: &SimFlags) -> Result<Ending, Failed> {
    for (flag, file) in [("--json", &flags.json), ("--html", &flags.html)] {
        if let Some(file) = file {
            input::check_writable(flag, file)?;
        }
    }
    let spec = flags.spec()?;
    let seed = flags.seed.unwrap_or(spec.seed);
    if flags.sweep {
        return sweep(flags, spec, seed);
    }
    let report = seda_sim::run(&spec, seed)?;
    say(&format_args!("{report}\n"));
    if let Some(file) = &flags.json {
        write_json("--json", file, &report)?;
    }
    Ok(Ending::Well)
}

impl SimFlags {
    fn spec(&self) -> Result<Spec, Failed> {
        if let Some(file) = &self.from_report {
            let json = input::read("--from-report", file)?;
            let report: seda_core::Report = serde_json::from_slice(&json)?;
            let cores = self.cores.unwrap_or_else(|| {
                std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
            });
            return Ok(Spec::from_report(&report, cores)?);
        }
        match &self.spec {
            Some(file) => Ok(Spec::read(file)?),
            None => Err(Failed::new("name a SPEC.toml, or a report with --from-report")),
        }
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
