//! `seda plan`.

use super::error::CliError;
use super::exit::Exit;
use super::input::{self, NamedCount, NamedDemand};
use super::output::{self, Text};
use crate::experiment::plan::{self, PlanReport, WhatIf};
use crate::h1::Url;
use clap::Args;
use seda_core::Report;
use seda_sim::plan::{Change, Prices};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PlanFlags {
    /// The report of the measured graph: the address of its server, or a file with the JSON of its
    /// /_seda/report. Take it under load: a model is made of the last ten seconds
    #[arg(long, value_name = "URL|FILE")]
    report: String,
    #[command(flatten)]
    changes: ChangeFlags,
    /// The response time that 99 % of the answers have to keep; exit code 1 if they do not, or if
    /// more than 1 % of the requests is not answered
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    slo: Option<Duration>,
    #[command(flatten)]
    search: SearchFlags,
    /// Runs with different seeds; every figure is their median, with the range
    #[arg(long, value_name = "N", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The changes of the graph and of its load.
#[derive(Debug, Args)]
struct ChangeFlags {
    /// Requests per second, such as 2000 or 80k [default: as measured]
    #[arg(long, value_name = "N", value_parser = input::rate)]
    rate: Option<f64>,
    /// Clients of a closed loop without thinking, instead of a rate
    #[arg(long, value_name = "N", conflicts_with = "rate",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    clients: Option<u32>,
    /// The number of workers of a stage, of each of its replicas, or of a shared pool
    #[arg(long, value_name = "STAGE=N", value_parser = input::named_count)]
    workers: Vec<NamedCount>,
    /// The service time of a stage, as a multiple of the measured one or as its new mean
    #[arg(long, value_name = "STAGE=0.5x|TIME", value_parser = input::named_demand)]
    demand: Vec<NamedDemand>,
    /// The most workers of a shared pool that run a stage at once
    #[arg(long, value_name = "STAGE=N", value_parser = input::named_count)]
    cap: Vec<NamedCount>,
    /// The most events of a deferring stage that are outside at once
    #[arg(long, value_name = "STAGE=N", value_parser = input::named_count)]
    places: Vec<NamedCount>,
    /// The number of cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_024))]
    cores: Option<u64>,
}

/// The search for the cheapest change.
#[derive(Debug, Args)]
struct SearchFlags {
    /// Search the cheapest further change with which the SLO is met at the rate: workers, cores,
    /// less demand. Exit code 1 if no change meets it
    #[arg(long)]
    search: bool,
    /// The price of one worker more, in any unit
    #[arg(long, value_name = "PRICE", value_parser = input::price, requires = "search",
        default_value_t = Prices::default().worker)]
    price_worker: f64,
    /// The price of one core more
    #[arg(long, value_name = "PRICE", value_parser = input::price, requires = "search",
        default_value_t = Prices::default().core)]
    price_core: f64,
    /// The price of one per cent less demand at one stage
    #[arg(long, value_name = "PRICE", value_parser = input::price, requires = "search",
        default_value_t = Prices::default().percent)]
    price_percent: f64,
}

const EXAMPLES: &str = "The graph is rebuilt in the simulator from the report and run as it is \
    (before) and changed (after), beside what was measured and what closed forms say. What the \
    report cannot tell about locks, neighbours and remote sides is printed as unknown.

Examples:
  seda plan --report http://127.0.0.1:8080 --rate 2000 --workers work=4
  curl http://127.0.0.1:8080/_seda/report > report.json
  seda plan --report report.json --demand parse=0.5x --cores 8 --slo 200ms
  seda plan --report report.json --rate 2000 --slo 200ms --search --price-core 50";

/// Runs the command.
pub(super) fn plan(flags: &PlanFlags) -> Result<Exit, CliError> {
    output::check_writable([("--json", &flags.json)])?;
    let measured = read(&flags.report)?;
    let what_if = WhatIf {
        changes: flags.changes.changes(),
        slo: flags.slo,
        prices: flags.search.prices(),
        seed: flags.seed,
        runs: flags.runs,
        command: input::command_line(),
    };
    let report = what_if.answer(&measured)?;
    Text::beside(flags.json.as_ref()).print(&report)?;
    output::write_json(flags.json.as_ref(), &report)?;
    Ok(if is_as_wanted(&report) { Exit::Success } else { Exit::NotAsWanted })
}

/// Returns whether the SLO is met, and the search has found a change, where either is asked for.
fn is_as_wanted(report: &PlanReport) -> bool {
    let found = report.search.as_ref().is_none_or(|search| search.price.is_some());
    found && report.meets_slo.unwrap_or(true)
}

/// Reads the report of a server or of a file.
fn read(source: &str) -> Result<Report, CliError> {
    let json = if source.starts_with("http:") || source.starts_with("https:") {
        plan::fetch(&source.parse::<Url>()?)?
    } else {
        output::read("--report", Path::new(source))?
    };
    serde_json::from_slice(&json)
        .map_err(|error| CliError::NotAPlan { report: source.to_owned(), source: error })
}

impl ChangeFlags {
    /// Returns the changes, the load last: it is of the whole graph.
    fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for NamedCount { name, count } in &self.workers {
            changes.push(Change::Workers { of: name.clone(), count: *count });
        }
        for NamedDemand { name, demand } in &self.demand {
            changes.push(Change::Demand { of: name.clone(), demand: *demand });
        }
        for NamedCount { name, count } in &self.cap {
            changes.push(Change::Cap { of: name.clone(), count: *count });
        }
        for NamedCount { name, count } in &self.places {
            changes.push(Change::Places { of: name.clone(), count: *count });
        }
        changes.extend(self.cores.map(|cores| Change::Cores(cores as usize)));
        changes.extend(self.rate.map(Change::Rate));
        changes.extend(self.clients.map(Change::Clients));
        changes
    }
}

impl SearchFlags {
    /// Returns the prices of a search; `None` without one.
    fn prices(&self) -> Option<Prices> {
        let Self { search, price_worker, price_core, price_percent } = *self;
        search.then(|| Prices::new(price_worker, price_core, price_percent))
    }
}
