//! `seda sweep`.

use super::input;
use super::load::write_json;
use super::request::RequestFlags;
use super::{Ending, Failed, say};
use crate::experiment::sweep::{self, Assertion, Rest, SweepPlan, SweepReport};
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
    /// The part before it
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "2s")]
    warmup: Duration,
    /// The part behind it
    #[arg(long, value_name = "500ms", value_parser = input::pause, default_value = "500ms")]
    cooldown: Duration,
    /// How arrivals are spread: poisson or uniform
    #[arg(long, value_name = "poisson|uniform", default_value = "poisson")]
    arrivals: Process,
    /// When a client gives an attempt up and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "1s")]
    deadline: Duration,
    /// A capacity that is known, instead of the probe
    #[arg(long, value_name = "RATE", value_parser = input::rate)]
    capacity: Option<f64>,
    /// What the sweep has to show, like 'goodput@5x>=0.97'; exit code 1 if it does not
    #[arg(long = "assert", value_name = "FIGURE@LOAD>=VALUE")]
    assertions: Vec<Assertion>,
    /// A page with the plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What to call it beside others [default: the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

const EXAMPLES: &str = "Examples:
  seda sweep 'http://127.0.0.1:8080/work?micros=1000' --html sweep.html --json sweep.json
  seda sweep http://127.0.0.1:8080/ --pid 4711 --repeat 5 --slo 100ms,200ms,500ms
  seda sweep http://127.0.0.1:8080/ --at 1,2,5 --assert 'goodput@5x>=0.97'";

/// Carries the command out.
pub(super) fn sweep(flags: &SweepFlags) -> Result<Ending, Failed> {
    let request = &flags.request;
    let plan = flags.plan();
    flags.assertions.iter().try_for_each(|assertion| assertion.check(&plan.multiples))?;
    for (flag, file) in [("--json", &request.json), ("--html", &flags.html)] {
        if let Some(file) = file {
            input::check_writable(flag, file)?;
        }
    }
    let mut rig = request.rig(request.trace()?.as_ref(), flags.deadline, None)?;
    let report = sweep::sweep(&plan, &mut rig)?;
    say(&format_args!("{report}\n"));
    if let Some(file) = &request.json {
        write_json("--json", file, &report)?;
    }
    if let Some(file) = &flags.html {
        input::write("--html", file, &page::sweep(&report)?)?;
    }
    Ok(flags.ending(&report))
}

impl SweepFlags {
    fn plan(&self) -> SweepPlan {
        let mut multiples = self.at.clone();
        multiples.sort_by(f64::total_cmp);
        multiples.dedup();
        let url = self.request.url.to_string();
        SweepPlan {
            name: self.name.clone().unwrap_or_else(|| url.clone()),
            url,
            command: std::env::args().collect::<Vec<_>>().join(" "),
            multiples,
            repeat: self.repeat,
            process: self.arrivals,
            duration: self.duration,
            warm_up: self.warmup,
            cool_down: self.cooldown,
            slos: self.request.slos(),
            deadline: self.deadline,
            capacity: self.capacity,
            rest: Rest::default(),
        }
    }

    fn ending(&self, report: &SweepReport) -> Ending {
        let verdicts: Vec<_> = self.assertions.iter().map(|each| each.holds(report)).collect();
        verdicts.iter().for_each(|verdict| say(&format_args!("{}\n", verdict.words)));
        if report.rounds.len() < self.repeat as usize {
            Ending::Interrupted
        } else if verdicts.iter().any(|verdict| !verdict.holds) {
            Ending::NotAsWanted
        } else if report.points.iter().any(|point| !point.kept_schedule) {
            Ending::ScheduleNotKept
        } else {
            Ending::Well
        }
    }
}
