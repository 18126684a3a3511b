//! The CPU cost of a request with hardly any work, at the same rate for every contestant.

use super::restarting::Restarting;
use super::settings::Flags;
use peers::Contestant;
use seda_tools::arrivals::{Process, Profile};
use seda_tools::generator::Stop;
use seda_tools::plan::Pace;
use seda_tools::sweep::{Load, Rig, Spread};
use std::error::Error;
use std::time::Duration;

/// Requests per second: far below the saturation of any contestant on one core.
const RATE: f64 = 20_000.0;
const MEASURED: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(500);

/// One contestant with one kind of request.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) contestant: Contestant,
    pub(super) target: &'static str,
    /// CPU seconds per answer.
    pub(super) demand: Spread,
    pub(super) p99: Option<Spread>,
}

/// Runs all of them. A contestant that cannot be started is left out with a message.
pub(super) fn hello(flags: &Flags, stop: &Stop) -> Result<Vec<Hello>, Box<dyn Error>> {
    let mut found = Vec::new();
    let rounds = if flags.quick { 1 } else { 3 };
    for (target, contestants) in cases(flags) {
        let mut entries: Vec<(Contestant, Vec<Cost>)> =
            contestants.into_iter().map(|contestant| (contestant, Vec::new())).collect();
        for round in 0..rounds {
            for (contestant, costs) in &mut entries {
                match measure(*contestant, target, round, stop) {
                    Ok(cost) => costs.push(cost),
                    Err(error) => eprintln!("{contestant} is left out: {error}"),
                }
            }
        }
        for (contestant, costs) in entries {
            if let Some(demand) = Spread::of(costs.iter().map(|cost| cost.demand)) {
                let p99 = Spread::of(costs.iter().filter_map(|cost| cost.p99));
                found.push(Hello { contestant, target, demand, p99 });
            }
        }
    }
    Ok(found)
}

fn cases(flags: &Flags) -> Vec<(&'static str, Vec<Contestant>)> {
    use Contestant::{ActixInline, AxumInline, HyperInline, Nginx, Seda, SedaRoot};
    if !flags.only.is_empty() {
        return vec![("/", flags.only.clone())];
    }
    let hello = vec![Seda, AxumInline, HyperInline, ActixInline, Nginx];
    vec![("/", hello), ("/file8k", vec![SedaRoot, AxumInline, ActixInline, Nginx])]
}

/// The figures of one run.
struct Cost {
    /// CPU seconds per answer.
    demand: f64,
    /// In seconds.
    p99: Option<f64>,
}

fn measure(
    contestant: Contestant,
    target: &str,
    round: u32,
    stop: &Stop,
) -> Result<Cost, Box<dyn Error>> {
    // The demo site has a page at `/`. `/hello` has the bytes that the others serve at `/`.
    let path = if (contestant, target) == (Contestant::Seda, "/") { "/hello" } else { target };
    let mut rig = Restarting::new(contestant, path, stop);
    let profile = Profile::constant(RATE, MEASURED)?;
    let load = Load {
        pace: Pace::Open { process: Process::Poisson, profile },
        warm_up: WARM_UP,
        cool_down: Duration::ZERO,
        round,
    };
    let report = rig.run(&format!("{target}: "), &load)?.load;
    let server = report.server.ok_or("the server could not be watched")?;
    let answers = report.throughput_per_second * report.duration_seconds;
    Ok(Cost { demand: server.cpu_seconds / answers, p99: report.response_seconds.p99 })
}
