//! Reports as documents: pages that need nothing but a browser, and drawings for a README.
//!
//! A page carries its report, its style and its script in itself. It fetches nothing, and its
//! security policy forbids it to; so it can be opened from a disk, mailed, or kept beside a release.

mod document;
mod error;
#[cfg(test)]
mod samples;
pub mod svg;
#[cfg(test)]
mod tests;

pub use error::PageError;

use crate::experiment::step::StepReport;
use crate::experiment::sweep::SweepReport;
use document::{Document, Kind};

/// A page of one server under rising load, as HTML.
///
/// The whole report is in it, rounds included, as JSON in the element with the id `report`.
///
/// # Errors
///
/// If the report cannot be written as JSON.
pub fn sweep(report: &SweepReport) -> Result<String, PageError> {
    Document { kind: Kind::Sweep, name: &report.name, report }.html()
}

/// A page that lays several sweeps side by side, as HTML: a line for each.
///
/// It holds their points without distributions, and not their rounds: those stay in the reports,
/// and twenty of them would make a page that no telephone opens.
///
/// # Errors
///
/// If the reports cannot be written as JSON.
pub fn compare(reports: &[SweepReport]) -> Result<String, PageError> {
    let slim: Vec<SweepReport> = reports.iter().map(without_details).collect();
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    Document { kind: Kind::Compare, name: &names.join(", "), report: &slim }.html()
}

/// A page of one server while the load changes, as HTML.
///
/// # Errors
///
/// If the report cannot be written as JSON.
pub fn step(report: &StepReport) -> Result<String, PageError> {
    Document { kind: Kind::Step, name: &report.name, report }.html()
}

fn without_details(report: &SweepReport) -> SweepReport {
    // Named one by one, so that the rounds are never copied only to be dropped.
    let mut points = report.points.clone();
    for point in &mut points {
        point.cdf.clear();
    }
    SweepReport {
        name: report.name.clone(),
        url: report.url.clone(),
        command: report.command.clone(),
        slo_seconds: report.slo_seconds.clone(),
        deadline_seconds: report.deadline_seconds,
        cores: report.cores,
        capacity_per_second: report.capacity_per_second,
        lambda_max: report.lambda_max.clone(),
        points,
        rounds: Vec::new(),
    }
}
