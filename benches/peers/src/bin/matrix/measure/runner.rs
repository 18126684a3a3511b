//! Runs loads against servers just started, and keeps what came of each.

use crate::cases::cells::Settings;
use crate::judge::bound::Spent;
use crate::measure::meter::Meter;
use crate::measure::servers::{Running, ServerFlags, Subject};
use crate::settings::request_spec::Requests;
use seda_tools::Url;
use seda_tools::arrivals::{Process, Profile, ProfileError};
use seda_tools::generator::{self, Retry, Series, Stop};
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::report::LoadReport;
use serde::Serialize;
use std::error::Error;
use std::time::Duration;

/// Clients of the closed loop that finds the rates to offer: enough to keep a core busy whose
/// server hands work over, too few to overload it.
const PROBING_CLIENTS: u32 = 4;
/// Retries pause as `seda load` lets them by default.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The most connections of the generator: more than any row needs, within what a process may have.
const CONNECTIONS: usize = 10_000;

/// What all cells share.
pub(crate) struct Bench {
    pub(crate) settings: Settings,
    pub(crate) server: ServerFlags,
    /// Whether it is to be done in minutes.
    pub(crate) quick: bool,
    pub(crate) stop: Stop,
    /// Every run, in the order in which they were made.
    pub(crate) runs: Vec<Recorded>,
}

/// A load.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) cell: &'a str,
    /// Which of the cell's, in words.
    pub(crate) words: String,
    pub(crate) requests: &'a Requests,
    pub(crate) pace: Pace,
    pub(crate) warm_up: Duration,
    pub(crate) slo: Duration,
    pub(crate) retries: u32,
    pub(crate) bin: Option<Duration>,
    /// Loads of another round are drawn anew.
    pub(crate) round: u32,
}

/// What a load came to.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) load: LoadReport,
    /// Good answers per second.
    pub(crate) goodput: f64,
    pub(crate) spent: Spent,
    pub(crate) series: Option<Series>,
}

/// The same, as it is written down.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    cell: String,
    server: String,
    load: String,
    round: u32,
    server_cpu_seconds: f64,
    /// Of its threads that do no request's own work.
    front_cpu_seconds: Option<f64>,
    /// That its threads stood ready without a core, added up.
    ready_seconds: Option<f64>,
    report: LoadReport,
}

impl Bench {
    /// Runs a load on a server of its own.
    pub(crate) fn run(&mut self, subject: Subject, ask: &Ask<'_>) -> Result<Ran, Box<dyn Error>> {
        let running = self.server.start(subject, ask.slo)?;
        self.load(&running, subject, ask)
    }

    /// Runs a load on a server that runs already.
    pub(crate) fn load(
        &mut self,
        running: &Running,
        subject: Subject,
        ask: &Ask<'_>,
    ) -> Result<Ran, Box<dyn Error>> {
        let server = &running.server;
        let url: Url = format!("{}/", server.url()).parse()?;
        let mut meter = Meter::open(server.pid(), &self.server.burners)?;
        let plan = LoadPlan {
            workload: ask.requests.workload(&url.authority())?,
            pace: ask.pace.clone(),
            warm_up: ask.warm_up,
            cool_down: Duration::ZERO,
            slos: vec![ask.slo],
            // A late answer has to be seen as such, whatever the SLO is.
            deadline: self.settings.deadline.max(ask.slo * 2),
            retry: retry(ask.retries),
            expected: vec![200],
            connections: CONNECTIONS,
            threads: 1,
            // Each round draws arrivals of its own, each time the same ones.
            seed: seed(ask.round),
            bin: ask.bin,
            address: server.address(),
            url,
        };
        let loaded = generator::run(&plan, &self.stop, &mut meter)?;
        if loaded.report.interrupted {
            return Err("ended before its time".into());
        }
        let load = loaded.report;
        let spent = meter.spent(&load);
        eprintln!("{}: {subject}, {}: {}", ask.cell, ask.words, load.summary());
        self.runs.push(recorded(ask, subject, &load, &spent));
        Ok(Ran { goodput: load.goodput_per_second, load, spent, series: loaded.series })
    }

    /// About how many requests a second a core can serve: what rates are multiples of.
    pub(crate) fn probe(
        &mut self,
        cell: &str,
        requests: &Requests,
        slo: Duration,
        round: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let duration = self.settings.probe;
        let ask = Ask {
            cell,
            words: "probe".to_owned(),
            requests,
            pace: Pace::Closed { clients: PROBING_CLIENTS, think: Duration::ZERO, duration },
            warm_up: self.settings.warm_up,
            slo,
            retries: 0,
            bin: None,
            round,
        };
        let served = self.run(Subject::Rival(self.settings.probed.0), &ask)?;
        let found = served.load.throughput_per_second;
        if found > 0.0 { Ok(found) } else { Err(format!("{cell}: the probe got no answer").into()) }
    }
}

/// What the arrivals of a round are drawn with: the same for everybody.
pub(crate) fn seed(round: u32) -> u64 {
    1 + u64::from(round)
}

/// Poisson arrivals of one rate.
pub(crate) fn poisson(rate: f64, duration: Duration) -> Result<Pace, ProfileError> {
    let profile = Profile::constant(rate, duration)?;
    Ok(Pace::Open { process: Process::Poisson, profile })
}

fn retry(most: u32) -> Retry {
    let (least_backoff, most_backoff) = BACKOFF;
    Retry { most, least_backoff, most_backoff, honour_retry_after: false }
}

fn recorded(ask: &Ask<'_>, subject: Subject, load: &LoadReport, spent: &Spent) -> Recorded {
    let mut report = load.clone();
    // Nobody reads these of hundreds of runs.
    report.cdf.clear();
    report.series.clear();
    Recorded {
        cell: ask.cell.to_owned(),
        server: subject.to_string(),
        load: ask.words.clone(),
        round: ask.round,
        server_cpu_seconds: spent.cpu,
        front_cpu_seconds: spent.front,
        ready_seconds: spent.ready,
        report,
    }
}
