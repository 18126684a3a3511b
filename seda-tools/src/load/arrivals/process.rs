//! How the arrivals of a rate are spaced.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How the arrivals of a rate are spaced: written `poisson` or `uniform`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Process {
    /// Gaps are independent and exponential, as when many users who know nothing of each other
    /// send. Bursts come by chance, so queues form below full load, as they do in service.
    #[default]
    Poisson,
    /// Gaps are equal. Queues form only above full load: this measures capacity, and flatters
    /// every latency below it.
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

/// A name that no arrival process has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no arrival process: write poisson or uniform")]
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
    fn a_process_is_read_as_it_is_written_and_another_name_is_refused() {
        for process in [Process::Poisson, Process::Uniform] {
            assert_eq!(process.to_string().parse(), Ok(process));
        }
        let error = "Pareto".parse::<Process>().unwrap_err();
        assert_eq!(error.to_string(), "`Pareto` is no arrival process: write poisson or uniform");
    }
}
