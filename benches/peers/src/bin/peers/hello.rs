//! What a request costs where there is next to nothing to do: CPU per answer, at one rate for all.

use super::Flags;
use super::restarting::Restarting;
use peers::Contestant;
use seda_tools::arrivals::{Process, Profile};
use seda_tools::generator::Stop;
use seda_tools::plan::Pace;
use seda_tools::sweep::{Load, Rig, Spread};
use std::error::Error;
use std::time::Duration;

/// A rate that every contestant can serve on one core, far from saturation.
const RATE: f64 = 20_000.0;
const MEASURED: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(500);

/// One contestant with one kind of request.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) contestant: Contestant,
    pub(super) target: &'static str,
    /// CPU seconds an answer.
    pub(super) demand: Spread,
    pub(super) p99: Option<Spread>,
}

/// Runs all of them; whoever cannot be started is left out, and said to be.
pub(super) fn hello(flags: &Flags, stop: &Stop) -> Result<Vec<Hello>, Box<dyn Error>> {
    let mut found = Vec::new();
    let rounds = if flags.quick { 1 } else { 3 };
    for (target, contestants) in cases(flags) {
        let mut figures: Vec<_> =
            contestants.into_iter().map(|contestant| (contestant, Vec::new())).collect();
        for round in 0..rounds {
            for (contestant, figures) in &mut figures {
                match one(*contestant, target, round, stop) {
                    Ok(figure) => figures.push(figure),
                    Err(error) => eprintln!("{contestant} is left out: {error}"),
                }
            }
        }
        for (contestant, figures) in figures {
            if let Some(demand) = Spread::of(figures.iter().map(|(demand, _)| *demand)) {
                let p99 = Spread::of(figures.iter().filter_map(|(_, p99)| *p99));
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

/// CPU seconds an answer, and the p99.
fn one(
    contestant: Contestant,
    target: &str,
    round: u32,
    stop: &Stop,
) -> Result<(f64, Option<f64>), Box<dyn Error>> {
    // The demo site has a page at `/`; the same bytes as everybody's are elsewhere.
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
    Ok((server.cpu_seconds / answers, report.response_seconds.p99))
}
