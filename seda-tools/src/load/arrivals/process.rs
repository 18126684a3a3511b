//! The spacing of arrivals at a given rate.

use seda_sim::spec;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The spacing of arrivals at a given rate: written `poisson` or `uniform`. These are the processes
/// of the simulator that a rate alone defines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Process {
    /// Gaps are independent and exponential, as the requests of many independent users are. Bursts
    /// occur by chance, so queues form below full load, as in production.
    #[default]
    Poisson,
    /// Gaps are equal. Queues form only above full load, so this process measures capacity, and
    /// understates every response time below it.
    Uniform,
}

impl From<Process> for spec::Process {
    fn from(process: Process) -> Self {
        match process {
            Process::Poisson => spec::Process::Poisson,
            Process::Uniform => spec::Process::Uniform,
        }
    }
}

/// Writes the name that the simulator has for the process.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        spec::Process::from(*self).fmt(f)
    }
}

/// The name is not that of an arrival process.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an arrival process: write poisson or uniform")]
#[non_exhaustive]
pub struct ProcessError(String);

impl FromStr for Process {
    type Err = ProcessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(spec::Process::Poisson) => Ok(Process::Poisson),
            Ok(spec::Process::Uniform) => Ok(Process::Uniform),
            // The other processes of the simulator need more than a rate.
            _ => Err(ProcessError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_round_trips_and_another_name_is_refused() {
        for process in [Process::Poisson, Process::Uniform] {
            assert_eq!(process.to_string().parse(), Ok(process));
        }
        assert!("on_off".parse::<Process>().is_err());
        let error = "Pareto".parse::<Process>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Pareto` is not an arrival process: write poisson or uniform"
        );
    }
}
