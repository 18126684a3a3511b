//! The summary of a step.

use super::table::{Table, code, conditions, escaped, warning};
use crate::experiment::condition::AssertionResult;
use crate::experiment::step::StepReport;
use crate::experiment::sweep::Spread;
use crate::report::units::{counted, rate, seconds};

/// Returns the summary of a step as Markdown, with the results of its conditions.
pub fn step(report: &StepReport, results: &[AssertionResult]) -> String {
    let runs = counted(report.repeats, "run");
    let slo = seconds(report.slo_seconds);
    let mut text = format!("### seda step: {}\n\n", escaped(&report.name));
    text.push_str(&format!("{}, {runs} pooled, SLO {slo}.\n", code(&report.url)));
    if !report.kept_schedule {
        text.push_str(&warning("The schedule was not kept in some run."));
    }
    let mut parts = Table::new(&["part", "goodput", "p50", "p99"]);
    for part in &report.parts {
        let goodput = spread(&part.goodput_per_second, rate);
        parts.row(&[&escaped(&part.name), &goodput, &time(part.p50), &time(part.p99)]);
    }
    text.push_str(&parts.text());
    let mut recoveries =
        Table::new(&["change", "at", "p99 within the SLO", "goodput back at 97 %"]);
    for recovery in &report.recoveries {
        recoveries.row(&[
            &escaped(&recovery.change),
            &format!("{:.1} s", recovery.at_seconds),
            &delay(recovery.p99_within_slo_after),
            &delay(recovery.goodput_back_after),
        ]);
    }
    text.push_str(&recoveries.text());
    text.push_str(&conditions(results));
    text.push('\n');
    text
}

fn time(of_runs: Option<Spread>) -> String {
    of_runs.map_or("-".to_owned(), |of_runs| spread(&of_runs, seconds))
}

/// Describes the median over the runs, and the range if there is one.
fn spread(of_runs: &Spread, unit: fn(f64) -> String) -> String {
    if of_runs.low < of_runs.high { of_runs.describe(unit) } else { unit(of_runs.median) }
}

fn delay(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("after {seconds:.2} s"),
        None => "not before the part ended".to_owned(),
    }
}
