//! `seda load`: its own flags. Those that it shares with `sweep` and `step` are in `request`.

use super::error::CliError;
use super::exit::Exit;
use super::input::{self, ArrivalsFlag};
use super::output;
use super::rig::CommonFlags;
use crate::experiment::condition::Condition;
#[cfg(feature = "top")]
use crate::experiment::sweep::Live;
use crate::experiment::sweep::{Load, Rig};
use crate::load::arrivals::{Arrivals, Process, Profile};
use crate::load::plan::Pace;
use crate::load::trace::{Trace, read_arrivals};
use crate::page;
use crate::report::{LoadReport, Until};
#[cfg(feature = "top")]
use crate::top::{model::RunName, terminal::RunScreen, view::Look};
use clap::Args;
use std::sync::Arc;
use std::time::Duration;

/// The most that a run takes to know a figure, if none is named.
const DURATION_UNTIL: Duration = Duration::from_secs(10 * 60);
/// Long enough for a p99.9 at a few thousand requests per second, short enough to wait for.
const DURATION: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LoadFlags {
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    common: CommonFlags,
    /// Time after which a client abandons an attempt and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "10s",
        help_heading = "Limits", allow_hyphen_values = true)]
    deadline: Duration,
    /// Go on although no connection could be made in the first second
    #[arg(long, help_heading = "Limits")]
    keep_going: bool,
    /// A condition on the load, like 'p99<=200ms' or 'good>=0.99'; exit code 1 if it does not hold
    #[arg(long = "assert", value_name = "FIGURE<=VALUE", help_heading = "Output")]
    conditions: Vec<Condition>,
    /// Show the run on the screen while it lasts: rates, response times over time, the generator's
    /// own delay
    #[cfg(feature = "top")]
    #[arg(long, help_heading = "Output", conflicts_with = "quiet")]
    tui: bool,
}

/// The start times of the requests.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct ShapeFlags {
    /// Requests per second, like 900 or 80k
    #[arg(long, value_name = "RATE", value_parser = input::rate, allow_negative_numbers = true,
        conflicts_with_all = ["profile", "clients"])]
    rate: Option<f64>,
    /// How long requests start; with --until the most [default: 10s, with --until 10m]
    #[arg(long, short = 'z', value_name = "10s", value_parser = input::duration,
        allow_hyphen_values = true, conflicts_with = "profile")]
    duration: Option<Duration>,
    /// End once half of the 95 % interval of p99 (or of p50 in p50=5%) is at most this share of it
    #[arg(long, value_name = "[FIGURE=]±5%", allow_hyphen_values = true,
        conflicts_with_all = ["profile", "number"])]
    until: Option<Until>,
    /// The number of requests, instead of a duration
    #[arg(short = 'n', long = "requests", value_name = "N", value_parser = input::number,
        allow_negative_numbers = true, conflicts_with_all = ["duration", "profile", "clients"])]
    number: Option<u32>,
    /// Rates over time: "900/s:5s,1400/s:10s,900/s:5s"
    #[arg(long, value_name = "RATE:TIME,...", conflicts_with = "clients")]
    profile: Option<Profile>,
    /// A closed loop of N clients: each asks, waits for the answer, thinks, and asks again
    #[arg(long, value_name = "N", value_parser = input::number, allow_negative_numbers = true)]
    clients: Option<u32>,
    /// The think time of a client
    #[arg(long, value_name = "20ms", default_value = "0s", value_parser = input::pause,
        allow_hyphen_values = true, requires = "clients")]
    think: Duration,
    /// The arrival process: poisson, uniform, or a file of recorded times in seconds
    #[arg(long, value_name = "poisson|uniform|FILE.tsv", value_parser = input::arrivals,
        default_value = "poisson")]
    arrivals: ArrivalsFlag,
    /// The speed of recorded arrivals: 2 is twice as fast
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = input::factor,
        allow_negative_numbers = true)]
    speed: f64,
    /// Load before the measured part
    #[arg(long, value_name = "2s", value_parser = input::pause, default_value = "0s",
        allow_hyphen_values = true)]
    warmup: Duration,
    /// Load after the measured part
    #[arg(long, value_name = "1s", value_parser = input::pause, default_value = "0s",
        allow_hyphen_values = true)]
    cooldown: Duration,
}

const EXAMPLES: &str = "Examples:
  seda load http://127.0.0.1:8080/ --rate 900 --slo 200ms
  seda load http://127.0.0.1:8080/ --rate 900 --until ±5% --duration 5m
  seda load http://127.0.0.1:8080/ --rate 900 --duration 1m --tui
  seda load http://127.0.0.1:8080/ --profile 900/s:5s,1400/s:10s,900/s:5s --deadline 1s
  seda load http://127.0.0.1:8080/ --mix '/work?micros=1000=9,/=1' --rate 2k --retries 3
  seda load http://127.0.0.1:8080/ --trace access.log --speed 10
  seda load http://127.0.0.1:8080/ --clients 1024 --think 20ms
  seda load http://127.0.0.1:8080/ --rate 900 --json - | jq .response_seconds.p99";

