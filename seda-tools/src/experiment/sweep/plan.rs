//! The loads of a sweep, and the rig that runs them.

use super::report::StagePoint;
use crate::generator::Series;
use crate::load::arrivals::{Process, Profile, ProfileError};
use crate::load::plan::Pace;
use crate::report::LoadReport;
use std::time::Duration;

/// A sweep: its loads, their length, its rounds.
#[derive(Clone, Debug)]
pub struct SweepPlan {
    /// The name of the server in comparisons.
    pub name: String,
    /// The URL of the server, for the report.
    pub url: String,
    /// The command line, for the report.
    pub command: String,
    /// Loads as multiples of the capacity, ascending.
    pub multiples: Vec<f64>,
    /// Number of rounds.
    pub repeat: u32,
    /// The arrival process.
    pub process: Process,
    /// The measured part of each load.
    pub duration: Duration,
    /// Load before the measured part, during which the server fills its queues.
    pub warm_up: Duration,
    /// Load after the measured part, so that the last requests are answered under the same load.
    pub cool_down: Duration,
    /// The SLOs, tightest first; at least one.
    pub slos: Vec<Duration>,
    /// Time after which a client abandons an attempt.
    pub deadline: Duration,
    /// A known capacity in requests per second; `None`: each round probes for it.
    pub capacity: Option<f64>,
    /// The pause between loads.
    pub pause: Pause,
}

impl SweepPlan {
    /// Returns an open load of `rate` requests per second.
    pub(super) fn open(
        &self,
        rate: f64,
        duration: Duration,
        round: u32,
    ) -> Result<Load, ProfileError> {
        let profile = Profile::constant(rate, duration)?;
        let pace = Pace::Open { process: self.process, profile };
        Ok(Load { pace, warm_up: self.warm_up, cool_down: self.cool_down, round })
    }
}

/// The pause between two loads, so that the next load does not meet the backlog of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The shortest pause, even if the server has settled.
    pub least: Duration,
    /// The longest time that a server gets to settle, that is to serve a single client within the
    /// SLO again. After it the next load begins anyway. Zero: the server is not tried.
    pub most: Duration,
}

impl Default for Pause {
    /// Half a second, and 20 s to settle: some servers work through abandoned requests for five
    /// seconds and more.
    fn default() -> Self {
        Self { least: Duration::from_millis(500), most: Duration::from_secs(20) }
    }
}

/// One load of a sweep.
#[derive(Clone, Debug)]
pub struct Load {
    /// The start times of the requests.
    pub pace: Pace,
    /// Load before the measured part.
    pub warm_up: Duration,
    /// Load after the measured part.
    pub cool_down: Duration,
    /// The number of the round: each round draws other arrivals.
    pub round: u32,
}

/// The result of a load.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Measured {
    /// The report of the generator.
    pub load: LoadReport,
    /// The stages of the server; empty if it is not a seda server.
    pub stages: Vec<StagePoint>,
    /// The time series; `None` if the plan asks for none.
    pub series: Option<Series>,
    /// Time from the start of the run to the end of its last request.
    pub elapsed: Duration,
    /// Why the server's process could not be watched to the end: most likely it has ended.
    pub unwatched: Option<String>,
}

impl Measured {
    /// Wraps the report of a server that shows no stages.
    pub fn of(load: LoadReport) -> Self {
        Self { load, ..Self::default() }
    }
}

/// Runs one load against a server.
pub trait Rig {
    /// Why a load could not be run.
    type Error: std::error::Error;

    /// Runs a load; `label` names it on the progress line.
    ///
    /// # Errors
    /// The load could not be run. A server that does not answer is not an error.
    fn run(&mut self, label: &str, load: &Load) -> Result<Measured, Self::Error>;

    /// Waits for `time`.
    fn pause(&mut self, time: Duration);
}
