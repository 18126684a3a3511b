//! The frame of a run of load.

use super::figures::{count_or_dash, percent, time};
use super::look::Look;
use super::pen::{Pen, figures};
use super::{bars, heat};
use crate::top::model::{Phase, RunName, RunSecond, RunTape, lost};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The columns of a name and a figure before the seconds.
const NAME: usize = 12;
const FIGURE: usize = 8;
/// The first column of the seconds, which are below each other in all parts.
const LEFT: u16 = (NAME + FIGURE + 1) as u16;
/// The seconds between two labels of the time.
const LABEL_SECONDS: u64 = 10;
/// A generator that is later than this does not keep its schedule, whatever the SLO.
const LAG_MOST: f64 = 0.010;

/// A figure of each second.
struct Trend {
    name: &'static str,
    figure: Figure,
    style: Style,
}

#[derive(Clone, Copy)]
enum Figure {
    /// Requests per second, with the scale of the offered load.
    Load(fn(&RunSecond) -> u64),
    Number(fn(&RunSecond) -> f64),
    Time(fn(&RunSecond) -> Option<f64>),
}

impl Figure {
    fn of(self, second: &RunSecond) -> Option<f64> {
        match self {
            Figure::Load(count) => Some(second.per_second(count(second))),
            Figure::Number(number) => Some(number(second)),
            Figure::Time(time) => time(second),
        }
    }

    fn shown(self, value: Option<f64>) -> String {
        if matches!(self, Figure::Time(_)) { time(value) } else { count_or_dash(value) }
    }
}

/// Draws a frame.
pub(crate) fn draw_run(
    buffer: &mut Buffer,
    area: Rect,
    tape: &RunTape,
    name: &RunName,
    look: Look,
) {
    let mut pen = Pen { buffer, look };
    let mut rows = area.rows();
    let mut next = || rows.next().unwrap_or_default();
    // 1. What runs, and what came of it so far.
    draw_title(&mut pen, next(), tape, name);
    pen.left(next(), &so_far(tape, look));
    next();
    // 2. The trends of the seconds.
    let columns = usize::from(area.width.saturating_sub(LEFT));
    let seconds: Vec<&RunSecond> = tape.last(columns).collect();
    for line in trends(&seconds, look) {
        pen.left(next(), &line);
    }
    next();
    // 3. The response times, and the time below them.
    pen.left(next(), &heat_title(look));
    let body = next();
    let height = area.bottom().saturating_sub(body.y).saturating_sub(3);
    let label_width = usize::from(LEFT - 1);
    let lines = heat::lines(&seconds, usize::from(height), name.slo, label_width, look);
    let body = Rect { height, ..body };
    pen.lines(body, &lines);
    let below = Rect { y: body.y.saturating_add(length(lines.len())), height: 1, ..body };
    draw_time(&mut pen, below, &seconds);
    let last = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
    pen.left(last, &footer(look));
}

fn draw_title(pen: &mut Pen<'_>, area: Rect, tape: &RunTape, name: &RunName) {
    let look = pen.look;
    let (elapsed, planned) = (tape.now().elapsed.as_secs_f64(), tape.now().planned.as_secs_f64());
    let phase = match tape.phase {
        Phase::WarmUp => "warm-up ",
        Phase::Measured => "",
        Phase::CoolDown if elapsed < planned => "cool-down ",
        Phase::CoolDown => "the last answers, ",
        Phase::Stopping => "ending ",
    };
    let right = format!("{phase}{elapsed:.1} of {planned:.0} s");
    let right = Line::styled(right, look.strong());
    let title = Line::from(vec![
        Span::styled("seda load ", look.label()),
        Span::styled(look.shown(&name.url), look.strong()),
        Span::styled(format!("  {}", look.shown(&name.arrivals)), look.label()),
    ]);
    let of_right = length(right.width() + 1);
    pen.left(Rect { width: area.width.saturating_sub(of_right), ..area }, &title);
    pen.right(area, &right);
}

