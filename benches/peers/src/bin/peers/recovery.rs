//! The time until goodput is back after an overload: 5 s at 5x, then 0.5x.

use super::overload::Overload;
use super::restarting::Restarting;
use super::settings::{DEADLINE, Flags, SLO};
use peers::Contestant;
use seda_tools::arrivals::{Part, Process, Profile};
use seda_tools::generator::Stop;
use seda_tools::step::{StepPlan, StepReport, step};
use std::error::Error;
use std::time::Duration;

/// Multiples of the capacity, each with its seconds.
const STEP: [(f64, u64); 3] = [(0.5, 2), (5.0, 5), (0.5, 5)];

/// Measures the recovery of one contestant for each design.
pub(super) fn recovery(
    measured: &Overload,
    flags: &Flags,
    stop: &Stop,
) -> Result<Vec<StepReport>, Box<dyn Error>> {
    let capacity = measured.capacities.first().copied().unwrap_or_default();
    let parts = STEP.map(|(multiple, seconds)| Part {
        rate: (capacity * multiple).round(),
        duration: Duration::from_secs(seconds),
    });
    let profile = Profile::new(parts.to_vec())?;
    let mut steps = Vec::new();
    for contestant in contestants(flags) {
        let target = format!("/work?micros={}", measured.service.micros);
        let mut rig =
            Restarting::new(contestant, &target, stop).with_bins(Duration::from_millis(50));
        let plan = StepPlan {
            name: contestant.to_string(),
            url: "http://127.0.0.1/".to_owned(),
            command: "just peers".to_owned(),
            profile: profile.clone(),
            process: Process::Poisson,
            repeat: if flags.quick { 1 } else { 2 },
            slo: SLO,
            deadline: DEADLINE,
        };
        steps.push(step(&plan, &mut rig)?);
    }
    Ok(steps)
}

fn contestants(flags: &Flags) -> Vec<Contestant> {
    use Contestant::{ActixInline, AxumBoundedQueue, AxumSpawnBlocking, Seda, SedaSlo};
    if !flags.only.is_empty() {
        return flags.only.clone();
    }
    vec![SedaSlo, Seda, AxumBoundedQueue(16), AxumSpawnBlocking, ActixInline]
}
