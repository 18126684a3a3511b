//! Every contestant at multiples of the capacity, for one service time.

use super::restarting::Restarting;
use super::settings::Flags;
use super::settings::{DEADLINE, slos};
use peers::Contestant;
use seda_tools::arrivals::Process;
use seda_tools::generator::Stop;
use seda_tools::sweep::{Pause, Round, SweepPlan, SweepReport, pool, sweep};
use std::error::Error;
use std::time::Duration;

/// A service time of the comparison, with its loads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// CPU time of one request.
    pub(super) micros: u64,
    /// Multiples of the capacity.
    pub(super) loads: &'static [f64],
    pub(super) rounds: u32,
}

impl Service {
    /// The service time of the first comparison and of the recovery, in microseconds.
    const FIRST: u64 = 1_000;

    /// Returns the service times of a run, 1 ms first. Below the capacity every server keeps the
    /// SLO, so one load there is enough, at one service time.
    pub(super) fn all(quick: bool, rounds: Option<u32>) -> Vec<Self> {
        const OVERLOADS: &[f64] = &[1.2, 2.0, 5.0];
        let mut services = if quick {
            vec![Self { micros: Self::FIRST, loads: OVERLOADS, rounds: 1 }]
        } else {
            vec![
                Self { micros: Self::FIRST, loads: &[0.9, 1.2, 2.0, 5.0], rounds: 3 },
                Self { micros: 100, loads: OVERLOADS, rounds: 2 },
                Self { micros: 10_000, loads: OVERLOADS, rounds: 2 },
            ]
        };
        if let Some(rounds) = rounds {
            services.iter_mut().for_each(|service| service.rounds = rounds.max(1));
        }
        services
    }
}

/// Limits to try on each contestant that has one.
const LIMITS: [usize; 5] = [1, 4, 16, 64, 256];
/// The load at which they are tried.
const TUNED_AT: f64 = 2.0;
/// The measured part of a run.
const MEASURED: Duration = Duration::from_millis(2_000);
/// The part before it: one deadline, after which a queue of any length is in its steady state.
const WARM_UP: Duration = Duration::from_millis(1_000);
/// The contestant that estimates a round's capacity. No other server of one core has more
/// throughput, and it does not collapse.
const PROBED: Contestant = Contestant::AxumBoundedQueue(16);

/// The results of a service time.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) service: Service,
    /// The best goodput of any contestant at any load, round by round.
    pub(super) capacities: Vec<f64>,
    /// One for each contestant.
    pub(super) sweeps: Vec<SweepReport>,
    /// One for each limit and contestant.
    pub(super) tuning: Vec<Tried>,
}

/// The results of a limit at twice the capacity.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) contestant: Contestant,
    /// Good answers per second.
    pub(super) good: f64,
    /// In seconds.
    pub(super) p99: Option<f64>,
}

/// Runs every contestant at every load.
pub(super) fn overload(
    service: Service,
    flags: &Flags,
    stop: &Stop,
) -> Result<Overload, Box<dyn Error>> {
    let Service { micros, loads, rounds } = service;
    let target = format!("/work?micros={micros}");
    let probed = probe(&target, stop)?;
    eprintln!("capacity for {micros} us: about {probed:.0}/s");
    let tuning = if flags.quick || !flags.only.is_empty() {
        Vec::new()
    } else {
        tune(&target, probed, stop)?
    };
    let contestants = contestants(service, flags, &tuning);
    let mut entries: Vec<(Contestant, Vec<Round>)> =
        contestants.into_iter().map(|contestant| (contestant, Vec::new())).collect();
    let mut capacities = Vec::new();
    for number in 0..rounds {
        // The machine drifts, so each round estimates the capacity anew and has another order.
        let probed = if number == 0 { probed } else { probe(&target, stop)? };
        entries.rotate_left(number.min(1) as usize);
        for (contestant, rounds) in &mut entries {
            let mut rig = Restarting::new(*contestant, &target, stop);
            let report = sweep(&plan(contestant, loads, Some(probed)), &mut rig)?;
            rounds.extend(report.rounds);
        }
        capacities.push(share_capacity(&mut entries));
    }
    // Undo the rotation, so that the report has the first order.
    let rotated = rounds.saturating_sub(1) as usize % entries.len().max(1);
    entries.rotate_right(rotated);
    let mut sweeps = Vec::new();
    for (contestant, rounds) in entries {
        sweeps.push(pool(&plan(&contestant, loads, Some(probed)), rounds));
    }
    Ok(Overload { service, capacities, sweeps, tuning })
}

