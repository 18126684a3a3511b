//! Classes: the lines at the top, and the table by class and stage.

use super::bars;
use super::figures::{count, count_or_dash, time};
use super::look::Look;
use super::table::{Column, Row, Table, add_trend};
use crate::top::model::{ClassRow, Moment, answered_per_second};
use ratatui::text::{Line, Span};
use seda_core::history::SecondRecord;

/// The columns of a class's name.
const NAME: u16 = 14;
const NAME_MOST: u16 = 32;
/// More than any graph has stages: the key of a stage's row under its class.
const CLASS: usize = 1 << 20;

/// Returns the table of the classes alone, for the top.
pub(super) fn summary(moment: &Moment<'_>, width: u16, look: Look) -> Table {
    let classes = moment.classes();
    let longest = classes.iter().map(|class| class.name.len()).max().unwrap_or(0);
    let (columns, trend) = columns("class", width, longest);
    let rows = classes
        .iter()
        .map(|class| Row { key: class.index, cells: class_cells(moment, class, trend, look) });
    Table { rows: rows.collect(), columns, note: "" }
}

/// Returns true if something is known of a class in this second.
pub(super) fn are_known(moment: &Moment<'_>) -> bool {
    let classes = moment.classes();
    classes.iter().any(|class| class.p99.or(class.answered).or(class.slo).is_some())
}

/// Returns the table of the classes, each with the stages at which it had events.
pub(super) fn table(moment: &Moment<'_>, width: u16, look: Look) -> Table {
    let classes = moment.classes();
    let stages = moment.names().stages.iter().map(|stage| stage.len() + 2);
    let longest = classes.iter().map(|class| class.name.len()).chain(stages).max().unwrap_or(0);
    let (columns, trend) = columns("class, stage", width, longest);
    let mut rows = Vec::new();
    for class in &classes {
        let key = CLASS * (class.index + 1);
        rows.push(Row { key, cells: class_cells(moment, class, trend, look) });
        rows.extend(moment.class_stages(class.index).into_iter().map(|stage| {
            let rate = |events: u32| f64::from(events) / stage.seconds.max(1e-3);
            let events = stage.events;
            let mut cells = vec![Line::raw(format!("   {}", look.shown(stage.name)))];
            // A stage has no response times.
            cells.extend([""; 3].map(Line::raw));
            cells.push(Line::raw(count(rate(events.offered))));
            cells.push(Line::raw(count(rate(events.handled))));
            let lost = [events.refused, events.shed, events.failed];
            cells.extend(lost.map(|events| lost_cell(Some(rate(events)), look)));
            Row { key: key + stage.stage + 1, cells }
        }));
    }
    Table { rows, columns, note: "the graph has no classes" }
}

/// Returns the columns, and the width of the trends.
fn columns(title: &'static str, width: u16, longest: usize) -> (Vec<Column>, usize) {
    let longest = u16::try_from(longest + 1).unwrap_or(NAME_MOST);
    let mut columns = vec![
        Column::left(title, longest.clamp(NAME, NAME_MOST)),
        Column::right("SLO p99", 7),
        Column::right("p99", 8),
        Column::right("p50", 6),
        Column::right("offer/s", 7),
        Column::right("done/s", 6),
        Column::right("ref/s", 5),
        Column::right("shed/s", 6),
        Column::right("fail/s", 6),
    ];
    let trend = add_trend(&mut columns, width);
    (columns, trend)
}

fn class_cells(
    moment: &Moment<'_>,
    class: &ClassRow<'_>,
    trend: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let index = class.index;
    let answers = move |second: &SecondRecord| answered_per_second(second, index);
    let lost = |figure: Option<f64>| lost_cell(figure, look);
    let rates = class.rates;
    let shown = |figure: String| Line::raw(look.shown(&figure));
    vec![
        Line::styled(format!(" {}", look.shown(class.name)), look.strong()),
        shown(time(class.slo)),
        p99(class, look),
        shown(time(class.p50)),
        shown(count_or_dash(rates.map(|rates| rates.offered))),
        shown(count_or_dash(class.answered)),
        lost(rates.map(|rates| rates.refused)),
        lost(rates.map(|rates| rates.shed)),
        lost(rates.map(|rates| rates.failed)),
        Line::styled(bars::trend(&moment.trend(trend, answers), look), look.bar()),
    ]
}

/// Returns the p99 and a mark if it is beyond the SLO.
fn p99(class: &ClassRow<'_>, look: Look) -> Line<'static> {
    let p99 = look.shown(&time(class.p99));
    match class.keeps_slo() {
        None => Line::raw(p99),
        Some(true) => Line::styled(p99, look.good()),
        Some(false) => Line::from(vec![Span::styled(format!("!{p99}"), look.alarm())]),
    }
}

fn lost_cell(figure: Option<f64>, look: Look) -> Line<'static> {
    let is_some = figure.is_some_and(|figure| figure > 0.0);
    let style = if is_some { look.warning() } else { look.label() };
    Line::styled(count_or_dash(figure), style)
}
