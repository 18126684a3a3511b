//! The rounds of a sweep.

use super::capacity;
use super::error::SweepError;
use super::plan::{Measured, Rig, SweepPlan};
use super::points::points;
use super::report::{LambdaMax, Round, Run, SweepReport};
use super::settle::settle;
use super::spread::Spread;
use crate::report::units;
use std::time::Duration;

/// The share of scheduled requests that must be good for a load to keep the SLO.
const KEPT: f64 = 0.99;

/// Runs a sweep. An interrupted sweep reports the loads that were run.
///
/// # Errors
/// A load could not be run, the server gave no good answer at all, or no load was complete.
pub fn sweep<R: Rig>(plan: &SweepPlan, rig: &mut R) -> Result<SweepReport, SweepError<R::Error>> {
    let mut rounds = Vec::new();
    let mut interrupted = false;
    for number in 0..plan.repeat.max(1) {
        let Some(round) = round(plan, rig, number)? else {
            interrupted = true;
            break;
        };
        interrupted = round.runs.len() < plan.multiples.len();
        rounds.extend(Some(round).filter(|round| !round.runs.is_empty()));
        if interrupted {
            break;
        }
    }
    if rounds.is_empty() {
        return Err(SweepError::Interrupted);
    }
    Ok(SweepReport { interrupted, ..pool(plan, rounds) })
}

/// Makes one report of rounds that were run by separate sweeps. So the rounds of several servers
/// can alternate.
pub fn pool(plan: &SweepPlan, rounds: Vec<Round>) -> SweepReport {
    let capacity = rounds.iter().map(|round| round.capacity_per_second);
    let mut report = SweepReport {
        name: plan.name.clone(),
        url: plan.url.clone(),
        command: plan.command.clone(),
        slo_seconds: plan.slos.iter().map(Duration::as_secs_f64).collect(),
        deadline_seconds: plan.deadline.as_secs_f64(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        capacity_per_second: Spread::of(capacity).unwrap_or_default(),
        lambda_max: lambda_max(&rounds, plan),
        points: points(&rounds, plan),
        rounds,
        interrupted: false,
    };
    report.drop_details();
    report
}

/// Runs one round; `None` if its probe was interrupted. A round that is interrupted later has only
/// the loads that were run.
fn round<R: Rig>(
    plan: &SweepPlan,
    rig: &mut R,
    number: u32,
) -> Result<Option<Round>, SweepError<R::Error>> {
    let prefix = if plan.repeat > 1 {
        format!("round {} of {}, ", number + 1, plan.repeat)
    } else {
        String::new()
    };
    // 1. Find the capacity, unless it is known.
    let mut best = 0.0_f64;
    let probed = match plan.capacity {
        Some(known) => known,
        None => {
            let Some(probed) = capacity::probe(plan, rig, &prefix, number)? else {
                return Ok(None);
            };
            best = probed.best;
            probed.knee
        }
    };
    // 2. Run each load, and let the server settle after it.
    let mut runs = Vec::new();
    let count = plan.multiples.len();
    for (index, multiple) in plan.multiples.iter().enumerate() {
        let load = plan.open(probed * multiple, plan.duration, number)?;
        let label = format!("{prefix}{} of {count}, {multiple}x: ", index + 1);
        let measured = rig.run(&label, &load).map_err(SweepError::Rig)?;
        if measured.load.interrupted {
            break;
        }
        best = best.max(measured.load.goodput_per_second);
        let settled_after = settle(rig, plan.pause, &prefix, number)?;
        let Measured { load, stages, unwatched, .. } = measured;
        runs.push(Run { multiple: *multiple, load, settled_after, unwatched, stages });
    }
    Ok(Some(Round { probed_per_second: probed, capacity_per_second: best, runs }))
}

/// Returns the highest load that kept the SLO, of each round; `None` if none did.
fn lambda_max(rounds: &[Round], plan: &SweepPlan) -> Option<LambdaMax> {
    let slo = plan.slos.first()?.as_secs_f64();
    let per_second = Spread::of(rounds.iter().filter_map(|round| highest_kept(round, slo)))?;
    let definition = format!(
        "the highest of the offered loads at which 99 % of the scheduled requests were answered \
         right within {}",
        units::seconds(slo)
    );
    Some(LambdaMax { per_second, definition })
}

/// The highest load of a round that kept the SLO, in requests per second.
fn highest_kept(round: &Round, slo_seconds: f64) -> Option<f64> {
    let kept = round.runs.iter().filter(|run| keeps_slo(run, slo_seconds));
    kept.map(|run| run.load.offered_per_second).max_by(f64::total_cmp)
}

fn keeps_slo(run: &Run, slo_seconds: f64) -> bool {
    let load = &run.load;
    load.response_seconds.p99.is_some_and(|p99| p99 <= slo_seconds)
        && load.outcomes.good as f64 >= KEPT * load.outcomes.scheduled as f64
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;
