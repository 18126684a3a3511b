//! A rig that starts a fresh server for every load, so that no load inherits the backlog or the
//! warm caches of the one before.

use super::settings::{DEADLINE, slos};
use peers::{Contestant, SERVER_CORE, Server, StartError};
use seda_tools::generator::{LoadError, Retry, Stop};
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::sweep::{Live, Load, Measured, Rig};
use seda_tools::watch::{WatchError, Watcher};
use seda_tools::workload::Workload;
use seda_tools::{RequestError, RequestShape, Url, UrlError};
use std::time::Duration;
use thiserror::Error;

/// Runs loads against a contestant.
pub(super) struct Restarting {
    contestant: Contestant,
    target: String,
    bin: Option<Duration>,
    stop: Stop,
    running: Option<(Server, Live)>,
}

/// A load that could not be run.
#[derive(Debug, Error)]
pub(super) enum RestartError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl Restarting {
    /// Returns a rig that requests `target`.
    pub(super) fn new(contestant: Contestant, target: &str, stop: &Stop) -> Self {
        let target = target.to_owned();
        Self { contestant, target, bin: None, stop: stop.clone(), running: None }
    }

    /// Returns the same rig with a time series in bins of this width.
    pub(super) fn with_bins(self, width: Duration) -> Self {
        Self { bin: Some(width), ..self }
    }

    fn start(&self) -> Result<(Server, Live), RestartError> {
        let server = self.contestant.start(&[SERVER_CORE])?;
        let url: Url = format!("{}{}", server.url(), self.target).parse()?;
        let shape = RequestShape::new(url.authority());
        let plan = LoadPlan {
            workload: Workload::single(&shape, "GET", url.target())?,
            pace: Pace::Closed { clients: 1, think: Duration::ZERO, duration: Duration::ZERO },
            warm_up: Duration::ZERO,
            cool_down: Duration::ZERO,
            slos: slos(),
            deadline: DEADLINE,
            retry: Retry::NONE,
            expected: vec![200],
            connections: 10_000,
            threads: 1,
            seed: 1,
            bin: self.bin,
            address: server.address().into(),
            url,
        };
        let watcher = Watcher::open(server.pid())?;
        Ok((server, Live::new(plan, self.stop.clone(), Some(watcher), Box::new(()))))
    }
}

impl Rig for Restarting {
    type Error = RestartError;

    fn run(&mut self, words: &str, load: &Load) -> Result<Measured, RestartError> {
        // The old server must be gone before the new one takes its core.
        self.running = None;
        let (_, live) = self.running.insert(self.start()?);
        let measured = live.run(words, load)?;
        eprintln!("{} {words}{}", self.contestant, measured.load.summary());
        Ok(measured)
    }

    fn pause(&mut self, time: Duration) {
        if !self.stop.is_wanted() {
            std::thread::park_timeout(time);
        }
    }
}
