//! The table of stages, and the line of the selected one.

use super::bars;
use super::figures::{count, time};
use super::look::Look;
use super::pen::figures;
use super::table::{Column, Row, Table, add_trend, bar_and_text};
use crate::top::model::{Moment, Sort, StageRow};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use seda_core::history::SecondRecord;
use std::collections::BTreeMap;

/// The width of the narrowest screen, on which all columns have room.
const NARROWEST: u16 = 80;
/// The widths of the columns that grow with the screen, at the narrowest screen.
const BAR: u16 = 3;
const NAME: u16 = 14;
const NAME_MOST: u16 = 40;
/// The most columns that a bar gains on a wide screen.
const BAR_MORE: u16 = 5;
/// The columns of the longest depth and of the longest percentage, with a space before them.
const DEPTH: usize = 5;
const PERCENT: usize = 4;
/// Above this share a pool or a queue is nearly full: the threshold of `control.hot`.
const NEARLY_FULL: f64 = 0.9;
/// The most levels by which a name is indented.
const LEVELS_MOST: usize = 4;

/// Returns the table of all stages in an order.
pub(super) fn table(moment: &Moment<'_>, sort: Sort, width: u16, look: Look) -> Table {
    let mut stages = moment.stages();
    sort.apply(&mut stages);
    let is_flow = sort == Sort::Flow;
    let names: Vec<_> = stages.iter().map(|stage| name(stage, is_flow, look)).collect();
    let mut columns = columns(width, names.iter().map(Line::width).max().unwrap_or(0));
    let trend = add_trend(&mut columns, width);
    let of = |title: &str| {
        let column = columns.iter().find(|column| column.title == title);
        column.map_or(0, |column| column.width)
    };
    let (queue, busy) = (of("queue"), of("busy %"));
    let rows = stages.iter().zip(names).map(|(stage, name)| {
        let mut cells = vec![name];
        cells.extend(figures_of(stage, queue, busy, look));
        let index = stage.index;
        let rate = |second: &SecondRecord| handled_per_second(second, index);
        let trend = bars::trend(&moment.trend(trend, rate), look);
        cells.push(Line::styled(trend, look.bar()));
        Row { key: stage.index, cells }
    });
    Table { rows: rows.collect(), columns, note: "the graph has no stages" }
}

fn handled_per_second(second: &SecondRecord, index: usize) -> Option<f64> {
    let handled = second.stages.get(index)?.events.handled;
    Some(f64::from(handled) / second.seconds.max(1e-3))
}

/// Returns the columns for a screen. What the narrowest screen does not need goes to names, bars
/// and trends.
fn columns(width: u16, longest_name: usize) -> Vec<Column> {
    let spare = width.saturating_sub(NARROWEST);
    let longest = u16::try_from(longest_name).unwrap_or(NAME_MOST).min(NAME_MOST);
    let name = longest.clamp(8, NAME + spare * 3 / 10);
    let bar = BAR + (spare / 8).min(BAR_MORE);
    vec![
        Column::left("stage", name).by(Sort::Flow),
        Column::right("rate/s", 6).by(Sort::Rate),
        Column::left("queue", bar + 5).by(Sort::Queue),
        Column::right("workers", 7).by(Sort::Workers),
        Column::left("busy %", bar + 4).by(Sort::Busy),
        Column::right("wait99", 6).by(Sort::Wait),
        Column::right("serv99", 6).by(Sort::Service),
        Column::right("ref/s", 5).by(Sort::Refused),
        Column::right("shed/s", 6).by(Sort::Shed),
    ]
}

