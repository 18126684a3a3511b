//! The service demand of a measured stage.

use crate::spec::Demand;
use seda_core::report::{MachineReport, StageReport};
use seda_core::stats::QuantileSummary;
use std::time::Duration;

/// Below this number of events in the window the mean service is that of the whole life.
const FEW_EVENTS: u64 = 30;

/// The service of a stage's events.
pub(super) struct Service {
    pub(super) demand: Demand,
    /// The share of the time that a worker is held in which it is on a core.
    pub(super) cpu_share: f64,
    /// The time outside; `None` unless the stage defers.
    pub(super) outside: Option<Demand>,
}

/// Returns the service of a stage on a core of its own: the time that an event holds a worker,
/// without waits for room and for a core, which the simulation adds again. What other processes
/// caused of the waits for a core stays: they are not simulated.
pub(super) fn of(stage: &StageReport, machine: &MachineReport) -> Service {
    let window = &stage.last_ten_seconds;
    let ended = window.served + window.failed;
    let shape = &stage.service_seconds.quantiles;
    let Some(total) = window.holding.total.filter(|_| ended >= FEW_EVENTS) else {
        return of_life(stage);
    };
    let holding = &window.holding;
    let waited = holding.core_wait.unwrap_or(0.0) * own_share(machine);
    let held = (total - waited - holding.room_wait).max(0.0);
    let cpu = holding.cpu.map_or(1.0, |cpu| cpu / held.max(f64::MIN_POSITIVE));
    let cpu_share = if held > 0.0 { cpu.clamp(0.0, 1.0) } else { 1.0 };
    // The time outside counts from the taking of an event, so it has the worker's in it.
    let away = window.outside * window.seconds / ended as f64 - total;
    if window.outside_seconds.is_some() && away > 0.0 {
        // The measured shape is of the time outside, which is nearly all.
        let demand = Demand::Deterministic { mean: whole_nanos(held) };
        Service { demand, cpu_share, outside: Some(Demand::measured(shape, away)) }
    } else {
        Service { demand: Demand::measured(shape, held), cpu_share, outside: None }
    }
}

/// Returns the share of the waits for a core that this process causes itself, 0 to 1: its share of
/// the time of the cores that it may use. Others use the rest, at most.
fn own_share(machine: &MachineReport) -> f64 {
    let Some(process) = machine.process.filter(|process| *process > 0.0) else {
        return 1.0;
    };
    let left = (machine.cores as f64 - process).max(0.0);
    process / (process + machine.others.unwrap_or(0.0).min(left))
}

/// Returns the service over the whole life, of a stage with few events in the window.
fn of_life(stage: &StageReport) -> Service {
    let runqueue = stage.runqueue_share.unwrap_or(0.0);
    let busy = 1.0 - runqueue;
    let shape: &QuantileSummary = &stage.service_seconds.quantiles;
    let cpu_share = stage.cpu_share.map_or(1.0, |cpu| (cpu / busy.max(f64::MIN_POSITIVE)).min(1.0));
    let demand = Demand::measured(shape, shape.mean.unwrap_or(0.0) * busy);
    Service { demand, cpu_share, outside: None }
}

/// Returns a time of whole nanoseconds, as TOML has it.
fn whole_nanos(seconds: f64) -> Duration {
    Duration::from_nanos((seconds * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_a_core_are_shared_with_the_other_processes_on_it() {
        let mut machine = MachineReport::default();
        assert_eq!(own_share(&machine), 1.0);
        (machine.cores, machine.process, machine.others) = (1, Some(0.25), Some(1.9));
        assert_eq!(own_share(&machine), 0.25);
        (machine.process, machine.others) = (Some(0.8), Some(0.1));
        assert!((own_share(&machine) - 0.8 / 0.9).abs() < 1e-12);
        machine.process = Some(1.0);
        assert_eq!(own_share(&machine), 1.0);
    }
}
