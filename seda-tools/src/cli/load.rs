//! `seda load`: its own flags. Those that it shares with `sweep` and `step` are in `request`.

use super::error::CliError;
use super::exit::Exit;
use super::request::RequestFlags;
use super::{input, output};
use crate::experiment::sweep::{Load, Rig};
use crate::load::arrivals::{Process, Profile};
use crate::load::plan::Pace;
use crate::load::trace::{Trace, read_arrivals};
use crate::report::LoadReport;
use clap::Args;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for a p99.9 at a few thousand requests per second, short enough to wait for.
const DURATION: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LoadFlags {
    #[command(flatten)]
    request: RequestFlags,
    /// Requests per second, like 900 or 80k
    #[arg(long, value_name = "RATE", value_parser = input::rate, conflicts_with_all = ["profile", "clients"])]
    rate: Option<f64>,
    /// How long requests start [default: 10s]
    #[arg(long, value_name = "10s", value_parser = input::duration, conflicts_with = "profile")]
    duration: Option<Duration>,
    /// Rates over time: "900/s:5s,1400/s:10s,900/s:5s"
    #[arg(long, value_name = "RATE:TIME,...", conflicts_with = "clients")]
    profile: Option<Profile>,
    /// The arrival process: poisson, uniform, or a file of recorded times in seconds
    #[arg(long, value_name = "poisson|uniform|FILE.tsv", default_value = "poisson")]
    arrivals: String,
    /// The speed of recorded arrivals: 2 is twice as fast
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = input::factor)]
    speed: f64,
    /// A closed loop of N clients: each asks, waits for the answer, thinks, and asks again
    #[arg(long, value_name = "N")]
    clients: Option<u32>,
    /// The think time of a client
    #[arg(long, value_name = "20ms", default_value = "0s", value_parser = input::pause, requires = "clients")]
    think: Duration,
    /// Time after which a client abandons an attempt and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "10s")]
    deadline: Duration,
    /// Load before the measured part
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "0s")]
    warmup: Duration,
    /// Load after the measured part
    #[arg(long, value_name = "1s", value_parser = input::pause, default_value = "0s")]
    cooldown: Duration,
}

const EXAMPLES: &str = "Examples:
  seda load http://127.0.0.1:8080/ --rate 900 --slo 200ms
  seda load http://127.0.0.1:8080/ --profile 900/s:5s,1400/s:10s,900/s:5s --deadline 1s
  seda load http://127.0.0.1:8080/ --mix '/work?micros=1000=9,/=1' --rate 2k --retries 3
  seda load http://127.0.0.1:8080/ --trace access.log --speed 10
  seda load http://127.0.0.1:8080/ --clients 1024 --think 20ms";

/// Runs the command.
pub(super) fn load(flags: &LoadFlags) -> Result<Exit, CliError> {
    let request = &flags.request;
    let trace = request.trace()?;
    let load = Load {
        pace: flags.pace(trace.as_ref())?,
        warm_up: flags.warmup,
        cool_down: flags.cooldown,
        round: 0,
    };
    output::check_writable([("--json", &request.json)])?;
    let mut rig = request.rig(trace.as_ref(), flags.deadline, None)?;
    let measured = rig.run("", &load)?;
    let report = measured.load;
    output::print(&format_args!("{report}\n"));
    if let Some(problem) = measured.unwatched {
        eprintln!("warning: {problem}");
    }
    output::write_json(request.json.as_ref(), &report)?;
    Ok(exit(&report))
}

fn exit(report: &LoadReport) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if !report.generator.kept_schedule {
        Exit::ScheduleNotKept
    } else if report.outcomes.scheduled > 0 && report.statuses.is_empty() {
        eprintln!("not one request was answered");
        Exit::NotAsWanted
    } else {
        Exit::Success
    }
}

impl LoadFlags {
    fn pace(&self, trace: Option<&Trace>) -> Result<Pace, CliError> {
        let duration = self.duration.unwrap_or(DURATION);
        if let Some(clients) = self.clients {
            return Ok(Pace::Closed { clients, think: self.think, duration });
        }
        let profile = match (&self.profile, self.rate) {
            (Some(profile), _) => Some(profile.clone()),
            (None, Some(rate)) => Some(Profile::constant(rate, duration)?),
            (None, None) => None,
        };
        // Any other name than that of a process names a file of recorded arrivals.
        match (self.arrivals.parse::<Process>(), profile) {
            (Ok(process), Some(profile)) => Ok(Pace::Open { process, profile }),
            (Ok(_), None) => match trace {
                Some(trace) => Ok(self.recorded(&trace.times())),
                None => Err(CliError::NoLoad),
            },
            (Err(_), Some(_)) => Err(CliError::RecordedRate),
            (Err(_), None) => Ok(self.recorded(&read_arrivals(Path::new(&self.arrivals))?)),
        }
    }

    /// Returns recorded arrivals, up to the duration if one is given.
    fn recorded(&self, times: &Arc<[u64]>) -> Pace {
        let times = match self.duration {
            None => times.clone(),
            Some(duration) => {
                let end = duration.as_nanos() as f64 * self.speed;
                times.iter().take_while(|time| (**time as f64) < end).copied().collect()
            }
        };
        Pace::Recorded { times, speed: self.speed }
    }
}