/// Returns the mark and the name, which is indented by the place in the flow.
fn name(stage: &StageRow<'_>, is_flow: bool, look: Look) -> Line<'static> {
    let indent = if is_flow { stage.level.min(LEVELS_MOST) } else { 0 };
    let name = format!("{}{}", " ".repeat(indent), look.shown(stage.name));
    if stage.is_bottleneck {
        let marked = format!("{}{name}", look.mark());
        return Line::styled(marked, look.alarm());
    }
    Line::raw(format!(" {name}"))
}

fn figures_of(stage: &StageRow<'_>, queue: u16, busy: u16, look: Look) -> Vec<Line<'static>> {
    let StageRow { figures, .. } = stage;
    let fill = stage.fill();
    let utilization = f64::from(figures.workers.utilization);
    let known = |time: Option<f32>| time.map(f64::from);
    let text = |text: String| Line::raw(look.shown(&text));
    let lost = |events: u32| {
        let style = if events > 0 { look.warning() } else { look.label() };
        Line::styled(count(stage.per_second(events)), style)
    };
    let depth = count(f64::from(figures.depth));
    vec![
        text(count(stage.rate())),
        bar_and_text(fill, &depth, (queue, DEPTH), full(fill, look), look),
        workers(stage, look),
        bar_and_text(
            utilization,
            &format!("{:.0}", utilization * 100.0),
            (busy, PERCENT),
            full(utilization, look),
            look,
        ),
        text(time(known(figures.wait.p99))),
        text(time(known(figures.service.p99))),
        lost(figures.events.refused),
        lost(figures.events.shed),
    ]
}

/// Returns the style of a bar.
fn full(share: f64, look: Look) -> Style {
    if share >= NEARLY_FULL { look.warning() } else { look.bar() }
}

/// Returns the busy workers of all; stuck ones are counted apart.
fn workers(stage: &StageRow<'_>, look: Look) -> Line<'static> {
    let workers = &stage.figures.workers;
    let busy = Span::raw(format!("{:.0}/{}", workers.busy_workers, workers.workers));
    match workers.stuck {
        0 => Line::from(busy),
        stuck => Line::from(vec![busy, Span::styled(format!("!{stuck}"), look.alarm())]),
    }
}

/// Returns what the table has no room for about a stage; `None` without one.
pub(super) fn details(
    moment: &Moment<'_>,
    selected: Option<usize>,
    look: Look,
) -> Option<Line<'static>> {
    let index = selected?;
    let stage = moment.stages().into_iter().find(|stage| stage.index == index)?;
    let edges = moment.names().edges.iter();
    let next: Vec<&str> = edges
        .filter(|edge| edge.from.as_deref() == Some(stage.name))
        .map(|edge| &*edge.to)
        .collect();
    let plain = Style::new();
    let of_figures = &stage.figures;
    let depth = format!("{} of {}", of_figures.depth, of_figures.capacity);
    let to = if next.is_empty() { "outside".to_owned() } else { next.join(", ") };
    let mut parts = vec![(look.arrow(), to, plain), ("queue", depth, plain)];
    if of_figures.workers.workers_max != of_figures.workers.workers {
        parts.push(("workers at most", of_figures.workers.workers_max.to_string(), plain));
    }
    if of_figures.pending > 0 {
        parts.push(("outside", of_figures.pending.to_string(), plain));
    }
    if of_figures.events.turned_away > 0 {
        let away = count(stage.per_second(of_figures.events.turned_away));
        parts.push(("turned away for it/s", away, look.warning()));
    }
    if of_figures.events.failed > 0 {
        let failed = count(stage.per_second(of_figures.events.failed));
        parts.push(("failed/s", failed, look.alarm()));
    }
    let of_report = moment.report().and_then(|report| report.stages.get(stage.index));
    if let Some(report) = of_report {
        let (refused, shed) = (reasons(&report.refused), reasons(&report.shed));
        parts.extend((!refused.is_empty()).then_some(("refused in all", refused, plain)));
        parts.extend((!shed.is_empty()).then_some(("shed in all", shed, plain)));
    }
    let mut line = figures(look, &parts);
    let name = Span::styled(format!("{} ", look.shown(stage.name)), look.strong());
    line.spans.insert(0, name);
    Some(line)
}

fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let parts = counts.iter().map(|(reason, n)| format!("{} {reason}", count(*n as f64)));
    parts.collect::<Vec<_>>().join(", ")
}
