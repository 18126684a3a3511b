//! `seda load`.

use super::input;
use super::request::RequestFlags;
use super::{Ending, Failed, say};
use crate::experiment::sweep::{Load, Rig};
use crate::load::arrivals::{Process, Profile};
use crate::load::plan::Pace;
use crate::load::trace::{Trace, read_arrivals};
use crate::report::LoadReport;
use clap::Args;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for a p99.9 at a few thousand requests a second, short enough to wait for.
const DURATION: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LoadFlags {
    #[command(flatten)]
    request: RequestFlags,
    /// Requests a second, like 900 or 80k
    #[arg(long, value_name = "RATE", value_parser = input::rate, conflicts_with_all = ["profile", "clients"])]
    rate: Option<f64>,
    /// How long requests go on starting [default: 10s]
    #[arg(long, value_name = "10s", value_parser = input::duration, conflicts_with = "profile")]
    duration: Option<Duration>,
    /// Rates that change: "900/s:5s,1400/s:10s,900/s:5s"
    #[arg(long, value_name = "RATE:TIME,...", conflicts_with = "clients")]
    profile: Option<Profile>,
    /// How arrivals are spread: poisson, uniform, or as recorded in a file of seconds
    #[arg(long, value_name = "poisson|uniform|FILE.tsv", default_value = "poisson")]
    arrivals: String,
    /// How much faster than recorded
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = input::factor)]
    speed: f64,
    /// A closed loop of so many clients: each asks, waits, thinks, asks again
    #[arg(long, value_name = "N")]
    clients: Option<u32>,
    /// How long a client thinks
    #[arg(long, value_name = "20ms", default_value = "0s", value_parser = input::pause, requires = "clients")]
    think: Duration,
    /// When a client gives an attempt up and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "10s")]
    deadline: Duration,
    /// A part before the measured one
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "0s")]
    warmup: Duration,
    /// A part behind the measured one
    #[arg(long, value_name = "1s", value_parser = input::pause, default_value = "0s")]
    cooldown: Duration,
}

const EXAMPLES: &str = "Examples:
  seda load http://127.0.0.1:8080/ --rate 900 --slo 200ms
  seda load http://127.0.0.1:8080/ --profile 900/s:5s,1400/s:10s,900/s:5s --deadline 1s
  seda load http://127.0.0.1:8080/ --mix '/work?micros=1000=9,/=1' --rate 2k --retries 3
  seda load http://127.0.0.1:8080/ --trace access.log --speed 10
  seda load http://127.0.0.1:8080/ --clients 1024 --think 20ms";

/// Carries the command out.
pub(super) fn load(flags: &LoadFlags) -> Result<Ending, Failed> {
    let request = &flags.request;
    let trace = request.trace()?;
    let load = Load {
        pace: flags.pace(trace.as_ref())?,
        warm_up: flags.warmup,
        cool_down: flags.cooldown,
        round: 0,
    };
    if let Some(file) = &request.json {
        input::check_writable("--json", file)?;
    }
    let mut rig = request.rig(trace.as_ref(), flags.deadline, None)?;
    let measured = rig.run("", &load)?;
    let report = measured.load;
    say(&format_args!("{report}\n"));
    if let Some(problem) = measured.unwatched {
        eprintln!("warning: {problem}");
    }
    if let Some(file) = &request.json {
        write_json("--json", file, &report)?;
    }
    Ok(ending(&report))
}

/// Writes something as JSON into a file that a flag names.
pub(super) fn write_json(
    flag: &str,
    file: &Path,
    report: &impl serde::Serialize,
) -> Result<(), Failed> {
    let json = serde_json::to_string_pretty(report)?;
    input::write(flag, file, &format!("{json}\n"))
}

fn ending(report: &LoadReport) -> Ending {
    if report.interrupted {
        Ending::Interrupted
    } else if !report.generator.kept_schedule {
        Ending::ScheduleNotKept
    } else if report.outcomes.scheduled > 0 && report.statuses.is_empty() {
        eprintln!("not one request was answered");
        Ending::NotAsWanted
    } else {
        Ending::Well
    }
}

impl LoadFlags {
    fn pace(&self, trace: Option<&Trace>) -> Result<Pace, Failed> {
        let duration = self.duration.unwrap_or(DURATION);
        if let Some(clients) = self.clients {
            return Ok(Pace::Closed { clients, think: self.think, duration });
        }
        let profile = match (&self.profile, self.rate) {
            (Some(profile), _) => Some(profile.clone()),
            (None, Some(rate)) => Some(Profile::constant(rate, duration)?),
            (None, None) => None,
        };
        match (self.arrivals.parse::<Process>(), profile) {
            (Ok(process), Some(profile)) => Ok(Pace::Open { process, profile }),
            (Ok(_), None) => match trace {
                Some(trace) => Ok(self.recorded(trace.times())),
                None => Err(Failed::new(
                    "how much load? Give --rate 900, a --profile, --clients 64, or a --trace",
                )),
            },
            (Err(_), Some(_)) => Err(Failed::new(
                "recorded arrivals have a rate of their own: give --speed instead of --rate or \
                 --profile",
            )),
            (Err(_), None) => Ok(self.recorded(read_arrivals(Path::new(&self.arrivals))?)),
        }
    }

    fn recorded(&self, times: Arc<[u64]>) -> Pace {
        let limit = self.duration.map(|limit| limit.as_nanos() as f64 * self.speed);
        let within = |time: &&u64| limit.is_none_or(|limit| (**time as f64) < limit);
        let times = times.iter().take_while(within).copied().collect();
        Pace::Recorded { times, speed: self.speed }
    }
}
