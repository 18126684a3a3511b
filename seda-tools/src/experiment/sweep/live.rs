//! A rig of sockets: the load goes to a real server, which may be watched meanwhile.

use super::rounds::{Load, Measured, Rig};
use super::stages;
use crate::generator::{self, LoadError, Observer, Progress, Stop};
use crate::load::plan::LoadPlan;
use crate::watch::{Peaks, Sample, ServerReport, WatchError, Watcher};
use seda_core::{Clock, MonotonicClock, Report, Time};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// How often threads and memory are looked at: a look costs some 40 us for each thread, which is
/// to be seldom felt by the generator next to it.
const PEAKS: Duration = Duration::from_secs(1);

/// Runs loads against a server over sockets.
pub struct Live {
    plan: LoadPlan,
    stop: Stop,
    watcher: Option<Watcher>,
    observer: Box<dyn Observer>,
    /// The server is one of seda's: there is a report to look at.
    has_stages: bool,
}

impl Live {
    /// Loads are like `plan` in everything but their pace. `observer` is told of
    /// each load and how it is getting on.
    pub fn new(
        plan: LoadPlan,
        stop: Stop,
        watcher: Option<Watcher>,
        observer: Box<dyn Observer>,
    ) -> Self {
        // Found out once, while nothing is asked of it: a server under overload may not say.
        let has_stages = stages::report(plan.address, &plan.url.authority()).is_some();
        Self { plan, stop, watcher, observer, has_stages }
    }
}

impl Rig for Live {
    type Error = LoadError;

    fn run(&mut self, words: &str, load: &Load) -> Result<Measured, LoadError> {
        self.observer.begins(words);
        let mut plan = self.plan.clone();
        plan.pace = load.pace.clone();
        (plan.warm_up, plan.cool_down) = (load.warm_up, load.cool_down);
        // Each round draws arrivals of its own, each time the same ones.
        plan.seed = plan.seed.wrapping_add(u64::from(load.round));
        let mut witness = Witness {
            observer: self.observer.as_mut(),
            watcher: self.watcher.as_mut(),
            address: plan.address,
            authority: self.has_stages.then(|| plan.url.authority()),
            clock: MonotonicClock::new(),
            began: None,
            ended: None,
            peaks: Peaks::default(),
            peaks_at: Time::ZERO,
            problem: None,
        };
        let loaded = generator::run(&plan, &self.stop, &mut witness);
        witness.observer.ends();
        let loaded = loaded?;
        // A server that has fallen over under the load is a finding, not a failure of ours.
        let unwatched = witness.problem.as_ref().map(ToString::to_string);
        let (server, stages) = witness.found();
        let elapsed = witness.clock.now().since(Time::ZERO);
        let mut load = loaded.report;
        load.server = server;
        Ok(Measured { load, stages, series: loaded.series, elapsed, unwatched })
    }

    fn rest(&mut self, time: Duration) {
        if !self.stop.is_wanted() {
            std::thread::park_timeout(time);
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Live").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// Looks at the server where the measured part of a load begins and where it ends.
struct Witness<'a> {
    observer: &'a mut dyn Observer,
    watcher: Option<&'a mut Watcher>,
    address: SocketAddr,
    /// Whom to ask for its stages.
    authority: Option<String>,
    clock: MonotonicClock,
    began: Option<Sight>,
    ended: Option<Sight>,
    /// The most threads and memory seen in between, and when it was last looked at.
    peaks: Peaks,
    peaks_at: Time,
    problem: Option<WatchError>,
}

/// What was seen at one moment.
struct Sight {
    at: Time,
    process: Option<Sample>,
    report: Option<Report>,
}

impl Witness<'_> {
    fn look(&mut self) -> Sight {
        let at = self.clock.now();
        let process = self.sample();
        let report = self.authority.as_ref();
        let report = report.and_then(|authority| stages::report(self.address, authority));
        Sight { at, process, report }
    }

    fn sample(&mut self) -> Option<Sample> {
        match self.watcher.as_mut()?.sample() {
            Ok(sample) => Some(sample),
            Err(error) => {
                self.problem.get_or_insert(error);
                None
            }
        }
    }

    /// The server's process over the measured part, and its stages.
    fn found(&self) -> (Option<ServerReport>, Vec<super::StagePoint>) {
        let (Some(began), Some(ended)) = (&self.began, &self.ended) else {
            return (None, Vec::new());
        };
        let seconds = ended.at.since(began.at).as_secs_f64();
        let server = began.process.as_ref().zip(ended.process.as_ref());
        let server =
            server.map(|(before, after)| ServerReport::between(before, after, seconds, self.peaks));
        let reports = began.report.as_ref().zip(ended.report.as_ref());
        let stages = reports.map(|(before, after)| stages::between(before, after));
        (server, stages.unwrap_or_default())
    }
}

impl Observer for Witness<'_> {
    fn progress(&mut self, progress: &Progress) {
        self.observer.progress(progress);
        let now = self.clock.now();
        let is_measuring = self.began.is_some() && self.ended.is_none();
        if is_measuring && now.since(self.peaks_at) >= PEAKS {
            self.peaks_at = now;
            if let Some(sample) = self.sample() {
                self.peaks.include(&sample);
            }
        }
    }

    fn measuring(&mut self) {
        self.began = Some(self.look());
    }

    fn measured(&mut self) {
        self.ended = Some(self.look());
    }
}
