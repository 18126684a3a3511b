//! Reads a server's CPU time and ledger at the start and the end of the measured part of a load.

use crate::judge::bound::CpuUsage;
use crate::measure::ledger::{self, LedgerReader};
use crate::measure::threads::front_seconds;
use seda_tools::generator::{Observer, Progress};
use seda_tools::report::LoadReport;
use seda_tools::watch::{WatchError, Watcher};

/// Reads the CPU time of one process, and the ledger if it has one.
pub(crate) struct Meter<'a> {
    watcher: Watcher,
    pid: u32,
    burners: &'a [String],
    ledger: Option<LedgerReader>,
    began: Option<Reading>,
    ended: Option<Reading>,
    /// The ledger at the start and at the end.
    ledgers: [Option<ledger::Reading>; 2],
}

/// CPU seconds up to one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    all: f64,
    front: Option<f64>,
    ready: Option<f64>,
}

impl<'a> Meter<'a> {
    pub(crate) fn open(
        pid: u32,
        burners: &'a [String],
        ledger: Option<LedgerReader>,
    ) -> Result<Self, WatchError> {
        let watcher = Watcher::open(pid)?;
        Ok(Self { watcher, pid, burners, ledger, began: None, ended: None, ledgers: [None, None] })
    }

    /// Returns the share of the requests admitted in the measured part that was given up; `None` if
    /// the server has no ledger or admitted none.
    pub(crate) fn given_up(&mut self) -> Option<f64> {
        let [began, ended] = std::mem::take(&mut self.ledgers);
        let (began, ended) = (began?.wait()?, ended?.wait()?);
        ended.given_up_since(&began)
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
        self.ledgers[0] = self.ledger.as_ref().and_then(LedgerReader::read);
    }

    fn measured(&mut self) {
        self.ended = self.read();
        self.ledgers[1] = self.ledger.as_ref().and_then(LedgerReader::read);
    }
}
