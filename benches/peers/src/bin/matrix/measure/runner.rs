//! Runs loads, each against a server just started, and keeps a record of every run.

use crate::judge::bound::{CpuUsage, refused_cost};
use crate::measure::ledger::LedgerReader;
use crate::measure::meter::Meter;
use crate::measure::servers::{RunningServer, ServerFlags, Subject};
use crate::settings::Settings;
use crate::settings::request_spec::Requests;
use peers::Contestant;
use seda_tools::Url;
use seda_tools::arrivals::{Process, Profile, ProfileError};
use seda_tools::generator::{self, Retry, Series, Stop};
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::report::LoadReport;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

/// Clients of the closed loop that estimates the capacity: enough to keep one core busy behind a
/// hand-over between threads, too few to overload it.
const PROBING_CLIENTS: u32 = 4;
/// Shortest and longest pause before a retry: the defaults of `seda load`.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Connection limit of the generator: above the need of any row, below the limit of a process.
const CONNECTIONS: usize = 10_000;

/// The state that all cells share.
pub(crate) struct Runner {
    pub(crate) settings: Settings,
    pub(crate) server: ServerFlags,
    pub(crate) stop: Stop,
    /// Directory for the results.
    pub(crate) results: PathBuf,
    /// Every run, in the order of execution.
    pub(crate) records: Vec<RunRecord>,
}

/// One load to run.
#[derive(Clone, Debug)]
pub(crate) struct RunSpec<'a> {
    pub(crate) cell: &'a str,
    /// Tells the load from the cell's others, for people.
    pub(crate) label: String,
    pub(crate) requests: &'a Requests,
    pub(crate) pace: Pace,
    pub(crate) warm_up: Duration,
    pub(crate) slo: Duration,
    pub(crate) retries: u32,
    /// Width of the bins of the time series; `None` for no series.
    pub(crate) bin: Option<Duration>,
    /// Seeds the arrivals: other rounds draw others.
    pub(crate) round: u32,
}

impl<'a> RunSpec<'a> {
    /// Returns a load of round 0 with the warm-up and the SLO of `settings`, no retries, no series.
    pub(crate) fn new(
        settings: &Settings,
        cell: &'a str,
        label: String,
        requests: &'a Requests,
        pace: Pace,
    ) -> Self {
        let (warm_up, slo) = (settings.warm_up, settings.slo);
        Self { cell, label, requests, pace, warm_up, slo, retries: 0, bin: None, round: 0 }
    }
}

/// The result of a load.
#[derive(Clone, Debug)]
pub(crate) struct RunOutcome {
    pub(crate) load: LoadReport,
    /// Good answers per second.
    pub(crate) goodput: f64,
    /// Right answers per second, late ones too.
    pub(crate) throughput: f64,
    /// Share of the admitted requests that the server gave up; `None` if it does not tell.
    pub(crate) given_up: Option<f64>,
    pub(crate) usage: CpuUsage,
    pub(crate) series: Option<Series>,
}

/// The result of a load as it stands in the JSON file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunRecord {
    cell: String,
    server: String,
    load: String,
    round: u32,
    server_cpu_seconds: f64,
    /// CPU time of the threads that do no request's own work.
    front_cpu_seconds: Option<f64>,
    /// Time that threads were ready and had no core, summed over all threads.
    ready_seconds: Option<f64>,
    /// Share of the admitted requests that the server gave up.
    given_up: Option<f64>,
    report: LoadReport,
}

impl Runner {
    /// Runs a load on a server of its own.
    pub(crate) fn run(
        &mut self,
        subject: Subject,
        spec: &RunSpec<'_>,
    ) -> Result<RunOutcome, Box<dyn Error>> {
        let running = self.server.start(subject, spec.slo)?;
        self.load(&running, subject, spec)
    }

