//! One chart of a drawing: its frame, its lines, and the names beside their ends.

use super::canvas::{Area, Chart, DrawError, GRID, LEVEL, MUTED, font};
use super::labels;
use super::line::Line;
use super::names::short_name;
use super::ticks;
use crate::report::units;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The width of a letter of 12 pixels in the common sans-serif faces; the face of the renderer is
/// unknown.
const LETTER_WIDTH: u32 = 7;
/// The distance from the end of a line to its name.
const LABEL_DISTANCE: i32 = 14;

/// The space before the first point of a logarithmic axis, as a share of its length.
const MARGIN: f64 = 0.03;

/// The content of one chart.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
    /// Horizontal lines, such as an SLO.
    pub(super) levels: Vec<Level>,
    /// Vertical lines where a part of the load begins.
    pub(super) bounds: Vec<Level>,
    /// True if names that would cover each other are left out, because another panel shows them.
    pub(super) names_if_they_fit: bool,
}

/// A named value on one axis.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) at: f64,
    pub(super) name: String,
}

impl Level {
    pub(super) fn slo(seconds: f64) -> Self {
        Self { at: seconds, name: format!("SLO {}", units::short_seconds(seconds)) }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Empty if the panel below has the label.
    pub(super) label: &'static str,
    pub(super) format: fn(f64) -> String,
    pub(super) log: bool,
    /// The values that have a label if there is room; empty: round values. Of an x axis alone.
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// Returns the place of a value on an x axis. Its logarithm stands there, because with an axis
    /// of plotters for each kind there would be four types of a chart.
    fn place(&self, x: f64) -> f64 {
        if self.log { x.ln() } else { x }
    }
}

/// The ends of an x axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    least: f64,
    most: f64,
}

impl Ends {
    /// Returns the least ends that hold both.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

impl Panel {
    /// Returns true if no line has a point.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.last().is_none())
    }

    /// Returns the width in pixels that the names need to the right of the lines.
    pub(super) fn label_width(&self) -> u32 {
        let names = self.lines.iter().map(|line| short_name(&line.name));
        let longest = names.map(|name| name.chars().count()).fold(0, usize::max);
        // A short name has at most 41 letters.
        longest as u32 * LETTER_WIDTH + 24
    }

    /// Returns the ends of the x axis: zero, or on a logarithmic axis a little before the first
    /// point, and the last point.
    pub(super) fn ends(&self) -> Ends {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let places = points.map(|point| self.x.place(point.x)).filter(|x| x.is_finite());
        if !self.x.log {
            return Ends { least: 0.0, most: places.fold(f64::MIN_POSITIVE, f64::max) };
        }
        let (least, most) =
            places.fold((f64::MAX, f64::MIN), |(a, b), place| (a.min(place), b.max(place)));
        if least > most {
            return Ends { least: 0.0, most: 1.0 };
        }
        Ends { least: least - ((most - least) * MARGIN).max(MARGIN), most }
    }

    /// Draws the chart into `area`, which is a part of `root`. `ends` are those of the x axis;
    /// `margin` is the width in pixels of the names.
    pub(super) fn draw(
        &self,
        root: &Area<'_>,
        area: &Area<'_>,
        ends: Ends,
        margin: u32,
    ) -> Result<(), DrawError> {
        let mut builder = ChartBuilder::on(area);
        builder.margin_top(26).margin_left(12).margin_right(margin);
        let below = if self.x.label.is_empty() { 22 } else { 40 };
        builder.x_label_area_size(below).y_label_area_size(54).margin_bottom(4);
        let caption = Text::new(self.caption.clone(), (20, 4), font(13.0).color(&MUTED));
        area.draw(&caption)?;
        let x = ends.least..ends.most;
        let (least, most) = self.heights();
        if self.y.log {
            self.draw_chart(root, builder.build_cartesian_2d(x, (least..most).log_scale())?)
        } else {
            self.draw_chart(root, builder.build_cartesian_2d(x, least..most)?)
        }
    }

    /// Returns the ends of the y axis: from zero, or on a logarithmic axis from a decade or from
    /// three times a decade.
    fn heights(&self) -> (f64, f64) {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let values = points.flat_map(|point| {
            let (low, high) = point.range.unzip();
            [point.y, low, high]
        });
        let values = values.flatten().chain(self.levels.iter().map(|level| level.at));
        let values = values.filter(|value| value.is_finite() && (!self.y.log || *value > 0.0));
        let (least, most) = values
            .fold((f64::MAX, f64::MIN_POSITIVE), |(a, b), value| (a.min(value), b.max(value)));
        if !self.y.log {
            // The names of the bounds stand above the lines.
            return (0.0, most * if self.bounds.is_empty() { 1.05 } else { 1.12 });
        }
        let least = least.min(most);
        let decade = 10_f64.powf(least.log10().floor());
        let from = if least >= decade * 3.0 { decade * 3.0 } else { decade };
        (from * 0.95, most * 1.3)
    }

