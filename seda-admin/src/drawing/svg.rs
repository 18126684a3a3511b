//! A report as SVG.

use super::figures::{count, percent, rate};
use super::layout::{Edge, HEIGHT, LEFT, Layout, Point, WIDTH};
use super::network::Network;
use crate::web;
use seda_core::Report;
use seda_core::report::StageReport;
use std::fmt::{self, Write};

/// The letters of a name that fit in a stage.
const NAME_LETTERS: usize = 18;
/// The space beside the text in a stage.
const INSET: f64 = 12.0;
/// The width of a bar in a stage.
const BAR: f64 = WIDTH - 2.0 * INSET;

/// Returns the graph of a report as SVG, with `columns` stages beside each other at most. Its
/// figures are those of the last ten seconds; `data-stage`, `data-from` and `data-to` have the
/// indices of stages, by which the live page updates the figures.
pub(crate) fn svg(report: &Report, columns: u8) -> String {
    let mut svg = String::new();
    let drawn = match Layout::of(&Network::of(report), columns) {
        Some(layout) => write_graph(&mut svg, report, &layout),
        None => write_refusal(&mut svg, report),
    };
    // Writing to a string cannot fail.
    debug_assert!(drawn.is_ok(), "a string takes everything");
    svg
}

fn write_refusal(svg: &mut String, report: &Report) -> fmt::Result {
    open(svg, report, 420.0, 60.0)?;
    writeln!(
        svg,
        r#"<text class="name" x="16" y="36">The graph is too large to be drawn: {} stages.</text>"#,
        report.stages.len()
    )?;
    svg.write_str("</svg>\n")
}

fn write_graph(svg: &mut String, report: &Report, layout: &Layout) -> fmt::Result {
    open(svg, report, layout.width, layout.height)?;
    let most = layout.edges.iter().map(|edge| edge.rates.sent).fold(0.0, f64::max);
    for edge in &layout.edges {
        write_edge(svg, report, edge, most)?;
    }
    for (n, (stage, corner)) in report.stages.iter().zip(&layout.stages).enumerate() {
        write_stage(svg, n, stage, *corner, report.bottleneck.names(&stage.name))?;
    }
    svg.write_str("</svg>\n")
}

/// Begins the drawing. Its colours are in it, so it can stand alone.
fn open(svg: &mut String, report: &Report, width: f64, height: f64) -> fmt::Result {
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" viewBox=\"0 0 {width:.0} \
         {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">"
    )?;
    writeln!(svg, "<title>{}</title>", escaped(&report.graph))?;
    writeln!(svg, "<style>\n{}{}</style>", web::PALETTE, web::FLOW_STYLE)?;
    writeln!(
        svg,
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" \
         d=\"M0 0L8 4L0 8Z\"/></marker></defs>"
    )
}

