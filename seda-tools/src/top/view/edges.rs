//! The table of edges.

use super::bars;
use super::figures::{count_or_dash, percent};
use super::look::Look;
use super::table::{Column, Row, Table, add_trend};
use crate::top::model::{EdgeRow, Moment};
use ratatui::text::Line;
use seda_core::history::SecondRecord;

/// The columns of the ends of an edge.
const ENDS: u16 = 30;
const ENDS_MOST: u16 = 60;

/// Returns the table of the edges, in the order of declaration.
pub(super) fn table(moment: &Moment<'_>, width: u16, look: Look) -> Table {
    let edges = moment.edges();
    let ends: Vec<_> = edges.iter().map(|edge| ends(edge, look)).collect();
    let longest = ends.iter().map(Line::width).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(ENDS_MOST).min(ENDS_MOST);
    let mut columns = vec![
        Column::left("edge", longest.clamp(8, ENDS + width.saturating_sub(80) / 2)),
        Column::right("sent/s", 7),
        Column::right("refused/s", 9),
        Column::right("refused", 7),
    ];
    let trend = add_trend(&mut columns, width);
    let rows = edges.iter().zip(ends).map(|(edge, ends)| {
        let mut cells = vec![ends];
        cells.extend(figures(edge, look));
        let index = edge.index;
        let sent = move |second: &SecondRecord| sent_per_second(second, index);
        let values = moment.trend(trend, sent);
        cells.push(Line::styled(bars::trend(&values, look), look.bar()));
        Row { key: edge.index, cells }
    });
    Table { rows: rows.collect(), columns, note: "the graph has no edges" }
}

fn ends(edge: &EdgeRow<'_>, look: Look) -> Line<'static> {
    let from = look.shown(edge.from.unwrap_or("outside"));
    Line::raw(format!(" {from} {} {}", look.arrow(), look.shown(edge.to)))
}

fn figures(edge: &EdgeRow<'_>, look: Look) -> [Line<'static>; 3] {
    let seconds = edge.seconds.max(1e-3);
    let sent = edge.counts.map(|counts| f64::from(counts.sent) / seconds);
    let refused = edge.counts.map(|counts| f64::from(counts.refused) / seconds);
    let offered = sent.unwrap_or(0.0) + refused.unwrap_or(0.0);
    let share = refused.filter(|refused| *refused > 0.0).map(|refused| refused / offered);
    let style = if share.is_some() { look.warning() } else { look.label() };
    [
        Line::raw(count_or_dash(sent)),
        Line::styled(count_or_dash(refused), style),
        Line::styled(share.map_or_else(|| "-".to_owned(), percent), style),
    ]
}

fn sent_per_second(second: &SecondRecord, edge: usize) -> Option<f64> {
    let of_edge = second.detail.as_ref()?.edges.get(edge)?;
    Some(f64::from(of_edge.sent) / second.seconds.max(1e-3))
}
