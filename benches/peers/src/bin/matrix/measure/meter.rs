//! Reads a server's CPU time at the start and the end of the measured part of a load.

use crate::judge::bound::CpuUsage;
use crate::measure::threads::front_seconds;
use seda_tools::generator::{Observer, Progress};
use seda_tools::report::LoadReport;
use seda_tools::watch::{WatchError, Watcher};

/// Reads the CPU time of one process.
pub(crate) struct Meter<'a> {
    watcher: Watcher,
    pid: u32,
    burners: &'a [String],
    began: Option<Reading>,
    ended: Option<Reading>,
}

/// CPU seconds up to one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    all: f64,
    front: Option<f64>,
    ready: Option<f64>,
}

impl<'a> Meter<'a> {
    pub(crate) fn open(pid: u32, burners: &'a [String]) -> Result<Self, WatchError> {
        Ok(Self { watcher: Watcher::open(pid)?, pid, burners, began: None, ended: None })
    }

    /// Returns the usage of the measured part. CPU time is 0 if the process could not be read.
    pub(crate) fn usage(&self, load: &LoadReport) -> CpuUsage {
        let both = self.began.zip(self.ended);
        CpuUsage {
            cpu: both.map_or(0.0, |(began, ended)| ended.all - began.all),
            front: both.and_then(|(began, ended)| Some(ended.front? - began.front?)),
            ready: both.and_then(|(began, ended)| Some(ended.ready? - began.ready?)),
            served: load.throughput_per_second * load.duration_seconds,
            refused: load.outcomes.refused as f64,
        }
    }

    fn read(&mut self) -> Option<Reading> {
        let sample = self.watcher.sample().ok()?;
        let front = front_seconds(self.pid, self.burners);
        Some(Reading { all: sample.cpu_seconds(), front, ready: sample.run_queue_seconds })
    }
}

impl Observer for Meter<'_> {
    fn progress(&mut self, _progress: &Progress) {}

    fn measuring(&mut self) {
        self.began = self.read();
    }

    fn measured(&mut self) {
        self.ended = self.read();
    }
}
