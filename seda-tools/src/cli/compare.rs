//! `seda compare`.

use super::input;
use super::load::write_json;
use super::{Ending, Failed, say};
use crate::experiment::compare::Comparison;
use crate::experiment::sweep::SweepReport;
use crate::page;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct CompareFlags {
    /// Sweeps, as `seda sweep --json` writes them; the first is what the others are held against
    #[arg(value_name = "SWEEP.json", required = true, num_args = 2..)]
    sweeps: Vec<PathBuf>,
    /// A page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A picture of goodput against load
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the comparison as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Carries the command out.
pub(super) fn compare(flags: &CompareFlags) -> Result<Ending, Failed> {
    let sweeps = flags.sweeps.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let comparison = Comparison::of(&sweeps);
    say(&comparison);
    if let Some(file) = &flags.json {
        write_json("--json", file, &comparison)?;
    }
    if let Some(file) = &flags.html {
        input::write("--html", file, &page::compare(&sweeps)?)?;
    }
    if let Some(file) = &flags.svg {
        input::write("--svg", file, &page::svg::goodput_svg(&sweeps, "Goodput under overload")?)?;
    }
    Ok(Ending::Well)
}

fn read(file: &Path) -> Result<SweepReport, Failed> {
    let json = input::read("compare", file)?;
    let sweep: SweepReport = serde_json::from_slice(&json).map_err(|error| {
        let name = file.display();
        Failed::new(format_args!(
            "{name} is not a sweep ({error}); write one with `seda sweep --json`"
        ))
    })?;
    Ok(sweep)
}
