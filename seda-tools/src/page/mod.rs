//! Reports as documents: HTML pages, SVG drawings for a README, and summaries as Markdown.
//!
//! A page contains its report, its style and its script. It fetches nothing, and its security
//! policy forbids it to, so it can be opened from a disk, mailed, or kept beside a release. Its
//! look is that of a server's live page: both have the style and the elements of
//! [`seda_admin::web`].
//!
//! This room may import `experiment` and lower ones. Measurements and text output do not belong
//! here.

mod document;
mod error;
pub mod markdown;
#[cfg(test)]
mod samples;
pub mod svg;
#[cfg(test)]
mod tests;

pub use error::PageError;

use crate::experiment::step::StepReport;
use crate::experiment::sweep::SweepReport;
use document::{Document, Kind};

/// Returns a page of one server under rising load, as HTML.
///
/// The element with the id `report` has the whole report as JSON, rounds included.
///
/// # Errors
///
/// Fails if the report cannot be written as JSON.
pub fn sweep(report: &SweepReport) -> Result<String, PageError> {
    Document { kind: Kind::Sweep, name: &report.name, report }.html()
}

/// Returns a page that compares several sweeps, as HTML: each has a line in every chart.
///
/// The page has the points without distributions, and no rounds: with those of twenty reports it
/// would be too large for a telephone.
///
/// # Errors
///
/// Fails if the reports cannot be written as JSON.
pub fn compare(reports: &[SweepReport]) -> Result<String, PageError> {
    let slim: Vec<SweepReport> = reports.iter().map(without_details).collect();
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    Document { kind: Kind::Compare, name: &names.join(", "), report: &slim }.html()
}

/// Returns a page of one server while the load changes, as HTML.
///
/// # Errors
///
/// Fails if the report cannot be written as JSON.
pub fn step(report: &StepReport) -> Result<String, PageError> {
    Document { kind: Kind::Step, name: &report.name, report }.html()
}

fn without_details(report: &SweepReport) -> SweepReport {
    // The fields are copied one by one, so that the rounds are not copied.
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
        interrupted: report.interrupted,
    }
}
