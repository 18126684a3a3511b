//! The summary of a sweep.

use super::table::{Table, code, conditions, escaped, warning};
use crate::experiment::condition::AssertionResult;
use crate::experiment::sweep::{Point, Spread, SweepReport};
use crate::report::Interval;
use crate::report::outcome::Outcome;
use crate::report::units::{counted, multiple, rate, seconds, seconds_or_dash, share};

/// Returns the summary of a sweep as Markdown, with the results of its conditions.
pub fn sweep(report: &SweepReport, results: &[AssertionResult]) -> String {
    let rounds = counted(report.rounds.len() as u64, "round");
    let mut text = format!("### seda sweep: {}\n\n", escaped(&report.name));
    text.push_str(&format!("{}, {rounds}.\n", code(&report.url)));
    if report.interrupted {
        text.push_str(&warning("Ended before its time: only these loads were run to their end."));
    }
    let late: Vec<String> = report
        .points
        .iter()
        .filter(|point| !point.kept_schedule)
        .map(|point| multiple(point.multiple))
        .collect();
    if !late.is_empty() {
        text.push_str(&warning(&format!("The schedule was not kept at {}.", late.join(", "))));
    }
    let capacity = report.capacity_per_second.describe(rate);
    text.push_str(&format!("\nCapacity C {capacity}: the best goodput at any load"));
    if let Some(slo) = report.slo_seconds.first() {
        text.push_str(&format!(", within {}", seconds(*slo)));
    }
    text.push_str(".\n");
    text.push_str(&points(report).text());
    text.push_str(&conditions(results));
    text.push('\n');
    text
}

fn points(report: &SweepReport) -> Table {
    let mut table = Table::new(&[
        "load",
        "offered",
        "goodput",
        "95 % interval",
        "goodput/C",
        "p50",
        "p99",
        "95 % interval",
        "refused",
        "late",
        "timed out",
    ]);
    for point in &report.points {
        let intervals = report.intervals_at(point.multiple);
        table.row(&[
            &multiple(point.multiple),
            &rate(point.offered_per_second.median),
            &rate(point.goodput_per_second.median),
            &Interval::describe(intervals.goodput, rate),
            &format!("{:.2}", point.goodput_ratio.median),
            &time(point.response.p50),
            &time(point.response.p99),
            &Interval::describe(intervals.p99, seconds),
            &share_of(point, Outcome::Refused),
            &share_of(point, Outcome::Late),
            &share_of(point, Outcome::TimedOut),
        ]);
    }
    table
}

fn time(spread: Option<Spread>) -> String {
    seconds_or_dash(spread.map(|spread| spread.median))
}

fn share_of(point: &Point, outcome: Outcome) -> String {
    let of_outcome = Outcome::ALL.iter().zip(point.shares).find(|(each, _)| **each == outcome);
    of_outcome.map_or("-".to_owned(), |(_, of_scheduled)| share(of_scheduled))
}
