//! `seda lab`.

use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Text};
use crate::experiment::lab::{LabPlan, LabReport, Numbered};
use clap::Args;
use clap::builder::PossibleValuesParser;
use seda_core::{Clock, MonotonicClock, Time};
use seda_sim::study::{Summary, Variant, read_maps};
use std::num::NonZero;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LabFlags {
    /// The folder with maps.toml and its specs
    folder: PathBuf,
    /// Trials for each cell and server
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// The numbers of the maps to make, from 1 [default: all]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    only: Vec<usize>,
    /// The servers to compare [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = names())]
    servers: Vec<String>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the spec of each trial in which seda is not upright into this folder, for `seda sim`
    #[arg(long, value_name = "FOLDER")]
    specs_out: Option<PathBuf>,
}

const EXAMPLES: &str =
    "Exit code 1: seda as the specs have it was stuck, back later than 2 s after \
    a trigger, or amplified by more than a tenth.

Examples:
  seda lab examples/lab/metastable
  seda lab examples/lab/metastable --servers seda --seeds 70 --json lab.json
  seda lab examples/lab/metastable --only 2,3 --servers seda,off";

fn names() -> PossibleValuesParser {
    Variant::ALL.map(Variant::as_str).into()
}

/// Runs the command.
pub(super) fn lab(flags: &LabFlags) -> Result<Exit, CliError> {
    output::check_writable([("--json", &flags.json)])?;
    let plan = flags.plan()?;
    let clock = MonotonicClock::new();
    let report = plan.run()?;
    let trials: u64 =
        report.maps.iter().flat_map(|map| &map.variants).map(|variant| variant.all.trials).sum();
    let seconds = clock.now().nanos_since(Time::ZERO) as f64 / 1e9;
    output::tell(&format_args!("{trials} trials in {seconds:.1} s"));
    Text::beside(flags.json.as_ref()).print(&report)?;
    output::write_json(flags.json.as_ref(), &report)?;
    if let Some(folder) = &flags.specs_out {
        write_failed(folder, &plan, &report)?;
    }
    let is_upright = report.is_upright(Variant::Seda);
    Ok(if is_upright { Exit::Success } else { Exit::NotAsWanted })
}

impl LabFlags {
    fn plan(&self) -> Result<LabPlan, CliError> {
        let maps = read_maps(&self.folder)?;
        let count = maps.len();
        if let Some(unknown) = self.only.iter().find(|number| !(1..=count).contains(*number)) {
            return Err(CliError::NoMap { number: *unknown, count });
        }
        let numbered = (1..).zip(maps).map(|(number, map)| Numbered { number, map });
        let wanted = |name: &str| self.servers.is_empty() || self.servers.iter().any(|s| s == name);
        Ok(LabPlan {
            maps: numbered
                .filter(|map| self.only.is_empty() || self.only.contains(&map.number))
                .collect(),
            variants: Variant::ALL.into_iter().filter(|v| wanted(v.as_str())).collect(),
            seeds: self.seeds,
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
        })
    }
}

/// Writes the spec of each trial in which seda is not upright as `MAP-SEED.toml`.
fn write_failed(folder: &Path, plan: &LabPlan, report: &LabReport) -> Result<(), CliError> {
    for (Numbered { number, map }, of) in plan.maps.iter().zip(&report.maps) {
        let seda = of.variants.iter().filter(|variant| variant.variant == Variant::Seda);
        for cell in seda.flat_map(|variant| &variant.cells) {
            let Summary { stuck, late, amplified, .. } = &cell.summary;
            for seed in stuck.iter().chain(late).chain(amplified) {
                let mut spec = map.spec_at(cell.cell)?;
                spec.seed = *seed;
                let file = folder.join(format!("{number}-{seed}.toml"));
                output::write("--specs-out", &file, &spec.to_toml()?)?;
            }
        }
    }
    Ok(())
}
