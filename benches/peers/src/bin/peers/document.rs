//! The comparison as Markdown, for docs/overload.md, and its plots.

use super::hello::Hello;
use super::overload::Overload;
use peers::Marks;
use seda_tools::page;
use seda_tools::step::StepReport;
use seda_tools::sweep::{Point, Spread, SweepReport};
use seda_tools::units::{rate, seconds};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Every run replaces the text between these lines of docs/overload.md.
const MARKS: Marks = Marks { begin: "<!-- peers: begin -->", end: "<!-- peers: end -->" };

/// Returns the tables.
pub(super) fn markdown(
    quick: bool,
    services: &[Overload],
    steps: &[StepReport],
    hello: &[Hello],
) -> String {
    let mut text = String::new();
    let flag = if quick { " --quick" } else { "" };
    let _ = writeln!(
        text,
        "`just peers{flag}`: server and generator on a core each, Poisson arrivals, SLO 200 ms, \
         clients give up after 1 s; a fresh server for every load.\n"
    );
    services.iter().for_each(|service| overload(&mut text, service));
    recoveries(&mut text, steps);
    costs(&mut text, hello);
    text
}

fn overload(text: &mut String, measured: &Overload) {
    let capacity = Spread::of(measured.capacities.iter().copied()).unwrap_or_default();
    let rounds = measured.service.rounds;
    let _ = writeln!(
        text,
        "### {} of CPU a request\n\n{rounds} round{}. Capacity C: {} ({} to {}), the best goodput \
         of any server at any load of the round. Goodput over C, median (range); p99 of the right \
         answers.\n",
        seconds(measured.service.micros as f64 / 1e6),
        if rounds == 1 { "" } else { "s" },
        rate(capacity.median),
        rate(capacity.low),
        rate(capacity.high)
    );
    let loads: Vec<String> = measured.service.loads.iter().map(|load| format!("{load}x")).collect();
    let _ = writeln!(text, "| server | {} | refusal p99 at 5x |", loads.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(loads.len() + 1));
    for sweep in &measured.sweeps {
        let cells: Vec<String> = sweep.points.iter().map(cell).collect();
        let refusal = sweep.points.last().and_then(|point| point.refusal_p99);
        let refusal = refusal.map_or("-".to_owned(), |p99| seconds(p99.median));
        let _ = writeln!(text, "| {} | {} | {refusal} |", sweep.name, cells.join(" | "));
    }
    by_slo(text, &measured.sweeps);
    if !measured.tuning.is_empty() {
        let _ = writeln!(text, "\nHand-tuned limits at 2x: goodput over C, p99.\n");
        let _ = writeln!(text, "| server and limit | goodput / C | p99 |\n| --- | --- | --- |");
        for tried in &measured.tuning {
            let p99 = tried.p99.map_or("-".to_owned(), seconds);
            let ratio = tried.good / capacity.median;
            let _ = writeln!(text, "| {} | {ratio:.2} | {p99} |", tried.contestant);
        }
    }
    text.push('\n');
}

fn cell(point: &Point) -> String {
    let ratio = point.goodput_ratio;
    let p99 = point.response.p99.map_or("-".to_owned(), |p99| seconds(p99.median));
    let kept = if point.kept_schedule { "" } else { " (schedule not kept)" };
    format!("{:.2} ({:.2}-{:.2}), {p99}{kept}", ratio.median, ratio.low, ratio.high)
}

/// Writes the goodput at the highest load under each SLO.
fn by_slo(text: &mut String, sweeps: &[SweepReport]) {
    let Some(first) = sweeps.first() else { return };
    let names: Vec<String> = first.slo_seconds.iter().map(|slo| seconds(*slo)).collect();
    let _ = writeln!(text, "\nGoodput at 5x under other SLOs:\n");
    let _ = writeln!(text, "| server | {} |", names.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(names.len()));
    for sweep in sweeps {
        let Some(point) = sweep.points.last() else { continue };
        let rates: Vec<String> =
            point.goodput_by_slo.iter().map(|good| rate(good.median)).collect();
        let _ = writeln!(text, "| {} | {} |", sweep.name, rates.join(" | "));
    }
}

fn recoveries(text: &mut String, steps: &[StepReport]) {
    let _ = writeln!(
        text,
        "### Recovery: 2 s at 0.5x, 5 s at 5x, then 0.5x, with 1 ms of CPU a request\n\nSeconds \
         after the end of the overload.\n\n| server | p99 within the SLO | goodput back at 97 % | \
         runs |\n| --- | --- | --- | --- |"
    );
    for step in steps {
        let last = step.recoveries.last();
        let p99 = after(last.and_then(|last| last.p99_within_slo_after));
        let goodput = after(last.and_then(|last| last.goodput_back_after));
        let _ = writeln!(text, "| {} | {p99} | {goodput} | {} |", step.name, step.repeats);
    }
    text.push('\n');
}

/// Shows the seconds until a recovery.
fn after(time: Option<f64>) -> String {
    match time {
        Some(0.0) => "at once".to_owned(),
        Some(time) => seconds(time),
        None => "not in 5 s".to_owned(),
    }
}

fn costs(text: &mut String, hello: &[Hello]) {
    let _ = writeln!(
        text,
        "### Hardly any work, 20,000 requests a second\n\nCPU of the server's process per \
         answer, median (range).\n\n| server | request | CPU | p99 |\n| --- | --- | --- | --- |"
    );
    for each in hello {
        let demand = each.demand;
        let p99 = each.p99.map_or("-".to_owned(), |p99| seconds(p99.median));
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} us ({:.1} to {:.1}) | {p99} |",
            each.contestant,
            if each.target == "/" { "hello" } else { "8 KiB file" },
            demand.median * 1e6,
            demand.low * 1e6,
            demand.high * 1e6
        );
    }
}

/// Writes the tables between the marks of docs/overload.md and the plots beside it.
pub(super) fn write(
    root: &Path,
    markdown: &str,
    first: &Overload,
    steps: &[StepReport],
) -> Result<(), Box<dyn Error>> {
    MARKS.write(&root.join("docs/overload.md"), markdown)?;
    let title = "Goodput under overload: 1 ms of CPU a request, SLO 200 ms";
    fs::write(root.join("docs/overload.svg"), page::svg::goodput_svg(&first.sweeps, title)?)?;
    let title = "5 s of overload at 5x capacity, and after";
    fs::write(root.join("docs/overload_step.svg"), page::svg::step_svg(steps, title)?)?;
    Ok(())
}
