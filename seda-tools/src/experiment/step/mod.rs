//! Steps: a profile of rates is run several times and reported in time slices.

mod display;
mod recovery;
mod report;

pub use report::{PartReport, Recovery, StepReport};

use crate::experiment::sweep::{Load, Pause, Rig, SweepError, settle};
use crate::generator::Series;
use crate::load::arrivals::{Process, Profile};
use crate::load::plan::Pace;
use crate::report::{LoadReport, WindowReport};
use std::time::Duration;

/// A step: its profile and the number of its runs.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// The name of the server in comparisons.
    pub name: String,
    /// The URL of the server, for the report.
    pub url: String,
    /// The command line, for the report.
    pub command: String,
    /// The rates over time.
    pub profile: Profile,
    /// The arrival process.
    pub process: Process,
    /// Number of runs to pool.
    pub repeat: u32,
    /// The SLO that defines recovery.
    pub slo: Duration,
    /// Time after which a client abandons an attempt.
    pub deadline: Duration,
}

/// Runs the profile several times and pools the runs. The plan of the rig must ask for a time
/// series. An interrupted step reports its complete runs.
///
/// # Errors
/// A load could not be run, or the first run was interrupted.
pub fn step<R: Rig>(plan: &StepPlan, rig: &mut R) -> Result<StepReport, SweepError<R::Error>> {
    // 1. Run the profile, and pool the time series.
    let mut series = Series::default();
    let mut runs: Vec<LoadReport> = Vec::new();
    for round in 0..plan.repeat.max(1) {
        let pace = Pace::Open { process: plan.process, profile: plan.profile.clone() };
        let load = Load { pace, warm_up: Duration::ZERO, cool_down: Duration::ZERO, round };
        let label = format!("run {} of {}, ", round + 1, plan.repeat);
        let measured = rig.run(&label, &load).map_err(SweepError::Rig)?;
        if measured.load.interrupted {
            break;
        }
        if let Some(more) = &measured.series {
            series.add(more);
        }
        runs.push(measured.load);
        // After the last run no load follows that needs a settled server.
        if round + 1 < plan.repeat {
            settle(rig, Pause::default(), &label, round)?;
        }
    }
    if runs.is_empty() {
        return Err(SweepError::Interrupted);
    }
    // 2. Derive the recoveries from the pooled runs.
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

/// Returns the parts of the profile, over all runs.
fn parts(runs: &[LoadReport]) -> Vec<PartReport> {
    let count = runs.first().map_or(0, |run| run.windows.len());
    (0..count).filter_map(|index| part(runs, index)).collect()
}

fn part(runs: &[LoadReport], index: usize) -> Option<PartReport> {
    let windows: Vec<&WindowReport> =
        runs.iter().filter_map(|run| run.windows.get(index)).collect();
    PartReport::of(&windows)
}
