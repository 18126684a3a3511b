//! The report of a plan as text of 80 columns.

use super::report::{Measured, PlanReport, SearchReport, Side};
use crate::report::units;
use seda_sim::plan::{Limit, Range};
use std::fmt;

/// The widths of the columns: figure, measured, before, after.
const LABEL: usize = 13;
const MEASURED: usize = 13;
const SIDE: usize = 26;
/// The width of a line of prose.
const WIDTH: usize = 79;

impl fmt::Display for PlanReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = &self.comparison;
        let what = match self.changes.as_slice() {
            [] => "as it is".to_owned(),
            changes => format!("what if {}", changes.join(" ")),
        };
        prose(out, "", &format!("{}: {what}", self.graph))?;
        let seconds = compared.before.seconds;
        writeln!(
            out,
            "{:<LABEL$}{:<MEASURED$}{:<SIDE$}{}",
            format!("{} runs", self.runs),
            format!("measured {:.0}s", compared.measured.seconds),
            format!("before, {seconds:.0} s simulated"),
            match &compared.after {
                Some(after) => format!("after, {:.0} s simulated", after.seconds),
                None => String::new(),
            }
        )?;
        self.figures(out)?;
        self.utilizations(out)?;
        self.limits(out)?;
        self.closed_forms(out)?;
        self.verdict(out)
    }
}

impl PlanReport {
    fn figures(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured = &self.comparison.measured;
        let count = |value: f64| units::rate(value).replace("/s", "");
        let time = |value: Option<f64>| units::seconds_or_dash(value);
        self.row(out, "offered/s", &count(measured.offered), &|side| rates(side.forecast.offered))?;
        self.row(out, "answered/s", &count(measured.throughput), &|side| {
            rates(side.forecast.throughput)
        })?;
        self.row(out, "p50", &time(measured.p50), &|side| times(side.forecast.p50))?;
        self.row(out, "p99", &time(measured.p99), &|side| times(side.forecast.p99))
    }

    fn utilizations(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "utilization")?;
        let compared = &self.comparison;
        for stage in &compared.before.forecast.stages {
            let found = compared.measured.stages.iter().find(|found| found.name == stage.name);
            let measured = found
                .map_or_else(|| "-".to_owned(), |found| units::whole_percent(found.utilization));
            let label = format!("  {}", stage.name);
            self.row(out, &label, &measured, &|side| utilization(side, &stage.name))?;
        }
        Ok(())
    }

    fn limits(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { bottleneck, load, full_at, .. } = &self.comparison.measured;
        writeln!(out, "full first")?;
        let full =
            full_at.map_or_else(String::new, |rate| format!(", full at {}", units::rate(rate)));
        prose(
            out,
            "  measured   ",
            &format!("{bottleneck} at {}{full}", units::whole_percent(*load)),
        )?;
        prose(out, "  before     ", &limit(&self.comparison.before.forecast.limit))?;
        match &self.comparison.after {
            Some(after) => prose(out, "  after      ", &limit(&after.forecast.limit)),
            None => Ok(()),
        }
    }

    fn closed_forms(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "by closed forms")?;
        self.row(out, "  served/s", "", &|side| {
            units::rate(side.analysis.throughput).replace("/s", "")
        })?;
        self.row(out, "  mean", "", &|side| match side.analysis.response {
            Some(mean) => units::seconds(mean),
            None => "unknown, or grows".to_owned(),
        })
    }

    fn verdict(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            let side = if error.above > 0.0 { "above" } else { "below" };
            let off = units::whole_percent(error.above.abs());
            let text = format!(
                "the simulated {} is {off} {side} the measured one: take its change, not its value",
                error.figure
            );
            prose(out, "warning: ", &text)?;
        }
        self.blind_spots.iter().try_for_each(|spot| prose(out, "unknown: ", spot))?;
        if let Some(search) = &self.search {
            prose(out, "search: ", &search_line(search))?;
        }
        if let (Some(slo), Some(meets)) = (self.slo_seconds, self.meets_slo) {
            let meets = if meets { "met" } else { "not met" };
            let text = format!("p99 within {} is {meets} in all runs", units::seconds(slo));
            prose(out, "slo: ", &text)?;
        }
        Ok(())
    }

    fn row(
        &self,
        out: &mut fmt::Formatter<'_>,
        label: &str,
        measured: &str,
        figure: &dyn Fn(&Side) -> String,
    ) -> fmt::Result {
        let after = self.comparison.after.as_ref().map_or_else(String::new, figure);
        let before = figure(&self.comparison.before);
        // A longer name keeps its end out of the next column.
        let label: String = label.chars().take(LABEL - 1).collect();
        let line = format!("{label:<LABEL$}{measured:<MEASURED$}{before:<SIDE$}{after}");
        writeln!(out, "{}", line.trim_end())
    }
}

fn utilization(side: &Side, name: &str) -> String {
    let stages = &side.forecast.stages;
    stages.iter().find(|stage| stage.name == name).map_or_else(
        || "-".to_owned(),
        |stage| {
            let Range { low, median, high, .. } = stage.utilization;
            let [low, median, high] = [low, median, high].map(units::whole_percent);
            format!("{median} ({low} .. {high})")
        },
    )
}

fn rates(range: Range) -> String {
    let Range { low, median, high, .. } = range;
    let [low, median, high] = [low, median, high].map(|r| units::rate(r).replace("/s", ""));
    format!("{median} ({low} .. {high})")
}

fn times(range: Option<Range>) -> String {
    range.map_or_else(
        || "-".to_owned(),
        |Range { low, median, high, .. }| {
            let [low, median, high] = [low, median, high].map(units::seconds);
            // One unit is enough for both ends.
            let unit = high.find(' ').and_then(|space| high.get(space..)).unwrap_or_default();
            let low = low.strip_suffix(unit).unwrap_or(&low);
            format!("{median} ({low} .. {high})")
        },
    )
}

fn limit(limit: &Limit) -> String {
    let Limit { resource, kind, load, full_at, .. } = limit;
    let full = full_at.map_or_else(String::new, |rate| format!(", full at {}", units::rate(rate)));
    format!("{resource} ({kind}) at {}{full}", units::whole_percent(*load))
}

fn search_line(search: &SearchReport) -> String {
    let SearchReport { slo_seconds, rate, changes, price, reason, .. } = search;
    let aim = format!("p99 within {} at {}", units::seconds(*slo_seconds), units::rate(*rate));
    match (price, changes.as_slice()) {
        (Some(_), []) => format!("{aim} is met without a change"),
        (Some(price), changes) => {
            format!("the cheapest change for {aim} costs {price:.1}: {}", changes.join(" "))
        }
        (None, _) => format!(
            "no change gives {aim}: {}",
            reason.as_deref().unwrap_or("the reason is unknown")
        ),
    }
}

/// Writes a sentence in lines that fit, with `label` before the first.
fn prose(out: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let mut line = label.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            (line, is_empty) = ("    ".to_owned(), true);
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    writeln!(out, "{line}")
}