/// Sets the capacity of the last round to the best goodput of any contestant at any load, and
/// returns it.
fn share_capacity(entries: &mut [(Contestant, Vec<Round>)]) -> f64 {
    let last = entries.iter().filter_map(|(_, rounds)| rounds.last());
    let best = last.map(|round| round.capacity_per_second).fold(0.0, f64::max);
    for (_, rounds) in entries {
        if let Some(last) = rounds.last_mut() {
            last.capacity_per_second = best;
        }
    }
    best
}

/// Estimates the capacity, in requests per second.
fn probe(target: &str, stop: &Stop) -> Result<f64, Box<dyn Error>> {
    let mut rig = Restarting::new(PROBED, target, stop);
    let report = sweep(&plan(&PROBED, &[], None), &mut rig)?;
    let round = report.rounds.first().ok_or("the probe has no result")?;
    Ok(round.probed_per_second)
}

/// Tries each limit on each contestant that has one.
fn tune(target: &str, capacity: f64, stop: &Stop) -> Result<Vec<Tried>, Box<dyn Error>> {
    let mut found = Vec::new();
    for limit in LIMITS {
        for contestant in [Contestant::AxumLimit(limit), Contestant::AxumBoundedQueue(limit)] {
            let mut rig = Restarting::new(contestant, target, stop);
            let plan = plan(&contestant, &[TUNED_AT], Some(capacity));
            let report = sweep(&plan, &mut rig)?;
            let point = report.points.first().ok_or("a load has no result")?;
            let p99 = point.response.p99.map(|p99| p99.median);
            found.push(Tried { contestant, good: point.goodput_per_second.median, p99 });
        }
    }
    Ok(found)
}

/// Returns the contestants, with their best limits; with `--quick`, with usual ones.
fn contestants(service: Service, flags: &Flags, tuning: &[Tried]) -> Vec<Contestant> {
    use Contestant::{
        ActixBlock, ActixInline, AxumBoundedQueue, AxumInline, AxumLimit, AxumSpawnBlocking,
        HyperInline, Seda, SedaSlo,
    };
    if !flags.only.is_empty() {
        return flags.only.clone();
    }
    if flags.quick {
        return vec![
            Seda,
            SedaSlo,
            AxumBoundedQueue(16),
            AxumLimit(64),
            AxumSpawnBlocking,
            AxumInline,
            ActixInline,
        ];
    }
    let mut all = vec![
        Seda,
        SedaSlo,
        best_limit(AxumBoundedQueue(16), tuning),
        best_limit(AxumLimit(16), tuning),
        AxumSpawnBlocking,
        AxumInline,
        ActixInline,
    ];
    // Two further implementations of the same designs: one service time is enough for them.
    if service.micros == Service::FIRST {
        all.extend([ActixBlock, HyperInline]);
    }
    all
}

/// Returns the contestant of this kind with the best limit; `kind` itself if none was tried.
fn best_limit(kind: Contestant, tuning: &[Tried]) -> Contestant {
    let same = tuning.iter().filter(|tried| tried.contestant.kind() == kind.kind());
    same.max_by(|a, b| a.good.total_cmp(&b.good)).map_or(kind, |tried| tried.contestant)
}

fn plan(contestant: &Contestant, loads: &[f64], capacity: Option<f64>) -> SweepPlan {
    SweepPlan {
        name: contestant.to_string(),
        url: "http://127.0.0.1/".to_owned(),
        command: "just peers".to_owned(),
        multiples: loads.to_vec(),
        repeat: 1,
        process: Process::Poisson,
        duration: MEASURED,
        warm_up: WARM_UP,
        cool_down: Duration::from_millis(200),
        slos: slos(),
        deadline: DEADLINE,
        capacity,
        // Every load has a fresh server, so no pause is needed.
        pause: Pause { least: Duration::ZERO, most: Duration::ZERO },
    }
}
