//! The spacing of arrivals at a given rate.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The spacing of arrivals at a given rate: written `poisson` or `uniform`.
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

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Process::Poisson => "poisson",
            Process::Uniform => "uniform",
        })
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
        match text {
            "poisson" => Ok(Process::Poisson),
            "uniform" => Ok(Process::Uniform),
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
        let error = "Pareto".parse::<Process>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Pareto` is not an arrival process: write poisson or uniform"
        );
    }
}
