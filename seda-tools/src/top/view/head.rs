//! The top of a frame: the title, the figures of the whole graph, the bottleneck.

use super::bars;
use super::figures::{count, lasting, percent};
use super::look::Look;
use super::pen::{Pen, figures, wrapped};
use crate::top::model::{Link, Moment, State, Summary, Tape};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The cells of the bar of the load, of which the last is at a load of 1.
const LOAD: usize = 10;
/// From this load on bursts wait or are refused.
const HIGH_LOAD: f64 = 0.9;

/// Draws the title: the graph and its source at the left, the shown second at the right.
pub(super) fn draw_title(
    pen: &mut Pen<'_>,
    area: Rect,
    moment: &Moment<'_>,
    tape: &Tape,
    state: &State,
) {
    let look = pen.look;
    let graph = look.shown(&moment.names().graph);
    let shown = Line::styled(what_is_shown(moment, tape, state), look.strong());
    let title = Line::from(vec![
        Span::styled("seda top ", look.label()),
        Span::styled(graph, look.strong()),
        Span::styled(format!("  {}", look.shown(&state.source)), look.label()),
    ]);
    let of_shown = u16::try_from(shown.width() + 1).unwrap_or(area.width);
    pen.left(Rect { width: area.width.saturating_sub(of_shown), ..area }, &title);
    pen.right(area, &shown);
}

/// Returns which second is shown, of how many.
fn what_is_shown(moment: &Moment<'_>, tape: &Tape, state: &State) -> String {
    let up = lasting(moment.at());
    let playback = &state.playback;
    if !playback.is_live() {
        let end = lasting(tape.at(tape.last()));
        let speed = match playback.speed() {
            1 => String::new(),
            speed => format!(" {speed}x"),
        };
        return match (tape.last(), playback.is_playing()) {
            (0, _) => format!("saved at {up}"),
            (_, true) => format!("replay{speed} {up} of {end}"),
            (_, false) => format!("stopped{speed} {up} of {end}"),
        };
    }
    let restarted = match tape.restarts() {
        0 => String::new(),
        1 => "restarted, ".to_owned(),
        times => format!("restarted {times} times, "),
    };
    match playback.at() {
        Some(_) => format!("paused at {up}"),
        None => format!("{restarted}up {up}"),
    }
}

/// Returns the line that must be seen; `None` if all is as it should be.
pub(super) fn banner(state: &State) -> Option<String> {
    match &state.link {
        Link::Broken { seconds, reason } => {
            Some(format!("no answer for {}, trying each second: {reason}", lasting(*seconds)))
        }
        Link::File | Link::Up => None,
    }
}

/// Returns the two lines of the whole graph: its load, and its requests.
pub(super) fn summary(moment: &Moment<'_>, look: Look) -> [Line<'static>; 2] {
    let summary = moment.summary();
    let plain = Style::new();
    let load = summary.load;
    let style = match load.ratio {
        ratio if ratio >= 1.0 => look.alarm(),
        ratio if ratio >= HIGH_LOAD => look.warning(),
        _ => look.good(),
    };
    let mut first = vec![
        ("load", percent(load.ratio), style),
        ("offered/s", count(load.offered_per_second), plain),
    ];
    if let Some(capacity) = load.capacity_per_second {
        first.push(("full at", count(capacity), plain));
    }
    let budget = format!("{}/{}", summary.budget_used, count(f64::from(summary.budget_limit)));
    first.push(("budget", budget, plain));
    if let Some((busy, cores)) = summary.cores {
        first.push(("cores", format!("{busy:.1}/{cores}"), plain));
    }
    let mut line = figures(look, &first);
    let bar = format!(" {}", bars::bar(load.ratio, LOAD, look));
    line.spans.insert(2, Span::styled(bar, style));

    [line, figures(look, &requests(&summary, look))]
}

/// Returns the figures of the requests. Losses are shown if there are any.
fn requests(summary: &Summary, look: Look) -> Vec<(&'static str, String, Style)> {
    let plain = Style::new();
    let mut figures = Vec::new();
    if summary.admitted > 0.0 || summary.open > 0 || summary.answered > 0.0 {
        figures.push(("admitted/s", count(summary.admitted), plain));
        figures.push(("answered/s", count(summary.answered), plain));
        figures.push(("open", summary.open.to_string(), plain));
    }
    let style = if summary.refused > 0.0 { look.warning() } else { plain };
    figures.push(("refused/s", count(summary.refused), style));
    let lost = [("shed/s", summary.shed), ("lost/s", summary.lost), ("failed/s", summary.failed)];
    let lost = lost.into_iter().filter(|(_, rate)| *rate > 0.0);
    figures.extend(lost.map(|(label, rate)| (label, count(rate), look.warning())));
    figures
}

/// Returns the lines of the bottleneck, at most `most`: headline, action, evidence, the next one.
pub(super) fn bottleneck(
    moment: &Moment<'_>,
    width: u16,
    most: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let finding = moment.finding();
    let style = if finding.is_found { look.alarm() } else { look.strong() };
    let wrap = |text: &str| wrapped(&look.shown(text), usize::from(width));
    let mut lines: Vec<_> =
        wrap(&finding.headline).into_iter().map(|line| Line::styled(line, style)).collect();
    for text in &finding.rest {
        lines.extend(wrap(text).into_iter().map(Line::raw));
    }
    lines.truncate(most);
    lines
}
