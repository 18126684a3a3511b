//! `seda step`.

use super::error::CliError;
use super::exit::Exit;
use super::request::RequestFlags;
use super::{input, output};
use crate::experiment::step::{self, StepPlan, StepReport};
use crate::load::arrivals::{Process, Profile};
use crate::page;
use crate::report::Bin;
use crate::report::outcome::Outcomes;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StepFlags {
    #[command(flatten)]
    request: RequestFlags,
    /// Rates over time: "900/s:5s,1400/s:10s,900/s:5s"
    #[arg(long, value_name = "RATE:TIME,...")]
    profile: Profile,
    /// Runs to pool: more runs give smoother bins
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
    /// Width of the bins
    #[arg(long, value_name = "50ms", value_parser = input::duration, default_value = "50ms")]
    bin: Duration,
    /// The arrival process: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
    /// Time after which a client abandons an attempt and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "1s")]
    deadline: Duration,
    /// Write a page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The name of the server in comparisons [default: the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "Example:
  seda step 'http://127.0.0.1:8080/work?micros=1000' \\
      --profile 500/s:5s,5000/s:5s,500/s:10s --repeat 5 --html step.html";

/// Runs the command.
pub(super) fn step(flags: &StepFlags) -> Result<Exit, CliError> {
    let request = &flags.request;
    output::check_writable([("--json", &request.json), ("--html", &flags.html)])?;
    let url = request.url.to_string();
    let plan = StepPlan {
        name: flags.name.clone().unwrap_or_else(|| url.clone()),
        url,
        command: input::command_line(),
        profile: flags.profile.clone(),
        process: flags.arrivals,
        repeat: flags.repeat,
        slo: request.slos().first().copied().unwrap_or(flags.deadline),
        deadline: flags.deadline,
    };
    let mut rig = request.rig(request.trace()?.as_ref(), flags.deadline, Some(flags.bin))?;
    let report = step::step(&plan, &mut rig)?;
    output::print(&report);
    output::write_json(request.json.as_ref(), &report)?;
    if let Some(file) = &flags.html {
        output::write("--html", file, &page::step(&report)?)?;
    }
    Ok(exit(&report, flags.repeat))
}

fn exit(report: &StepReport, repeat: u32) -> Exit {
    if report.repeats < u64::from(repeat) {
        Exit::Interrupted
    } else if !report.kept_schedule {
        Exit::ScheduleNotKept
    } else if !report.bins.iter().any(is_answered) {
        eprintln!("not one request was answered");
        Exit::NotAsWanted
    } else {
        Exit::Success
    }
}

fn is_answered(bin: &Bin) -> bool {
    let Outcomes { good, late, refused, wrong, .. } = bin.outcomes;
    good + late + refused + wrong > 0
}
