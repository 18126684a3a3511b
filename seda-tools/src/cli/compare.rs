//! `seda compare`.

use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Text};
use crate::experiment::compare::Comparison;
use crate::experiment::sweep::SweepReport;
use crate::page;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct CompareFlags {
    /// Sweeps, as `seda sweep --json` writes them; the first is the reference
    #[arg(value_name = "SWEEP.json", required = true, num_args = 2..)]
    sweeps: Vec<PathBuf>,
    /// Write a page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a drawing of goodput against load
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the comparison as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn compare(flags: &CompareFlags) -> Result<Exit, CliError> {
    output::check_writable([
        ("--json", &flags.json),
        ("--html", &flags.html),
        ("--svg", &flags.svg),
    ])?;
    let sweeps = flags.sweeps.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let comparison = Comparison::of(&sweeps);
    Text::beside(flags.json.as_ref()).print(&comparison)?;
    output::write_json(flags.json.as_ref(), &comparison)?;
    if let Some(file) = &flags.html {
        output::write("--html", file, &page::compare(&sweeps)?)?;
    }
    if let Some(file) = &flags.svg {
        output::write("--svg", file, &page::svg::goodput_svg(&sweeps, "Goodput under overload")?)?;
    }
    Ok(Exit::Success)
}

fn read(file: &Path) -> Result<SweepReport, CliError> {
    let json = output::read("compare", file)?;
    serde_json::from_slice(&json)
        .map_err(|source| CliError::NotASweep { file: file.to_owned(), source })
}
