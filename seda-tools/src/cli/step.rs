//! `seda step`.

use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::limits::DeadlineFlag;
use super::output;
use super::rig::CommonFlags;
use super::sweep::tell_skipped;
use crate::experiment::condition::Condition;
use crate::experiment::step::{self, StepPlan, StepReport};
use crate::load::arrivals::{Process, Profile};
use crate::load::plan::Pace;
use crate::page;
use crate::report::outcome::Outcomes;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StepFlags {
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    limit: DeadlineFlag,
    /// Go on although no connection could be made in the first second
    #[arg(long, help_heading = "Limits")]
    keep_going: bool,
    #[command(flatten)]
    results: ResultFlags,
}

/// The rates over time.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct ShapeFlags {
    /// Rates over time: "900/s:5s,1400/s:10s,900/s:5s"
    #[arg(long, value_name = "RATE:TIME,...")]
    profile: Profile,
    /// Runs to pool: more runs give smoother bins
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = input::number,
        allow_negative_numbers = true)]
    repeat: u32,
    /// The arrival process: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
}

/// The places and the conditions of the result.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct ResultFlags {
    /// Width of the bins
    #[arg(long, value_name = "50ms", value_parser = input::duration, default_value = "50ms",
        allow_hyphen_values = true)]
    bin: Duration,
    /// A condition on the step, like 'goodput_back<=2s'; exit code 1 if it does not hold
    #[arg(long = "assert", value_name = "FIGURE<=VALUE")]
    conditions: Vec<Condition>,
    /// Write a page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a drawing of goodput over time, for a README
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The name of the server in comparisons [default: the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "Example:
  seda step 'http://127.0.0.1:8080/work?micros=1000' \\
      --profile 500/s:5s,5000/s:5s,500/s:10s --repeat 5 --html step.html";

/// Runs the command.
pub(super) fn step(flags: &StepFlags) -> Result<Exit, CliError> {
    // 1. Check everything.
    let (common, shape, results) = (&flags.common, &flags.shape, &flags.results);
    results.conditions.iter().try_for_each(Condition::check_for_step)?;
    common.output.check([("--html", &results.html), ("--svg", &results.svg)])?;
    let trace = common.request.trace()?;
    let pace = Pace::Open { process: shape.arrivals, profile: shape.profile.clone() };
    let rig = common.rig(trace.as_ref(), pace, flags.limit.deadline, Some(results.bin))?;
    tell_skipped(trace.as_ref());
    // 2. Run and report it.
    let mut rig = if flags.keep_going { rig } else { rig.giving_up() };
    let report = step::step(&flags.plan(), &mut rig)?;
    let text = common.output.text();
    text.print(&report)?;
    output::write_json(common.output.json.as_ref(), &report)?;
    if let Some(file) = &results.html {
        output::write("--html", file, &page::step(&report)?)?;
    }
    if let Some(file) = &results.svg {
        let title = format!("Goodput while the load changes: {}", report.name);
        output::write("--svg", file, &page::svg::step_svg(std::slice::from_ref(&report), &title)?)?;
    }
    let conditions = results.conditions.iter();
    let checked: Vec<_> = conditions.map(|condition| condition.on_step(&report)).collect();
    let hold = text.all_hold(&checked)?;
    common.output.write_markdown(|| page::markdown::step(&report, &checked))?;
    Ok(exit(&report, shape.repeat, hold))
}

fn exit(report: &StepReport, repeat: u32, hold: bool) -> Exit {
    let mut outcomes = Outcomes::default();
    report.bins.iter().for_each(|bin| outcomes.add(&bin.outcomes));
    if report.repeats < u64::from(repeat) {
        Exit::Interrupted
    } else if !hold {
        Exit::NotAsWanted
    } else if !report.kept_schedule {
        Exit::ScheduleNotKept
    } else {
        Exit::of_answers(&outcomes)
    }
}

impl StepFlags {
    fn plan(&self) -> StepPlan {
        let url = self.common.url.to_string();
        StepPlan {
            name: self.results.name.clone().unwrap_or_else(|| url.clone()),
            url,
            command: input::command_line(),
            profile: self.shape.profile.clone(),
            process: self.shape.arrivals,
            repeat: self.shape.repeat,
            slo: self.common.limits.slos().first().copied().unwrap_or(self.limit.deadline),
            deadline: self.limit.deadline,
        }
    }
}