fn write_edge(svg: &mut String, report: &Report, edge: &Edge, most: f64) -> fmt::Result {
    let name = |stage: usize| report.stages.get(stage).map_or("", |stage| stage.name.as_str());
    let from = edge.ends.from.map_or("outside", name);
    let to = name(edge.ends.to);
    let back = if edge.is_back { " back" } else { "" };
    let source = edge.ends.from.map(|from| from.to_string()).unwrap_or_default();
    writeln!(svg, "<g class=\"edge{back}\" data-from=\"{source}\" data-to=\"{}\">", edge.ends.to)?;
    writeln!(svg, "<title>{} to {}</title>", escaped(from), escaped(to))?;
    write!(svg, "<path class=\"way\" marker-end=\"url(#arrow)\" stroke-width=\"")?;
    write!(svg, "{:.1}\" d=\"", thickness(edge.rates.sent, most))?;
    write_curve(svg, &edge.curve)?;
    writeln!(svg, "\"/>")?;
    let Point { x, y } = edge.label;
    let anchor = if edge.label_ends { "end" } else { "start" };
    write!(svg, "<text class=\"label\" x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">")?;
    write!(svg, "<tspan class=\"rate\">{}</tspan>", rate(edge.rates.sent))?;
    let refused =
        if edge.rates.refused > 0.0 { refusals(edge.rates.refused) } else { String::new() };
    // To the left of all stages there is room for one rate: that of refusals is below the arrow.
    let is_narrow = edge.label_ends && x < LEFT;
    let place = if is_narrow { format!(" x=\"{x:.0}\" dy=\"18\"") } else { String::new() };
    writeln!(svg, "<tspan class=\"refused\"{place}>{refused}</tspan></text></g>")
}

/// Returns the refused events of an edge as it shows them.
fn refusals(per_second: f64) -> String {
    format!(" −{}", rate(per_second))
}

/// Returns the width of an edge: its area grows with the rate.
fn thickness(per_second: f64, most: f64) -> f64 {
    if most > 0.0 { 1.25 + 2.75 * (per_second / most).sqrt() } else { 1.25 }
}

fn write_curve(svg: &mut String, curve: &[Point]) -> fmt::Result {
    let Some((start, rest)) = curve.split_first() else { return Ok(()) };
    write!(svg, "M{:.1} {:.1}", start.x, start.y)?;
    for cubic in rest.chunks(3) {
        svg.push('C');
        for (n, Point { x, y }) in cubic.iter().enumerate() {
            let space = if n > 0 { " " } else { "" };
            write!(svg, "{space}{x:.1} {y:.1}")?;
        }
    }
    Ok(())
}

fn write_stage(
    svg: &mut String,
    n: usize,
    stage: &StageReport,
    Point { x, y }: Point,
    is_bottleneck: bool,
) -> fmt::Result {
    let class = if is_bottleneck { "stage bottleneck" } else { "stage" };
    let (left, right) = (x + INSET, x + WIDTH - INSET);
    writeln!(svg, "<g class=\"{class}\" data-stage=\"{n}\">")?;
    writeln!(svg, "<title>{}</title>", escaped(&stage.name))?;
    writeln!(
        svg,
        "<rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>"
    )?;
    let name = escaped(&shortened(&stage.name));
    writeln!(svg, "<text class=\"name\" x=\"{left:.1}\" y=\"{:.1}\">{name}</text>", y + 20.0)?;
    let queue =
        format!("{}/{}", count(stage.queue.depth as f64), count(stage.queue.capacity as f64));
    writeln!(svg, "<text class=\"term\" x=\"{left:.1}\" y=\"{:.1}\">queue</text>", y + 37.0)?;
    write_value(svg, "queue", right, y + 37.0, &queue)?;
    write_bar(svg, "fill", left, y + 41.0, filled(stage))?;
    let workers =
        format!("{} × {}", stage.workers.now, percent(stage.last_ten_seconds.utilization));
    writeln!(svg, "<text class=\"term\" x=\"{left:.1}\" y=\"{:.1}\">workers</text>", y + 61.0)?;
    write_value(svg, "workers", right, y + 61.0, &workers)?;
    write_bar(svg, "busy", left, y + 65.0, stage.last_ten_seconds.utilization)?;
    writeln!(svg, "</g>")
}

fn write_value(svg: &mut String, class: &str, x: f64, y: f64, text: &str) -> fmt::Result {
    writeln!(
        svg,
        "<text class=\"value {class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{text}</text>"
    )
}

/// Draws a bar that is filled to a share of 1.
fn write_bar(svg: &mut String, class: &str, x: f64, y: f64, share: f64) -> fmt::Result {
    let width = BAR * if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    writeln!(
        svg,
        "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{BAR}\" height=\"4\" rx=\"2\"/>"
    )?;
    writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"4\" rx=\"2\"/>"
    )
}

/// Returns the share of a stage's queue that is in use.
fn filled(stage: &StageReport) -> f64 {
    stage.queue.depth as f64 / stage.queue.capacity.max(1) as f64
}