    fn draw_chart<Y>(&self, root: &Area<'_>, mut chart: Chart<'_, '_, Y>) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let round_ticks = if self.x.ticks.is_empty() { 8 } else { 0 };
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(font(11.0).color(&MUTED))
            .axis_desc_style(font(11.0).color(&MUTED))
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .x_labels(round_ticks)
            .y_labels(6)
            .x_label_formatter(&|value| (self.x.format)(*value))
            .y_label_formatter(&|value| (self.y.format)(*value))
            .draw()?;
        self.draw_ticks(root, &chart)?;
        self.draw_levels(root, &chart)?;
        self.draw_bounds(root, &chart)?;
        let lines: Vec<Line> =
            self.lines.iter().map(|line| line.with_x(|x| self.x.place(x))).collect();
        for line in &lines {
            line.draw(root, &mut chart)?;
        }
        self.draw_names(&lines, root, &chart)
    }

    /// Draws the ticks that are not at round values, with the labels that have room.
    fn draw_ticks<Y>(&self, root: &Area<'_>, chart: &Chart<'_, '_, Y>) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let (_, down) = chart.plotting_area().get_pixel_range();
        let (lowest, _) = self.heights();
        let place = |tick: f64| chart.backend_coord(&(self.x.place(tick), lowest)).0;
        let ticks: Vec<f64> = self.x.ticks.iter().copied().filter(|tick| *tick > 0.0).collect();
        for tick in ticks::labelled(&ticks, place) {
            let left = place(tick);
            root.draw(&PathElement::new([(left, down.start), (left, down.end)], GRID))?;
            let style = font(11.0).color(&MUTED).pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new((self.x.format)(tick), (left, down.end + 6), style))?;
        }
        Ok(())
    }

    fn draw_levels<Y>(&self, root: &Area<'_>, chart: &Chart<'_, '_, Y>) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let (across, _) = chart.plotting_area().get_pixel_range();
        for Level { at, name } in &self.levels {
            let (_, height) = chart.backend_coord(&(0.0, *at));
            root.draw(&dashes((across.start, height), (across.end, height)))?;
            root.draw(&Text::new(
                name.clone(),
                (across.start + 6, height - 14),
                font(11.0).color(&LEVEL),
            ))?;
        }
        Ok(())
    }

    fn draw_bounds<Y>(&self, root: &Area<'_>, chart: &Chart<'_, '_, Y>) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let (_, down) = chart.plotting_area().get_pixel_range();
        for Level { at, name } in &self.bounds {
            let (left, _) = chart.backend_coord(&(self.x.place(*at), 1.0));
            root.draw(&dashes((left, down.start), (left, down.end)))?;
            root.draw(&Text::new(
                name.clone(),
                (left + 5, down.start + 2),
                font(11.0).color(&LEVEL),
            ))?;
        }
        Ok(())
    }

    fn draw_names<Y>(
        &self,
        lines: &[Line],
        root: &Area<'_>,
        chart: &Chart<'_, '_, Y>,
    ) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let (across, down) = chart.plotting_area().get_pixel_range();
        let ends: Vec<(&Line, (i32, i32))> = lines
            .iter()
            .filter_map(|line| Some((line, chart.backend_coord(&line.last()?))))
            .collect();
        let wanted: Vec<i32> = ends.iter().map(|(_, (_, height))| *height).collect();
        if self.names_if_they_fit && !labels::fit(wanted.len(), down.start, down.end) {
            return Ok(());
        }
        let heights = labels::placed(&wanted, down.start, down.end);
        for ((line, end), height) in ends.into_iter().zip(heights) {
            let color = line.color();
            let left = across.end + LABEL_DISTANCE;
            root.draw(&PathElement::new([(end.0 + 3, end.1), (left - 2, height)], color.mix(0.5)))?;
            let name =
                Text::new(short_name(&line.name), (left, height - 6), font(12.0).color(&color));
            root.draw(&name)?;
        }
        Ok(())
    }
}

fn dashes(
    from: (i32, i32),
    to: (i32, i32),
) -> DashedPathElement<std::array::IntoIter<(i32, i32), 2>, i32> {
    DashedPathElement::new([from, to], 5, 4, LEVEL.stroke_width(1))
}
