//! A rig of sockets: the load goes to a real server, which may be watched at the same time.

use super::plan::{Load, Measured, Rig};
use super::report::StagePoint;
use super::stages;
use crate::generator::{self, LoadError, Observer, Progress, Stop};
use crate::load::address::ServerAddress;
use crate::load::plan::LoadPlan;
use crate::report::Until;
use crate::watch::{Peaks, Sample, ServerReport, WatchError, Watcher};
use seda_core::{Clock, MonotonicClock, Report, Time};
use std::fmt;
use std::time::Duration;

/// The interval at which threads and memory are sampled. A sample costs about 40 us for each
/// thread, which must seldom disturb the generator beside it.
const PEAKS: Duration = Duration::from_secs(1);

/// The time without any connection after which a run ends: a server that restarts takes less, and
/// one that is not there has refused hundreds of times.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs loads against a server over sockets.
pub struct Live {
    plan: LoadPlan,
    stop: Stop,
    watcher: Option<Watcher>,
    observer: Box<dyn Observer>,
    /// True for a seda server, which reports its stages.
    has_stages: bool,
    /// True if a run ends early against a server that accepts no connection.
    gives_up: bool,
    /// The precision at which a run ends.
    until: Option<Until>,
}

impl Live {
    /// Makes a rig with loads that equal `plan` except for their pace. `observer` receives the
    /// progress of each load.
    pub fn new(
        plan: LoadPlan,
        stop: Stop,
        watcher: Option<Watcher>,
        observer: Box<dyn Observer>,
    ) -> Self {
        // Asked once, before any load, because a server under overload may not answer.
        let has_stages = stages::report(&plan.address, &plan.url.authority()).is_some();
        Self { plan, stop, watcher, observer, has_stages, gives_up: false, until: None }
    }

    /// Ends a run after a second in which no connection could be made. Its report then names the
    /// reason in `generator.gave_up`.
    #[must_use]
    pub fn giving_up(self) -> Self {
        Self { gives_up: true, ..self }
    }

    /// Ends a run once a figure is known within a precision, at the end of its load at the latest.
    #[must_use]
    pub fn until(self, until: Until) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Lets another observer receive the progress of each load.
    #[must_use]
    pub fn observed_by(self, observer: Box<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Returns what ends the runs early.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    fn plan_of(&self, load: &Load) -> LoadPlan {
        let mut plan = self.plan.clone();
        plan.pace = load.pace.clone();
        plan.warm_up = load.warm_up;
        plan.cool_down = load.cool_down;
        // Each round draws its own arrivals, which are the same in every sweep.
        plan.seed = plan.seed.wrapping_add(u64::from(load.round));
        plan
    }
}

impl Rig for Live {
    type Error = LoadError;

    fn run(&mut self, label: &str, load: &Load) -> Result<Measured, LoadError> {
        self.observer.begins(label);
        let plan = self.plan_of(load);
        let mut observer = ServerObserver {
            progress: self.observer.as_mut(),
            watcher: self.watcher.as_mut(),
            address: plan.address.clone(),
            authority: if self.has_stages { Some(plan.url.authority()) } else { None },
            clock: MonotonicClock::new(),
            began: None,
            ended: None,
            peaks: Peaks::default(),
            peaks_at: Time::ZERO,
            problem: None,
            stop: self.gives_up.then(|| self.stop.clone()),
            gave_up: false,
        };
        let loaded = generator::run_until(&plan, self.until, &self.stop, &mut observer);
        observer.progress.ends();
        let loaded = loaded?;
        // A server that ends under the load is a result, not a failure of the run.
        let unwatched = observer.problem.as_ref().map(ToString::to_string);
        let (server, stages) = observer.measured_part();
        let gave_up = observer.gave_up;
        let elapsed = observer.clock.now().since(Time::ZERO);
        let mut load = loaded.report;
        load.server = server;
        load.generator.gave_up = gave_up.then(|| {
            "no connection could be made for a second (--keep-going waits for a server)".to_owned()
        });
        Ok(Measured { load, stages, series: loaded.series, elapsed, unwatched })
    }

    fn pause(&mut self, time: Duration) {
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

/// Takes a snapshot of the server where the measured part of a load begins and where it ends.
struct ServerObserver<'a> {
    progress: &'a mut dyn Observer,
    watcher: Option<&'a mut Watcher>,
    address: ServerAddress,
    /// The `Host` of a seda server; `None` for another server, which reports no stages.
    authority: Option<String>,
    clock: MonotonicClock,
    began: Option<Snapshot>,
    ended: Option<Snapshot>,
    /// The most threads and memory in between.
    peaks: Peaks,
    /// When the peaks were last sampled.
    peaks_at: Time,
    /// The first failure of the watcher.
    problem: Option<WatchError>,
    /// Ends the run early; `None` if it goes on without a connection.
    stop: Option<Stop>,
    gave_up: bool,
}

/// The state of the server at one moment.
struct Snapshot {
    at: Time,
    process: Option<Sample>,
    report: Option<Report>,
}

impl ServerObserver<'_> {
    fn snapshot(&mut self) -> Snapshot {
        let at = self.clock.now();
        let process = self.sample();
        let authority = self.authority.as_ref();
        let report = authority.and_then(|authority| stages::report(&self.address, authority));
        Snapshot { at, process, report }
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

    /// Ends the run if no connection could be made since it began.
    fn stop_without_connections(&mut self, progress: &Progress) {
        let outcomes = &progress.outcomes;
        let is_refused = outcomes.connect_error > 0 && outcomes.connect_error == outcomes.ended();
        if let Some(stop) = &self.stop
            && is_refused
            && !self.gave_up
            && progress.elapsed >= PATIENCE
        {
            self.gave_up = true;
            stop.ask();
        }
    }

    /// Returns the server's process over the measured part, and its stages.
    fn measured_part(&self) -> (Option<ServerReport>, Vec<StagePoint>) {
        let (Some(began), Some(ended)) = (&self.began, &self.ended) else {
            return (None, Vec::new());
        };
        let seconds = ended.at.since(began.at).as_secs_f64();
        let samples = began.process.as_ref().zip(ended.process.as_ref());
        let server = samples
            .map(|(before, after)| ServerReport::between(before, after, seconds, self.peaks));
        let reports = began.report.as_ref().zip(ended.report.as_ref());
        let stages = reports.map(|(before, after)| stages::between(before, after));
        (server, stages.unwrap_or_default())
    }
}

impl Observer for ServerObserver<'_> {
    fn progress(&mut self, progress: &Progress) {
        self.progress.progress(progress);
        self.stop_without_connections(progress);
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
        self.progress.measuring();
        self.began = Some(self.snapshot());
    }

    fn measured(&mut self) {
        self.progress.measured();
        self.ended = Some(self.snapshot());
    }
}