fn shortened(name: &str) -> String {
    let mut letters = name.chars();
    let mut short: String = letters.by_ref().take(NAME_LETTERS).collect();
    if letters.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// Escapes text for XML, without the control characters that XML cannot represent.
fn escaped(text: &str) -> String {
    let printable: String = text.chars().filter(|letter| !letter.is_control()).collect();
    printable.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda_core::{Graph, ManualClock};
    use std::sync::Arc;

    /// Returns the report of a chain with these names.
    fn report(names: &[&str]) -> Report {
        let mut graph = Graph::new("pages");
        let stages: Vec<_> = names.iter().map(|name| graph.stage::<u32>(name, 64)).collect();
        for (n, stage) in stages.iter().enumerate() {
            let next = stages.get(n + 1).copied();
            graph
                .attach_each(*stage, |wire| {
                    let next = next.map(|next| wire.sink(next));
                    move |event, cx| {
                        if let Some(next) = &next {
                            let _ = cx.send(next, event);
                        }
                    }
                })
                .unwrap();
        }
        let _entry = graph.source(stages[0]).unwrap();
        graph.start_manual(Arc::new(ManualClock::new())).unwrap().report()
    }

    /// Returns true if every element is closed in order and every attribute is quoted.
    fn is_well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        let mut rest = svg.trim();
        while let Some((text, after)) = rest.split_once('<') {
            let Some((tag, next)) = after.split_once('>') else { return false };
            if text.contains('>') || tag.contains('<') || tag.matches('"').count() % 2 != 0 {
                return false;
            }
            match (tag.strip_prefix('/'), tag.ends_with('/')) {
                (Some(name), _) if open.pop() != Some(name) => return false,
                (None, false) => open.push(tag.split_whitespace().next().unwrap_or_default()),
                _ => {}
            }
            rest = next;
        }
        open.is_empty() && rest.is_empty()
    }

    #[test]
    fn a_drawing_is_well_formed_whatever_its_names_are() {
        let mut report = report(&["parse", "quoted", "a-name-that-is-longer-than-its-stage"]);
        // A report from elsewhere may have names that no graph starts with.
        let name = "a <b> & \"c\"\u{1}";
        report.graph = "a <graph> & \"more\"".to_owned();
        report.stages[1].name = name.to_owned();
        for edge in &mut report.edges {
            let ends = edge.from.iter_mut().chain([&mut edge.to]);
            ends.filter(|end| *end == "quoted").for_each(|end| *end = name.to_owned());
        }
        let svg = svg(&report, 5);
        assert!(is_well_formed(&svg), "{svg}");
        for text in ["<title>a &lt;graph&gt; &amp; &quot;more&quot;</title>", ">parse</text>"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        assert!(svg.contains(">a-name-that-is-lo…</text>") && !svg.contains("NaN"));
        assert_eq!(svg.matches("class=\"edge").count(), 3);
        assert_eq!(svg.matches("data-stage=").count(), 3);
    }

    #[test]
    fn the_figures_are_those_of_the_report() {
        let mut report = report(&["parse", "render"]);
        report.stages[1].queue.depth = 16;
        report.stages[1].last_ten_seconds.utilization = 0.87;
        report.stages[1].last_ten_seconds.seconds = 10.0;
        let edge = report.edges.iter_mut().find(|edge| edge.to == "render").unwrap();
        edge.last_ten_seconds.sent = 123_456;
        edge.last_ten_seconds.refused = 500;
        let svg = svg(&report, 5);
        for text in [">16/64<", "1 × 87\u{a0}%<", ">12.3k/s<", "> −50/s<", "width=\"32.0\""] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
    }

    #[test]
    fn a_graph_that_is_too_large_says_so() {
        let mut report = report(&["one"]);
        let stage = report.stages[0].clone();
        report.stages = vec![stage; 200];
        for (n, stage) in report.stages.iter_mut().enumerate() {
            stage.name = n.to_string();
        }
        let edge = report.edges[0].clone();
        report.edges.clear();
        for (from, to) in (0..200).flat_map(|from| (0..200).map(move |to| (from, to))) {
            let mut edge = edge.clone();
            (edge.from, edge.to) = (Some(format!("{from}")), format!("{to}"));
            report.edges.push(edge);
        }
        assert!(svg(&report, 5).contains("too large to be drawn: 200 stages"));
    }
}
