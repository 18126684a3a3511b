//! One chart of a drawing: its frame, its lines, and the names beside their ends.

use super::canvas::{Area, Chart, DrawError, GRID, LEVEL, MUTED, font};
use super::labels;
use super::line::Line;
use super::names::short_name;
use crate::report::units;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// The width of a letter of 12 pixels in the common sans-serif faces; the face of the renderer is
/// unknown.
const LETTER_WIDTH: u32 = 7;
/// The distance from the end of a line to its name.
const LABEL_DISTANCE: i32 = 14;

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

#[derive(Debug)]
pub(super) struct Axis {
    /// Empty if the panel below has the label.
    pub(super) label: &'static str,
    pub(super) format: fn(f64) -> String,
    pub(super) log: bool,
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

    /// Returns the greatest x of all points.
    pub(super) fn far(&self) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let far = points.map(|point| point.x).filter(|x| x.is_finite());
        far.fold(f64::MIN_POSITIVE, f64::max)
    }

    /// Draws the chart into `area`, which is a part of `root`. The x axis goes from zero to `far`;
    /// `margin` is the width in pixels of the names.
    pub(super) fn draw(
        &self,
        root: &Area<'_>,
        area: &Area<'_>,
        far: f64,
        margin: u32,
    ) -> Result<(), DrawError> {
        let mut builder = ChartBuilder::on(area);
        builder.margin_top(26).margin_left(12).margin_right(margin);
        let below = if self.x.label.is_empty() { 22 } else { 40 };
        builder.x_label_area_size(below).y_label_area_size(54).margin_bottom(4);
        let caption = Text::new(self.caption.clone(), (20, 4), font(13.0).color(&MUTED));
        area.draw(&caption)?;
        let x = 0.0..far;
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
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(font(11.0).color(&MUTED))
            .axis_desc_style(font(11.0).color(&MUTED))
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|value| (self.x.format)(*value))
            .y_label_formatter(&|value| (self.y.format)(*value))
            .draw()?;
        self.draw_levels(root, &chart)?;
        self.draw_bounds(root, &chart)?;
        for line in &self.lines {
            line.draw(root, &mut chart)?;
        }
        self.draw_names(root, &chart)
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
            let (left, _) = chart.backend_coord(&(*at, 1.0));
            root.draw(&dashes((left, down.start), (left, down.end)))?;
            root.draw(&Text::new(
                name.clone(),
                (left + 5, down.start + 2),
                font(11.0).color(&LEVEL),
            ))?;
        }
        Ok(())
    }

    fn draw_names<Y>(&self, root: &Area<'_>, chart: &Chart<'_, '_, Y>) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let (across, down) = chart.plotting_area().get_pixel_range();
        let ends: Vec<(&Line, (i32, i32))> = self
            .lines
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