    /// Runs a load on a server that is running already.
    pub(crate) fn load(
        &mut self,
        running: &RunningServer,
        subject: Subject,
        spec: &RunSpec<'_>,
    ) -> Result<RunOutcome, Box<dyn Error>> {
        let server = &running.server;
        let url: Url = format!("{}/", server.url()).parse()?;
        let ledger = subject.reports().then(|| LedgerReader::new(server.address()));
        let mut meter = Meter::open(server.pid(), &self.server.burners, ledger)?;
        let plan = LoadPlan {
            workload: spec.requests.workload(&url.authority())?,
            pace: spec.pace.clone(),
            warm_up: spec.warm_up,
            cool_down: Duration::ZERO,
            slos: vec![spec.slo],
            // An answer after the SLO must still arrive, to be counted as late.
            deadline: self.settings.deadline.max(spec.slo * 2),
            retry: retry(spec.retries),
            expected: vec![200],
            connections: CONNECTIONS,
            threads: 1,
            seed: seed(spec.round),
            bin: spec.bin,
            address: server.address().into(),
            url,
        };
        let loaded = generator::run(&plan, &self.stop, &mut meter)?;
        if loaded.report.interrupted {
            return Err("the load was interrupted before its end".into());
        }
        let load = loaded.report;
        let usage = meter.usage(&load);
        eprintln!("{}: {subject}, {}: {}", spec.cell, spec.label, load.summary());
        let (goodput, throughput) = (load.goodput_per_second, load.throughput_per_second);
        let (given_up, series) = (meter.given_up(), loaded.series);
        let outcome = RunOutcome { load, goodput, throughput, given_up, usage, series };
        self.records.push(record(spec, subject, &outcome));
        Ok(outcome)
    }

    /// Measures c, the CPU seconds of a refusal in a loop that does nothing else, at this rate per
    /// second.
    pub(crate) fn least_refusal(
        &mut self,
        cell: &str,
        requests: &Requests,
        per_second: f64,
        round: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let pace = poisson(per_second, self.settings.measured)?;
        let label = "refusals".to_owned();
        let spec = RunSpec { round, ..RunSpec::new(&self.settings, cell, label, requests, pace) };
        let usage = self.run(Subject::Rival(Contestant::RefusingLoop), &spec)?.usage;
        let nothing_served = CpuUsage { served: 1.0, front: Some(0.0), ..CpuUsage::default() };
        let cost = refused_cost(&usage, &nothing_served);
        cost.ok_or_else(|| format!("{cell}: the loop that only refuses got no request").into())
    }

    /// Estimates the capacity of one core in requests per second. Rates are multiples of it.
    pub(crate) fn probe(
        &mut self,
        cell: &str,
        requests: &Requests,
        slo: Duration,
        round: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let duration = self.settings.probe;
        let pace = Pace::Closed { clients: PROBING_CLIENTS, think: Duration::ZERO, duration };
        let spec = RunSpec {
            slo,
            round,
            ..RunSpec::new(&self.settings, cell, "probe".to_owned(), requests, pace)
        };
        let outcome = self.run(Subject::Rival(self.settings.probed.0), &spec)?;
        let found = outcome.load.throughput_per_second;
        if found > 0.0 { Ok(found) } else { Err(format!("{cell}: the probe got no answer").into()) }
    }
}

/// Returns the seed of a round's arrivals: the same for every server.
pub(crate) fn seed(round: u32) -> u64 {
    1 + u64::from(round)
}

/// Returns Poisson arrivals at `rate` per second.
pub(crate) fn poisson(rate: f64, duration: Duration) -> Result<Pace, ProfileError> {
    let profile = Profile::constant(rate, duration)?;
    Ok(Pace::Open { process: Process::Poisson, profile })
}

fn retry(most: u32) -> Retry {
    let (least_backoff, most_backoff) = BACKOFF;
    Retry { most, least_backoff, most_backoff, honour_retry_after: false }
}

fn record(spec: &RunSpec<'_>, subject: Subject, outcome: &RunOutcome) -> RunRecord {
    let RunOutcome { load, usage, given_up, .. } = outcome;
    let mut report = load.clone();
    // Distributions of hundreds of runs would only bloat the file.
    report.cdf.clear();
    report.series.clear();
    RunRecord {
        cell: spec.cell.to_owned(),
        server: subject.to_string(),
        load: spec.label.clone(),
        round: spec.round,
        server_cpu_seconds: usage.cpu,
        front_cpu_seconds: usage.front,
        ready_seconds: usage.ready,
        given_up: *given_up,
        report,
    }
}
