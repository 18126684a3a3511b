//! `seda step`.

use super::input;
use super::load::write_json;
use super::request::RequestFlags;
use super::{Ending, Failed, say};
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
    /// Runs to pool: more runs, smoother bins
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
    /// Width of the bins
    #[arg(long, value_name = "50ms", value_parser = input::duration, default_value = "50ms")]
    bin: Duration,
    /// How arrivals are spread: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
    /// When a client gives an attempt up and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "1s")]
    deadline: Duration,
    /// A page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What to call it beside others [default: the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "Example:
  seda step 'http://127.0.0.1:8080/work?micros=1000' \\
      --profile 500/s:5s,5000/s:5s,500/s:10s --repeat 5 --html step.html";

/// Carries the command out.
pub(super) fn step(flags: &StepFlags) -> Result<Ending, Failed> {
    let request = &flags.request;
    for (flag, file) in [("--json", &request.json), ("--html", &flags.html)] {
        if let Some(file) = file {
            input::check_writable(flag, file)?;
        }
    }
    let url = request.url.to_string();
    let plan = StepPlan {
        name: flags.name.clone().unwrap_or_else(|| url.clone()),
        url,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        profile: flags.profile.clone(),
        process: flags.arrivals,
        repeat: flags.repeat,
        slo: request.slos().first().copied().unwrap_or(flags.deadline),
        deadline: flags.deadline,
    };
    let mut rig = request.rig(request.trace()?.as_ref(), flags.deadline, Some(flags.bin))?;
    let report = step::step(&plan, &mut rig)?;
    say(&report);
    if let Some(file) = &request.json {
        write_json("--json", file, &report)?;
    }
    if let Some(file) = &flags.html {
        input::write("--html", file, &page::step(&report)?)?;
    }
    Ok(ending(&report, flags.repeat))
}

fn ending(report: &StepReport, asked: u32) -> Ending {
    let answered = |bin: &Bin| {
        let Outcomes { good, late, refused, wrong, .. } = bin.outcomes;
        good + late + refused + wrong > 0
    };
    if report.repeats < u64::from(asked) {
        Ending::Interrupted
    } else if !report.kept_schedule {
        Ending::ScheduleNotKept
    } else if !report.bins.iter().any(answered) {
        eprintln!("not one request was answered");
        Ending::NotAsWanted
    } else {
        Ending::Well
    }
}
