//! The summary of a load.

use super::table::{Table, code, conditions, escaped, warning};
use crate::experiment::condition::AssertionResult;
use crate::report::outcome::Outcome;
use crate::report::units::{percent, rate, seconds};
use crate::report::{Interval, LoadReport, known_quantile};

/// Returns the summary of a load as Markdown, with the results of its conditions.
pub fn load(report: &LoadReport, results: &[AssertionResult]) -> String {
    let mut text = format!("### seda load\n\n{}: ", code(&report.url));
    text.push_str(&format!("{}, seed {}\n", escaped(&report.arrivals), report.seed));
    if let Some(why_not) = &report.generator.why_not {
        text.push_str(&warning(&format!("The schedule was not kept: {why_not}")));
    }
    if report.interrupted {
        text.push_str(&warning("The run ended before its time."));
    }
    text.push_str(&figures(report).text());
    if let Some(precision) = report.precision() {
        text.push_str(&format!("\n{}.\n", escaped(&precision)));
    }
    text.push_str(&outcomes(report).text());
    text.push_str(&conditions(results));
    if let Some(server) = &report.server {
        let verdict = escaped(&report.limit(server).message);
        text.push_str(&format!("\n{}: {verdict}\n", code(&server.name)));
    }
    text.push('\n');
    text
}

fn figures(report: &LoadReport) -> Table {
    let mut table = Table::new(&["figure", "value", "95 % interval"]);
    let intervals = &report.intervals;
    table.row(&["offered", &rate(report.offered_per_second), ""]);
    let throughput = Interval::describe(intervals.throughput_per_second, rate);
    table.row(&["throughput", &rate(report.throughput_per_second), &throughput]);
    for (nth, slo) in report.goodput_by_slo.iter().enumerate() {
        // The interval is that of the first SLO.
        let interval = match nth {
            0 => Interval::describe(intervals.goodput_per_second, rate),
            _ => String::new(),
        };
        let name = format!("goodput within {}", seconds(slo.slo_seconds));
        table.row(&[&name, &rate(slo.goodput_per_second), &interval]);
    }
    let times = &report.response_seconds;
    let quantiles = times.quantiles().into_iter().zip(intervals.response_seconds.quantiles());
    for ((name, q, value), interval) in quantiles {
        let interval = Interval::describe(interval, seconds);
        table.row(&[name, &known_quantile(times, q, value), &interval]);
    }
    table
}

/// Returns the outcomes that occurred, and those that are good.
fn outcomes(report: &LoadReport) -> Table {
    let mut table = Table::new(&["outcome", "requests", "share"]);
    let scheduled = report.outcomes.scheduled;
    for outcome in Outcome::ALL {
        let count = report.outcomes.of(outcome);
        if count > 0 || outcome == Outcome::Good {
            table.row(&[outcome.name(), &count.to_string(), &percent(count, scheduled)]);
        }
    }
    table
}
