//! The rig that the flags describe.

use super::error::CliError;
use super::progress::ProgressLine;
use super::request::RequestFlags;
use super::signals::stop_on_signal;
use crate::experiment::sweep::Live;
use crate::generator::Observer;
use crate::load::plan::{LoadPlan, Pace};
use crate::load::trace::Trace;
use crate::watch::Watcher;
use std::time::Duration;

impl RequestFlags {
    /// Returns a rig that runs loads against the server.
    pub(super) fn rig(
        &self,
        trace: Option<&Trace>,
        deadline: Duration,
        bin: Option<Duration>,
    ) -> Result<Live, CliError> {
        let plan = LoadPlan {
            workload: self.workload(trace)?,
            // Replaced by the pace of each load.
            pace: Pace::Closed { clients: 1, think: Duration::ZERO, duration: Duration::ZERO },
            warm_up: Duration::ZERO,
            cool_down: Duration::ZERO,
            slos: self.slos(),
            deadline,
            retry: self.retry(),
            expected: self.expect.clone(),
            connections: self.connections,
            threads: self.threads,
            seed: self.seed,
            bin,
            address: self.address()?,
            url: self.url.clone(),
        };
        let watcher = self.pid.map(Watcher::open).transpose()?;
        let stop = stop_on_signal().map_err(CliError::Signals)?;
        Ok(Live::new(plan, stop, watcher, self.observer()))
    }

    fn observer(&self) -> Box<dyn Observer> {
        if self.quiet { Box::new(()) } else { Box::new(ProgressLine::new()) }
    }
}