/// Returns the shares since the run began.
fn so_far(tape: &RunTape, look: Look) -> Line<'static> {
    let outcomes = &tape.now().outcomes;
    let ended = outcomes.ended().max(1) as f64;
    let share = |count: u64| percent(count as f64 / ended);
    let bad = |count: u64| if count > 0 { look.warning() } else { Style::new() };
    let lost = lost(outcomes);
    figures(
        look,
        &[
            ("so far: started", outcomes.scheduled.to_string(), Style::new()),
            ("good", share(outcomes.good), look.good()),
            ("late", share(outcomes.late), bad(outcomes.late)),
            ("refused", share(outcomes.refused), bad(outcomes.refused)),
            ("lost", share(lost), bad(lost)),
            ("under way", tape.now().under_way.to_string(), Style::new()),
        ],
    )
}

/// Returns a line for each figure: its value in the last second, and its trend.
fn trends(seconds: &[&RunSecond], look: Look) -> Vec<Line<'static>> {
    let offered = Figure::Load(|second| second.outcomes.scheduled);
    let most_offered = highest(&values(offered, seconds));
    let mut lines = Vec::new();
    for Trend { name, figure, style } in of_each(seconds, look) {
        let values = values(figure, seconds);
        let most = highest(&values);
        let most = if matches!(figure, Figure::Load(_)) { most.max(most_offered) } else { most };
        let last = values.last().copied().flatten();
        let of_last = if last == Some(0.0) { look.label() } else { style };
        lines.push(Line::from(vec![
            Span::styled(format!("{name:<NAME$}"), look.label()),
            Span::styled(format!("{:>FIGURE$} ", look.shown(&figure.shown(last))), of_last),
            Span::styled(bars::trend_up_to(&values, most, look), style),
        ]));
    }
    lines
}

fn values(figure: Figure, seconds: &[&RunSecond]) -> Vec<Option<f64>> {
    seconds.iter().map(|second| figure.of(second)).collect()
}

fn highest(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().copied().fold(0.0, f64::max)
}

fn of_each(seconds: &[&RunSecond], look: Look) -> [Trend; 8] {
    let lag = seconds.last().and_then(|second| second.lag).unwrap_or_default();
    let of_lag = if lag > LAG_MOST { look.alarm() } else { look.bar() };
    let trend = |name, figure, style| Trend { name, figure, style };
    [
        trend("offered/s", Figure::Load(|second| second.outcomes.scheduled), look.bar()),
        trend("good/s", Figure::Load(|second| second.outcomes.good), look.good()),
        trend("late/s", Figure::Load(|second| second.outcomes.late), look.warning()),
        trend("refused/s", Figure::Load(|second| second.outcomes.refused), look.warning()),
        trend("lost/s", Figure::Load(RunSecond::lost), look.alarm()),
        trend("p99", Figure::Time(|second| second.p99), look.bar()),
        trend("in flight", Figure::Number(|second| second.under_way as f64), look.bar()),
        trend("own lag p99", Figure::Time(|second| second.lag), of_lag),
    ]
}

fn heat_title(look: Look) -> Line<'static> {
    let text = "response times of right answers: a column is a second, the shade their share";
    Line::styled(text, look.label())
}

/// Writes the time below every tenth second.
fn draw_time(pen: &mut Pen<'_>, area: Rect, seconds: &[&RunSecond]) {
    let style = pen.look.label();
    for (second, x) in seconds.iter().zip(area.x.saturating_add(LEFT)..area.right()) {
        // The end of a second is a little later than the second.
        let at = second.at as u64;
        if at.is_multiple_of(LABEL_SECONDS) {
            let label = format!("{at}s");
            let width = area.right().saturating_sub(x);
            if label.len() <= usize::from(width) {
                pen.left(Rect { x, width, ..area }, &Line::styled(label, style));
            }
        }
    }
}

fn footer(look: Look) -> Line<'static> {
    Line::from(vec![
        Span::styled("q", look.strong()),
        Span::styled(" end the run, and again: at once; its report follows", look.label()),
    ])
}

fn length(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
