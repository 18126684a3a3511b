//! Every contestant at multiples of the capacity, for one service time.

use super::Flags;
use super::restarting::Restarting;
use peers::Contestant;
use seda_tools::arrivals::Process;
use seda_tools::generator::Stop;
use seda_tools::sweep::{Rest, Round, SweepPlan, SweepReport, pool, sweep};
use std::error::Error;
use std::time::Duration;

/// A service time to be compared at: of how much CPU, at which loads, how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// CPU time of one request.
    pub(super) micros: u64,
    /// Multiples of the capacity.
    pub(super) loads: &'static [f64],
    pub(super) rounds: u32,
}

impl Service {
    /// The service time that everything is tried with, in microseconds.
    const FIRST: u64 = 1_000;

    /// Those of a run: 1 ms first. Below the capacity every server keeps the SLO, so that one load
    /// there is enough, and once.
    pub(super) fn all(quick: bool, rounds: Option<u32>) -> Vec<Self> {
        const OVERLOADS: &[f64] = &[1.2, 2.0, 5.0];
        let service =
            |micros, loads, usual| Self { micros, loads, rounds: rounds.unwrap_or(usual).max(1) };
        if quick {
            return vec![service(Self::FIRST, OVERLOADS, 1)];
        }
        vec![
            service(Self::FIRST, &[0.9, 1.2, 2.0, 5.0], 3),
            service(100, OVERLOADS, 2),
            service(10_000, OVERLOADS, 2),
        ]
    }
}
/// Limits that are tried for whoever has one.
const LIMITS: [usize; 5] = [1, 4, 16, 64, 256];
/// The load at which limits are tried.
const TUNED_AT: f64 = 2.0;
/// The measured part of a run, and what comes before it: one deadline, after which a queue of any
/// length has shown what it does.
const MEASURED: Duration = Duration::from_millis(2_000);
const WARM_UP: Duration = Duration::from_millis(1_000);
/// The contestant that the round's capacity is probed with: no server of one core gets more, and
/// it does not collapse.
const PROBED: Contestant = Contestant::AxumBoundedQueue(16);

/// What a service time came to.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) service: Service,
    /// The best goodput of any contestant at any load, of each round.
    pub(super) capacities: Vec<f64>,
    /// One for each contestant.
    pub(super) sweeps: Vec<SweepReport>,
    /// Each limit that was tried.
    pub(super) tuning: Vec<Tried>,
}

/// What a limit came to at twice the capacity.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) contestant: Contestant,
    /// Good answers per second.
    pub(super) good: f64,
    /// In seconds.
    pub(super) p99: Option<f64>,
}

/// Runs all of them.
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
        // The machine drifts: each round has a capacity of its own, and everybody's turn comes at
        // another time of the round.
        let probed = if number == 0 { probed } else { probe(&target, stop)? };
        entries.rotate_left(number.min(1) as usize);
        for (contestant, rounds) in &mut entries {
            let mut rig = Restarting::new(*contestant, &target, stop);
            let report = sweep(&plan(contestant, loads, Some(probed)), &mut rig)?;
            rounds.extend(report.rounds);
        }
        capacities.push(share_capacity(&mut entries));
    }
    let turned = rounds.saturating_sub(1) as usize % entries.len().max(1);
    entries.rotate_right(turned);
    let pooled = |(contestant, rounds): (Contestant, Vec<Round>)| {
        pool(&plan(&contestant, loads, Some(probed)), rounds)
    };
    let sweeps = entries.into_iter().map(pooled).collect();
    Ok(Overload { service, capacities, sweeps, tuning })
}

/// Makes the best goodput of any contestant at any load the capacity of the last round.
fn share_capacity(entries: &mut [(Contestant, Vec<Round>)]) -> f64 {
    let last = |(_, rounds): &mut (Contestant, Vec<Round>)| rounds.pop();
    let mut round: Vec<Option<Round>> = entries.iter_mut().map(last).collect();
    let best = round.iter().flatten().map(|round| round.capacity_per_second).fold(0.0, f64::max);
    for ((_, rounds), last) in entries.iter_mut().zip(&mut round) {
        if let Some(mut last) = last.take() {
            last.capacity_per_second = best;
            rounds.push(last);
        }
    }
    best
}

fn probe(target: &str, stop: &Stop) -> Result<f64, Box<dyn Error>> {
    let mut rig = Restarting::new(PROBED, target, stop);
    let report = sweep(&plan(&PROBED, &[], None), &mut rig)?;
    let round = report.rounds.first().ok_or("the probe came to nothing")?;
    Ok(round.probed_per_second)
}

/// Tries the limits of whoever has one.
fn tune(target: &str, capacity: f64, stop: &Stop) -> Result<Vec<Tried>, Box<dyn Error>> {
    let mut found = Vec::new();
    for limit in LIMITS {
        for contestant in [Contestant::AxumLimit(limit), Contestant::AxumBoundedQueue(limit)] {
            let mut rig = Restarting::new(contestant, target, stop);
            let plan = plan(&contestant, &[TUNED_AT], Some(capacity));
            let report = sweep(&plan, &mut rig)?;
            let point = report.points.first().ok_or("a load came to nothing")?;
            let (good, p99) = (point.goodput_per_second.median, point.p99.map(|p99| p99.median));
            found.push(Tried { contestant, good, p99 });
        }
    }
    Ok(found)
}

/// Who takes part: with the limits that did best, and with 64 as in many an example.
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
    let best = |kind: Contestant| {
        let same = tuning.iter().filter(|tried| tried.contestant.kind() == kind.kind());
        same.max_by(|a, b| a.good.total_cmp(&b.good)).map_or(kind, |tried| tried.contestant)
    };
    let mut all = vec![
        Seda,
        SedaSlo,
        best(AxumBoundedQueue(16)),
        best(AxumLimit(16)),
        AxumSpawnBlocking,
        AxumInline,
        ActixInline,
    ];
    // The same two designs once more, in other hands: once is enough.
    if service.micros == Service::FIRST {
        all.extend([ActixBlock, HyperInline]);
    }
    all
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
        slos: super::slos(),
        deadline: super::DEADLINE,
        capacity,
        // Every load has a server of its own.
        rest: Rest { least: Duration::ZERO, most: Duration::ZERO },
    }
}
