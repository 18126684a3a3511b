//! How arrivals are spaced.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How the arrivals of a rate are spaced.
///
/// ```
/// use seda_sim::spec::Process;
///
/// let process: Process = "uniform".parse()?;
/// assert_eq!((process, process.to_string()), (Process::Uniform, "uniform".to_owned()));
/// # Ok::<(), seda_sim::spec::ProcessError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Process {
    /// Gaps are independent and exponential, as from many independent users. Bursts
    /// come by chance, so queues form below full load.
    #[default]
    Poisson,
    /// Gaps are equal. Queues form only above full load, so every latency below it is flattered.
    Uniform,
    /// Poisson arrivals while the source is on, and none while it is off.
    OnOff,
    /// The times of a recorded [`Trace`](super::Trace).
    Trace,
}

impl Process {
    /// All processes, in order of declaration.
    pub const ALL: [Self; 4] = [Self::Poisson, Self::Uniform, Self::OnOff, Self::Trace];

    /// Returns the name of the process in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Uniform => "uniform",
            Self::OnOff => "on_off",
            Self::Trace => "trace",
        }
    }

    /// Draws the gap to the next arrival, where one arrival is due per unit of time. `unit` draws
    /// uniform numbers in [0, 1). The gaps of an on/off source are those while it is on; a trace
    /// draws none.
    ///
    /// ```
    /// use seda_sim::spec::Process;
    ///
    /// assert_eq!(Process::Uniform.gap(|| 0.5), 1.0);
    /// assert_eq!(Process::Poisson.gap(|| 0.5), 2.0_f64.ln());
    /// ```
    pub fn gap(self, mut unit: impl FnMut() -> f64) -> f64 {
        // An exponential of mean one is finite, because `1 - unit` is never 0.
        let mut exponential = || -(1.0 - unit()).ln();
        match self {
            Self::Uniform => 1.0,
            Self::Poisson | Self::OnOff | Self::Trace => exponential(),
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of a name that no arrival process has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no arrival process: write poisson, uniform, on_off or trace")]
#[non_exhaustive]
pub struct ProcessError {
    /// The unknown name.
    pub name: String,
}

impl FromStr for Process {
    type Err = ProcessError;

    /// Reads the name of a process, as a spec has it.
    fn from_str(text: &str) -> Result<Self, ProcessError> {
        let found = Self::ALL.into_iter().find(|process| process.as_str() == text);
        found.ok_or_else(|| ProcessError { name: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_reads_back_from_its_name_as_text_and_in_a_spec() {
        for process in Process::ALL {
            assert_eq!(process.to_string().parse(), Ok(process));
            let quoted = format!("\"{process}\"");
            assert_eq!(serde_json::from_str::<Process>(&quoted).unwrap(), process);
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_names_that_are_allowed() {
        let error = "Pareto".parse::<Process>().unwrap_err().to_string();
        assert!(error.contains("`Pareto`") && error.contains("on_off or trace"), "{error}");
    }
}
