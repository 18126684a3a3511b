//! What-if: a measured graph, simulated as it is and as it would be.

mod display;
mod figures;
mod report;

pub use report::{Comparison, Measured, MeasuredStage, ModelError, PlanReport, SearchReport, Side};

use crate::experiment::sweep::fetch_report;
use crate::h1::Url;
use crate::load::address::ServerAddress;
use seda_core::Report;
use seda_sim::plan::{
    Analysis, Change, ChangeError, Forecast, NoChange, Prices, Remedy, SearchError, Target,
    blind_spots, with_window,
};
use seda_sim::{SimError, Spec, SpecError};
use std::time::Duration;
use thiserror::Error;

/// Beyond this share the model is off from what was measured.
const OFF: f64 = 0.1;
/// The share of the requests that has to be answered.
const ANSWERED: f64 = 0.99;

/// The questions of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The SLO: the response time that 99 % of the answers have to keep.
    pub slo: Option<Duration>,
    /// The prices of a search for the cheapest further change that meets the SLO; `None`: no
    /// search.
    pub prices: Option<Prices>,
    /// The first seed.
    pub seed: u64,
    /// The number of runs, each with another seed.
    pub runs: u32,
    /// The command line, for the report.
    pub command: String,
}

/// The reason why there is no plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The report is no model of a graph.
    #[error("--report: {0}")]
    Report(#[from] SpecError),
    /// A change cannot be made.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A graph cannot be simulated.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The search has no end.
    #[error("--search: {0}")]
    Search(#[from] SearchError<NoChange>),
    /// A search without an SLO.
    #[error("--search: no class of the report has an SLO; allowed: with --slo, like --slo 200ms")]
    NoSlo,
    /// A search in a closed loop, which has no rate.
    #[error("--search: the load is --clients; allowed: with --rate, or that of the report")]
    NoRate,
}

/// The reason why a server's report cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host has no address.
    #[error("--report {0}: the host has no address; allowed: that of a running seda server")]
    NoAddress(Url),
    /// The server does not answer with a report.
    #[error("--report {url}: {error}; allowed: a running seda server, which has /_seda/report")]
    NoAnswer {
        /// The server.
        url: Url,
        /// The error of the socket, or what the answer is.
        error: std::io::Error,
    },
}

/// Returns the text of the report of a running server.
///
/// # Errors
/// The server cannot be reached, or its answer is none.
pub fn fetch(url: &Url) -> Result<Vec<u8>, FetchError> {
    let addresses = url.resolve().unwrap_or_default();
    let address = addresses.first().ok_or_else(|| FetchError::NoAddress(url.clone()))?;
    ServerAddress::of(url, *address)
        .and_then(|address| fetch_report(&address, &url.authority()))
        .map_err(|error| FetchError::NoAnswer { url: url.clone(), error })
}

impl WhatIf {
    /// Answers for a measured report.
    ///
    /// # Errors
    /// The report is no model of a graph, a change cannot be made, or a search has no end.
    pub fn answer(&self, report: &Report) -> Result<PlanReport, PlanError> {
        let measured = Measured::of(report);
        let mut spec = Spec::from_report(report, cores(report))?;
        spec.slo = self.slo.or(spec.slo);
        let before_spec = with_window(&spec);
        let mut changed = spec.clone();
        self.changes.iter().try_for_each(|change| change.apply(&mut changed))?;
        let before = self.side(&before_spec)?;
        let errors = measured.errors(&before.forecast, OFF);
        let factor = measured.p99_factor(&before.forecast);
        let mut changes = self.changes.clone();
        let search = match &self.prices {
            None => None,
            Some(prices) => {
                let found = self.search(&changed, prices, factor)?;
                for change in &found.changes {
                    change.apply(&mut changed)?;
                }
                changes.extend(found.changes.iter().cloned());
                Some(found.report)
            }
        };
        let after = (!changes.is_empty()).then(|| self.side(&with_window(&changed)));
        let after = after.transpose()?.map(|side| side.stretched(factor));
        let meets = self.slo.map(|slo| {
            let side = after.as_ref().unwrap_or(&before);
            let p99 = side.forecast.p99.map_or(f64::INFINITY, |p99| p99.high);
            p99 <= slo.as_secs_f64() && side.forecast.answered.low >= ANSWERED
        });
        Ok(PlanReport {
            graph: report.graph.clone(),
            command: self.command.clone(),
            changes: changes.iter().map(ToString::to_string).collect(),
            runs: self.runs,
            comparison: Comparison { measured, before, after },
            errors,
            blind_spots: blind_spots(report, &spec),
            slo_seconds: self.slo.map(|slo| slo.as_secs_f64()),
            meets_slo: meets,
            search,
        })
    }

    /// Simulates and analyses one graph.
    fn side(&self, spec: &Spec) -> Result<Side, PlanError> {
        let forecast = Forecast::of(spec, self.seed, self.runs)?;
        let cores = spec.cores;
        Ok(Side {
            cores,
            seconds: spec.window.as_secs_f64(),
            forecast,
            analysis: Analysis::of(spec),
        })
    }

    fn search(&self, spec: &Spec, prices: &Prices, factor: f64) -> Result<Found, PlanError> {
        let slo = spec.slo.ok_or(PlanError::NoSlo)?;
        if spec.client.clients > 0 {
            return Err(PlanError::NoRate);
        }
        let mut target = Target::new(slo, self.seed, self.runs);
        target.error = factor.max(1.0);
        let spec = with_window(spec);
        let remedy = Remedy::search(&spec, &target, prices)?;
        let (changes, price, reason) = match remedy {
            Remedy::Found { changes, price } => (changes, Some(price), None),
            Remedy::None(reason) => (Vec::new(), None, Some(reason)),
            // A later version of the simulator may have other answers.
            _ => (Vec::new(), None, None),
        };
        let report = SearchReport {
            slo_seconds: slo.as_secs_f64(),
            rate: spec.mean_rate(),
            changes: changes.iter().map(ToString::to_string).collect(),
            price,
            reason,
        };
        Ok(Found { changes, report })
    }
}

/// The result of a search.
struct Found {
    changes: Vec<Change>,
    report: SearchReport,
}

/// Returns the cores that the graph may use; a part of one by a quota counts as one.
pub fn cores(report: &Report) -> usize {
    let quota = report.machine.quota.map_or(usize::MAX, |quota| quota.ceil().max(1.0) as usize);
    report.machine.cores.max(1).min(quota)
}
