//! `seda sweep`.

use super::error::CliError;
use super::exit::Exit;
use super::request::RequestFlags;
use super::{input, output};
use crate::experiment::sweep::{self, Assertion, Pause, SweepPlan, SweepReport};
use crate::load::arrivals::Process;
use crate::page;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SweepFlags {
    #[command(flatten)]
    request: RequestFlags,
    /// Loads, as multiples of the capacity
    #[arg(long, value_name = "X,...", value_delimiter = ',', value_parser = input::factor,
        default_value = "0.5,0.8,0.9,1.0,1.2,1.5,2,5,10")]
    at: Vec<f64>,
    /// Rounds; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
    /// The measured part of each load
    #[arg(long, value_name = "5s", value_parser = input::duration, default_value = "5s")]
    duration: Duration,
    /// Load before the measured part
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "2s")]
    warmup: Duration,
    /// Load after the measured part
    #[arg(long, value_name = "500ms", value_parser = input::pause, default_value = "500ms")]
    cooldown: Duration,
    /// The arrival process: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
    /// Time after which a client abandons an attempt and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "1s")]
    deadline: Duration,
    /// A known capacity, instead of the probe
    #[arg(long, value_name = "RATE", value_parser = input::rate)]
    capacity: Option<f64>,
    /// A condition on the sweep, like 'goodput@5x>=0.97'; exit code 1 if it does not hold
    #[arg(long = "assert", value_name = "FIGURE@LOAD>=VALUE")]
    assertions: Vec<Assertion>,
    /// Write a page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
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
    let request = &flags.request;
    let plan = flags.plan();
    flags.assertions.iter().try_for_each(|assertion| assertion.check(&plan.multiples))?;
    output::check_writable([("--json", &request.json), ("--html", &flags.html)])?;
    let mut rig = request.rig(request.trace()?.as_ref(), flags.deadline, None)?;
    let report = sweep::sweep(&plan, &mut rig)?;
    output::print(&format_args!("{report}\n"));
    output::write_json(request.json.as_ref(), &report)?;
    if let Some(file) = &flags.html {
        output::write("--html", file, &page::sweep(&report)?)?;
    }
    Ok(flags.exit(&report))
}

/// Prints whether each assertion holds; returns true if all do.
pub(super) fn check(assertions: &[Assertion], report: &SweepReport) -> bool {
    let mut hold = true;
    for assertion in assertions {
        let result = assertion.holds(report);
        output::print(&format_args!("{}\n", result.message));
        hold &= result.holds;
    }
    hold
}

impl SweepFlags {
    fn plan(&self) -> SweepPlan {
        let url = self.request.url.to_string();
        SweepPlan {
            name: self.name.clone().unwrap_or_else(|| url.clone()),
            url,
            command: input::command_line(),
            multiples: input::ascending(&self.at),
            repeat: self.repeat,
            process: self.arrivals,
            duration: self.duration,
            warm_up: self.warmup,
            cool_down: self.cooldown,
            slos: self.request.slos(),
            deadline: self.deadline,
            capacity: self.capacity,
            pause: Pause::default(),
        }
    }

    fn exit(&self, report: &SweepReport) -> Exit {
        let hold = check(&self.assertions, report);
        if report.rounds.len() < self.repeat as usize {
            Exit::Interrupted
        } else if !hold {
            Exit::NotAsWanted
        } else if report.points.iter().any(|point| !point.kept_schedule) {
            Exit::ScheduleNotKept
        } else {
            Exit::Success
        }
    }
}
