//! `seda sweep`.

use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::limits::DeadlineFlag;
use super::output;
use super::rig::CommonFlags;
use crate::experiment::sweep::{self, Assertion, AssertionResult, Pause, SweepPlan, SweepReport};
use crate::load::arrivals::Process;
use crate::load::plan::Pace;
use crate::load::trace::Trace;
use crate::page;
use crate::report::outcome::Outcomes;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SweepFlags {
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    limit: DeadlineFlag,
    #[command(flatten)]
    results: ResultFlags,
}

/// The loads.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct ShapeFlags {
    /// Loads, as multiples of the capacity
    #[arg(long, value_name = "X,...", value_delimiter = ',', value_parser = input::factor,
        allow_negative_numbers = true, default_value = "0.5,0.8,0.9,1.0,1.2,1.5,2,5,10")]
    at: Vec<f64>,
    /// Rounds; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = input::number,
        allow_negative_numbers = true)]
    repeat: u32,
    /// The measured part of each load
    #[arg(long, short = 'z', value_name = "5s", value_parser = input::duration,
        default_value = "5s", allow_hyphen_values = true)]
    duration: Duration,
    /// Load before the measured part
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "2s",
        allow_hyphen_values = true)]
    warmup: Duration,
    /// Load after the measured part
    #[arg(long, value_name = "500ms", value_parser = input::pause, default_value = "500ms",
        allow_hyphen_values = true)]
    cooldown: Duration,
    /// The arrival process: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
    /// A known capacity, instead of the probe
    #[arg(long, value_name = "RATE", value_parser = input::rate, allow_negative_numbers = true)]
    capacity: Option<f64>,
}

/// The places and the conditions of the result.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct ResultFlags {
    /// A condition on the sweep, like 'goodput@5x>=0.97'; exit code 1 if it does not hold
    #[arg(long = "assert", value_name = "FIGURE@LOAD>=VALUE")]
    assertions: Vec<Assertion>,
    /// Write a page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a drawing of goodput against load, for a README
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The name of the server in comparisons [default: the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "Examples:
  seda sweep 'http://127.0.0.1:8080/work?micros=1000' --html sweep.html --json sweep.json
  seda sweep http://127.0.0.1:8080/ --pid 4711 --repeat 5 --slo 100ms,200ms,500ms
  seda sweep http://127.0.0.1:8080/ --at 1,2,5 --assert 'goodput@5x>=0.97'";

/// Runs the command.
pub(super) fn sweep(flags: &SweepFlags) -> Result<Exit, CliError> {
    // 1. Check everything.
    let common = &flags.common;
    let plan = flags.plan();
    let (assertions, html) = (&flags.results.assertions, &flags.results.html);
    assertions.iter().try_for_each(|assertion| assertion.check(&plan.multiples))?;
    common.output.check([("--html", html), ("--svg", &flags.results.svg)])?;
    let trace = common.request.trace()?;
    // Each load has its own pace.
    let pace = Pace::Closed { clients: 1, think: Duration::ZERO, duration: Duration::ZERO };
    let mut rig = common.rig(trace.as_ref(), pace, flags.limit.deadline, None)?;
    tell_skipped(trace.as_ref());
    // 2. Run and report it.
    let report = sweep::sweep(&plan, &mut rig)?;
    let text = common.output.text();
    text.print(&format_args!("{report}\n"))?;
    output::write_json(common.output.json.as_ref(), &report)?;
    if let Some(file) = html {
        output::write("--html", file, &page::sweep(&report)?)?;
    }
    if let Some(file) = &flags.results.svg {
        let title = format!("Goodput under overload: {}", report.name);
        output::write(
            "--svg",
            file,
            &page::svg::goodput_svg(std::slice::from_ref(&report), &title)?,
        )?;
    }
    let results = check(assertions, &report);
    let hold = text.all_hold(&results)?;
    common.output.write_markdown(|| page::markdown::sweep(&report, &results))?;
    Ok(exit(&report, hold))
}

/// Tells which lines of a trace were skipped.
pub(super) fn tell_skipped(trace: Option<&Trace>) {
    if let Some(skipped) = trace.map(|trace| &trace.skipped).filter(|skipped| !skipped.is_empty()) {
        output::tell(&format_args!("warning: {skipped}"));
    }
}

/// Returns the result of each assertion.
pub(super) fn check(assertions: &[Assertion], report: &SweepReport) -> Vec<AssertionResult> {
    assertions.iter().map(|assertion| assertion.holds(report)).collect()
}

fn exit(report: &SweepReport, hold: bool) -> Exit {
    let mut outcomes = Outcomes::default();
    let runs = report.rounds.iter().flat_map(|round| &round.runs);
    runs.for_each(|run| outcomes.add(&run.load.outcomes));
    if report.interrupted {
        Exit::Interrupted
    } else if !hold {
        Exit::NotAsWanted
    } else if report.points.iter().any(|point| !point.kept_schedule) {
        Exit::ScheduleNotKept
    } else {
        Exit::of_answers(&outcomes)
    }
}

impl SweepFlags {
    fn plan(&self) -> SweepPlan {
        let (url, shape) = (self.common.url.to_string(), &self.shape);
        SweepPlan {
            name: self.results.name.clone().unwrap_or_else(|| url.clone()),
            url,
            command: input::command_line(),
            multiples: input::ascending(&shape.at),
            repeat: shape.repeat,
            process: shape.arrivals,
            duration: shape.duration,
            warm_up: shape.warmup,
            cool_down: shape.cooldown,
            slos: self.common.limits.slos(),
            deadline: self.limit.deadline,
            capacity: shape.capacity,
            pause: Pause::default(),
        }
    }
}
