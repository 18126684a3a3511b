//! What runs the loads of a sweep or a step: sockets, and a look at the server's process.

use super::Failed;
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
    /// What runs loads against the server that the flags name.
    pub(super) fn rig(
        &self,
        trace: Option<&Trace>,
        deadline: Duration,
        bin: Option<Duration>,
    ) -> Result<Live, Failed> {
        let plan = LoadPlan {
            workload: self.workload(trace)?,
            // Every load brings its own.
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
        Ok(Live::new(plan, stop_on_signal()?, watcher, self.observer()))
    }

    fn observer(&self) -> Box<dyn Observer> {
        if self.quiet { Box::new(()) } else { Box::new(ProgressLine::new()) }
    }
}
