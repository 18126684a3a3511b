//! Steps: a profile of rates driven several times, looked at in slices of time.

mod display;
mod recovery;
mod report;

pub use report::{PartReport, Recovery, StepReport};

use crate::experiment::sweep::{Load, Rest, Rig, Spread, SweepError, settle};
use crate::generator::Series;
use crate::load::arrivals::{Process, Profile};
use crate::load::plan::Pace;
use crate::report::{LoadReport, WindowReport};
use std::time::Duration;

/// A step: which profile, how often.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// What to call it where several are laid side by side.
    pub name: String,
    /// Where the load goes; for the report.
    pub url: String,
    /// What was typed; for the report.
    pub command: String,
    /// The rates over time.
    pub profile: Profile,
    /// How arrivals are spread.
    pub process: Process,
    /// Runs to pool.
    pub repeat: u32,
    /// The SLO that recovery is held against.
    pub slo: Duration,
    /// When a client gives up.
    pub deadline: Duration,
}

/// Drives the profile and pools the runs. The rig's plan has to ask for a time series. If it is
/// interrupted, whole runs are reported.
///
/// # Errors
/// A load could not be run, or was ended before the first run was through.
pub fn step<R: Rig>(plan: &StepPlan, rig: &mut R) -> Result<StepReport, SweepError<R::Error>> {
    let mut series = Series::default();
    let mut runs: Vec<LoadReport> = Vec::new();
    for round in 0..plan.repeat.max(1) {
        let pace = Pace::Open { process: plan.process, profile: plan.profile.clone() };
        let load = Load { pace, warm_up: Duration::ZERO, cool_down: Duration::ZERO, round };
        let words = format!("run {} of {}, ", round + 1, plan.repeat);
        let measured = rig.run(&words, &load).map_err(SweepError::Rig)?;
        if measured.load.interrupted {
            break;
        }
        if let Some(more) = &measured.series {
            series.add(more);
        }
        runs.push(measured.load);
        // Nothing comes after the last one that a server would have to be quiet for.
        if round + 1 < plan.repeat {
            settle(rig, Rest::default(), &words, round)?;
        }
    }
    if runs.is_empty() {
        return Err(SweepError::Interrupted);
    }
    let repeats = runs.len() as u64;
    let (parts, bins) = (parts(&runs), series.report());
    let slo_seconds = plan.slo.as_secs_f64();
    Ok(StepReport {
        name: plan.name.clone(),
        url: plan.url.clone(),
        command: plan.command.clone(),
        slo_seconds,
        deadline_seconds: plan.deadline.as_secs_f64(),
        repeats,
        recoveries: recovery::recoveries(&parts, &bins, repeats, slo_seconds),
        parts,
        bins,
        kept_schedule: runs.iter().all(|run| run.generator.kept_schedule),
    })
}

/// The parts of the profile, over all runs.
fn parts(runs: &[LoadReport]) -> Vec<PartReport> {
    let count = runs.first().map_or(0, |run| run.windows.len());
    let part = |index: usize| {
        let windows: Vec<&WindowReport> =
            runs.iter().filter_map(|run| run.windows.get(index)).collect();
        let first = windows.first()?;
        let each = |figure: fn(&WindowReport) -> f64| {
            Spread::of(windows.iter().map(|window| figure(window))).unwrap_or_default()
        };
        let some = |figure: fn(&WindowReport) -> Option<f64>| {
            Spread::of(windows.iter().filter_map(|window| figure(window)))
        };
        Some(PartReport {
            name: first.name.clone(),
            from_seconds: first.from_seconds,
            to_seconds: first.to_seconds,
            offered_per_second: each(|window| window.offered_per_second),
            goodput_per_second: each(|window| window.goodput_per_second),
            p50: some(|window| window.response_seconds.p50),
            p99: some(|window| window.response_seconds.p99),
        })
    };
    (0..count).filter_map(part).collect()
}