/// Runs the command.
pub(super) fn load(flags: &LoadFlags) -> Result<Exit, CliError> {
    // 1. Check everything.
    let common = &flags.common;
    #[cfg(feature = "top")]
    if flags.tui && !super::top::has_screen() {
        return Err(CliError::NoScreenOfRun);
    }
    flags.conditions.iter().try_for_each(Condition::check_for_load)?;
    let trace = common.request.trace()?;
    let pace = flags.shape.pace(trace.as_ref(), common.limits.seed)?;
    let load =
        Load { pace, warm_up: flags.shape.warmup, cool_down: flags.shape.cooldown, round: 0 };
    common.output.check([])?;
    let rig = common.rig(trace.as_ref(), load.pace.clone(), flags.deadline, None)?;
    // 2. Run it.
    let rig = if flags.keep_going { rig } else { rig.giving_up() };
    let mut rig = match flags.shape.until {
        Some(until) => rig.until(until),
        None => rig,
    };
    #[cfg(feature = "top")]
    if flags.tui {
        rig = flags.on_screen(rig, &load);
    }
    let measured = rig.run("", &load)?;
    // 3. Report it.
    let mut report = measured.load;
    report.trace = trace.map(|trace| trace.skipped);
    if let (Some(number), Some(rate), ArrivalsFlag::Drawn(process)) =
        (flags.shape.number, flags.shape.rate, &flags.shape.arrivals)
    {
        report.arrivals = format!("{process} {rate}/s, {number} requests");
    }
    let text = common.output.text();
    text.print(&format_args!("{report}\n"))?;
    if let Some(problem) = measured.unwatched {
        output::tell(&format_args!("warning: {problem}"));
    }
    output::write_json(common.output.json.as_ref(), &report)?;
    let conditions = flags.conditions.iter();
    let results: Vec<_> = conditions.map(|condition| condition.on_load(&report)).collect();
    let hold = text.all_hold(&results)?;
    common.output.write_markdown(|| page::markdown::load(&report, &results))?;
    Ok(exit(&report, hold))
}

#[cfg(feature = "top")]
impl LoadFlags {
    /// Returns the rig with a screen in place of the progress line.
    fn on_screen(&self, rig: Live, load: &Load) -> Live {
        let slos = self.common.limits.slos();
        let name = RunName {
            url: self.common.url.to_string(),
            arrivals: load.pace.describe(),
            slo: slos.first().map(Duration::as_secs_f64),
        };
        let look = Look::of_environment(|name| std::env::var(name).ok());
        let screen = RunScreen::new(name, rig.stop(), look);
        rig.observed_by(Box::new(screen))
    }
}

fn exit(report: &LoadReport, hold: bool) -> Exit {
    if let Some(why) = &report.generator.gave_up {
        output::tell(why);
        Exit::NotAsWanted
    } else if report.interrupted {
        Exit::Interrupted
    } else if !hold {
        Exit::NotAsWanted
    } else if !report.generator.kept_schedule {
        Exit::ScheduleNotKept
    } else {
        Exit::of_answers(&report.outcomes)
    }
}

impl ShapeFlags {
    fn pace(&self, trace: Option<&Trace>, seed: u64) -> Result<Pace, CliError> {
        let most = if self.until.is_some() { DURATION_UNTIL } else { DURATION };
        let duration = self.duration.unwrap_or(most);
        if let Some(clients) = self.clients {
            return Ok(Pace::Closed { clients, think: self.think, duration });
        }
        let profile = match (&self.profile, self.rate) {
            (Some(profile), _) => Some(profile.clone()),
            (None, Some(rate)) => Some(Profile::constant(rate, duration)?),
            (None, None) => None,
        };
        match (&self.arrivals, profile) {
            (ArrivalsFlag::Drawn(process), Some(profile)) => match (self.number, self.rate) {
                (Some(number), Some(rate)) => numbered(*process, rate, number, seed),
                _ => Ok(Pace::Open { process: *process, profile }),
            },
            (ArrivalsFlag::Drawn(_), None) => match (trace, self.number) {
                (Some(trace), _) => Ok(self.recorded(&trace.times())),
                (None, Some(number)) => Err(CliError::NoRate { number }),
                (None, None) => Err(CliError::NoLoad),
            },
            (ArrivalsFlag::Recorded(_), Some(_)) => Err(CliError::RecordedRate),
            (ArrivalsFlag::Recorded(file), None) => Ok(self.recorded(&read_arrivals(file)?)),
        }
    }

    /// Returns recorded arrivals, up to the duration or the number if one is given.
    fn recorded(&self, times: &Arc<[u64]>) -> Pace {
        let most = self.number.map_or(usize::MAX, |number| number as usize);
        let times = match self.duration {
            None if most >= times.len() => times.clone(),
            duration => {
                let nanos = duration.map_or(f64::INFINITY, |duration| duration.as_nanos() as f64);
                let end = nanos * self.speed;
                let within = times.iter().take_while(|time| (**time as f64) < end);
                within.take(most).copied().collect()
            }
        };
        Pace::Recorded { times, speed: self.speed }
    }
}

/// Returns the first `number` arrivals of a process, which are the whole load.
fn numbered(process: Process, rate: f64, number: u32, seed: u64) -> Result<Pace, CliError> {
    // The time of so many Poisson arrivals and a hundred more is exceeded in no seed.
    let length = Duration::from_secs_f64(2.0 * (f64::from(number) + 100.0) / rate);
    let arrivals = Arrivals::drawn(process, &Profile::constant(rate, length)?, seed);
    Ok(Pace::Recorded { times: arrivals.take(number as usize).collect(), speed: 1.0 })
}
